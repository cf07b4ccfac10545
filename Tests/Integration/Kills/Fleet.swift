import Foundation
import Synchronization
import TestSupport

/// Everything that durable functions need, as processes: PostgreSQL, two servers, workers. Each may be killed.
struct Fleet: Sendable {
    let postgres: PrivatePostgres
    let servers: [RunningServer]
    let workers: [JourneyWorkerProcess]

    /// Where the Swift workers of journeys and of their legs are, and the Python ones.
    static let journeys = "poll://any@west"
    static let legs = "poll://any@east"
    static let python = "poll://any@python"

    /// Kills whom the schedule names, and starts each again. Returns when all are back.
    func carryOut(_ schedule: KillSchedule) async throws {
        let clock = ContinuousClock()
        let start = clock.now
        try await withThrowingTaskGroup(of: Void.self) { group in
            for (victim, kills) in schedule.byVictim {
                group.addTask {
                    for kill in kills {
                        try await clock.sleep(until: start + kill.at)
                        try await self.kill(victim)
                        try await clock.sleep(for: kill.away)
                        try await restart(victim)
                    }
                }
            }
            try await group.waitForAll()
        }
        for server in servers { try await server.becomeReady() }
    }

    private func kill(_ victim: Victim) async throws {
        switch victim {
        case .server(let number): try await servers[number].kill()
        case .worker(let number): try await workers[number].kill()
        case .postgres: try await postgres.kill()
        }
    }

    private func restart(_ victim: Victim) async throws {
        switch victim {
        case .server(let number): try await servers[number].restart()
        case .worker(let number): try workers[number].restart()
        case .postgres: try await postgres.restart()
        }
    }
}

/// A worker process that is killed and started again.
final class JourneyWorkerProcess: Sendable {
    private let start: @Sendable () throws -> RunningProgram
    private let running: Mutex<RunningProgram>

    init(_ start: @escaping @Sendable () throws -> RunningProgram) throws {
        self.start = start
        running = Mutex(try start())
    }

    /// A `journey-worker`, which was built beside `sluice`. It leaves what it saw in `notes`.
    static func swift(_ url: String, group: String, notes: String) throws -> JourneyWorkerProcess {
        let program = URL(fileURLWithPath: try TestServers.sluice).deletingLastPathComponent().path + "/journey-worker"
        return try JourneyWorkerProcess {
            let name = uniqueName("worker")
            return try RunningProgram(
                program, [url, group, "2000", "\(notes)/\(name).jsonl"], folder: try TestServers.folder + "/" + name)
        }
    }

    func kill() async throws {
        let program = running.withLock { $0 }
        program.send(SIGKILL)
        try await program.waitForExit()
    }

    func restart() throws {
        let program = try start()
        running.withLock { $0 = program }
    }

    /// Nil while it runs.
    var exitStatus: Int32? { running.withLock { $0.exitStatus } }

    /// What it said last.
    var lastWords: String {
        running.withLock { $0.standardError }.split(separator: "\n").suffix(10).joined(separator: "\n")
    }
}

/// Starts a fleet for the body, with a folder for what the workers see.
func withFleet<Value>(
    python: Bool, _ body: (_ fleet: Fleet, _ notes: String) async throws -> Value
) async throws -> Value {
    let notes = try TestServers.folder + "/" + uniqueName("notes")
    try FileManager.default.createDirectory(atPath: notes, withIntermediateDirectories: true)
    let interpreter = python ? try await PythonWorker.interpreter() : ""
    return try await withPrivatePostgres { postgres in
        let arguments = ["--retry-interval", "1s"]
        return try await withSluiceServer(on: postgres.url, arguments) { first in
            try await withSluiceServer(on: postgres.url, arguments) { second in
                for server in [first, second] { try await server.becomeReady() }
                var workers = [
                    try JourneyWorkerProcess.swift(first.url, group: "west", notes: notes),
                    try JourneyWorkerProcess.swift(second.url, group: "west", notes: notes),
                    try JourneyWorkerProcess.swift(second.url, group: "east", notes: notes),
                ]
                if python {
                    workers.append(
                        try JourneyWorkerProcess {
                            try PythonWorker.start(interpreter, at: first.url, group: "python", lease: 2)
                        }
                    )
                }
                let fleet = Fleet(postgres: postgres, servers: [first, second], workers: workers)
                do {
                    let value = try await body(fleet, notes)
                    for worker in workers { try await worker.kill() }
                    return value
                } catch let failure as TestFailure {
                    throw TestFailure("\(failure)\n" + workers.map(\.lastWords).joined(separator: "\n---\n"))
                }
            }
        }
    }
}
