import Foundation
import TestSupport
import Testing

/// What each scenario does is told by its file in `Tests/Python/scenarios`.
@Suite("The unmodified resonate-sdk")
struct ResonateSDKTests {
    @Test("runs a workflow step by step, and not once more when it is asked for again")
    func run() async throws { try await hold("run") }

    @Test("runs an id once, though two processes ask for it at the same time")
    func duplicate() async throws { try await hold("duplicate") }

    @Test("calls a worker of one group, which calls a worker of another")
    func rpc() async throws { try await hold("rpc") }

    @Test("sends a megabyte to a worker and back")
    func large() async throws { try await hold("large") }

    @Test("sleeps durably, and wakes in time though the worker died")
    func sleep() async throws { try await hold("sleep") }

    @Test("waits for a promise that somebody outside settles, or nobody")
    func external() async throws { try await hold("external") }

    @Test("leaves a call behind that goes on after its workflow has ended")
    func detached() async throws { try await hold("detached") }

    @Test("gets what becomes of a promise by its id alone, in another process")
    func get() async throws { try await hold("get") }

    @Test("makes, finds and deletes schedules, and executes what they fire")
    func schedules() async throws { try await hold("schedules") }

    @Test("finds promises by tags and state, page by page")
    func search() async throws { try await hold("search") }

    @Test("takes over from a worker that was killed within its lease, and repeats no step that was done")
    func takeover() async throws { try await hold("takeover") }

    @Test("keeps a lease while its worker lives, however long a step takes")
    func heartbeat() async throws { try await hold("heartbeat") }

    @Test("fans out to fifty calls, and five deep, and comes together")
    func fan() async throws { try await hold("fan") }

    @Test("gets errors as what they were, tries again as policies say, and keeps deadlines")
    func errors() async throws { try await hold("errors") }

    @Test("is not driven round by a task that no worker knows")
    func poison() async throws { try await hold("poison") }

    @Test("does not notice that one of two servers is killed")
    func replicas() async throws {
        try await withTestDatabase { database in
            try await withSluiceServer(on: database) { first in
                try await withSluiceServer(on: database) { second in
                    try await hold(
                        "replicas", at: first, "--second-url", second.url,
                        "--kill", "\(first.process.processIdentifier)")
                }
            }
        }
    }

    @Test("goes on after the server was killed and started again")
    func restart() async throws {
        try await withTestDatabase { database in
            try await withSluiceServer(on: database) { first in
                let folder = try TestServers.folder + "/" + uniqueName("restart")
                let (python, arguments) = try await Self.command("restart", at: first)
                let program = try RunningProgram(python, arguments, folder: folder)
                try await eventually("workflows are under way", within: .seconds(30)) {
                    program.standardOutput.contains("kill it")
                }
                try await first.kill()
                try await first.restart()
                let status = try await program.waitForExit(within: .seconds(60))
                #expect(status == 0, "\(program.standardOutput)\(program.standardError)")
            }
        }
    }

    @Test(
        "listens for longer than its client stands one stream",
        .enabled(if: TestServers.isSoak, "takes more than five minutes: make soak"), .timeLimit(.minutes(10)))
    func long() async throws { try await hold("long", within: .seconds(500)) }

    /// Starts a server on a database of its own, and a scenario against it.
    private func hold(_ scenario: String, within limit: Duration = .seconds(90)) async throws {
        try await withTestDatabase { database in
            try await withSluiceServer(on: database) { server in
                try await hold(scenario, at: server, within: limit)
            }
        }
    }

    private func hold(
        _ scenario: String, at server: RunningServer, _ options: String..., within limit: Duration = .seconds(90)
    ) async throws {
        let (python, arguments) = try await Self.command(scenario, at: server)
        try await Program.output(python, arguments + options, within: limit)
    }

    private static func command(_ scenario: String, at server: RunningServer) async throws -> (String, [String]) {
        // Without the bytecode of the modules, which Python would put beside them.
        let program = try TestServers.scripts + "/../Tests/Python/run.py"
        let python = try await PythonWorker.interpreter()
        return (python, ["-B", program, scenario, "--url", server.url])
    }
}
