import Foundation
import MigrationEngine
import SchemaChange
import Synchronization
import TestSupport

/// Who is killed in a step, before whoever comes next goes on.
enum Kill: String, CaseIterable, Sendable {
    case none = "nobody killed"
    case process = "process killed"
    case backend = "sessions killed"
}

/// Walks a migration, and is killed on the way.
struct Walker: Sendable {
    let database: EvolvingDatabase
    let spec: MigrationSpec

    /// How many walks were killed before they had come to their end.
    static let kills = Mutex(0)

    /// Gets to `phase`, after somebody was killed on the way there.
    func walk(to phase: Phase, from place: Phase, killing kill: Kill, _ random: inout SplitMix) async throws {
        let phases = Phase.allCases.count { min(place, phase)...max(place, phase) ~= $0 } - 1
        let moment = Int.random(in: 1...(2 + 2 * phases), using: &random)
        switch kill {
        case .none: break
        case .backend: try await killSessions(onTheWayTo: phase, after: moment)
        case .process: try await killProcess(onTheWayTo: phase, after: moment)
        }
        try await walk(to: phase)
    }

    /// Until it is there: what it has to wait for, such as the lease of somebody who was killed, is over soon.
    func walk(to phase: Phase) async throws {
        let deadline = ContinuousClock.now + .seconds(60)
        while true {
            let report = try await database.run(spec, to: phase)
            switch report.activity {
            case .reached where report.phase == phase: return
            case .waiting where ContinuousClock.now < deadline: try await Task.sleep(for: .milliseconds(50))
            default:
                throw TestFailure(
                    "it was to reach \(phase.rawValue), and is at \(report.phase.rawValue): \(report.activity)")
            }
        }
    }

    /// All sessions of the engine end when it has said so many things.
    private func killSessions(onTheWayTo phase: Phase, after count: Int) async throws {
        let said = Mutex(0)
        let url = database.url
        let killer = Halt()
        async let killed: Void = {
            await killer.reached()
            let sessions = try await Psql.run(
                """
                SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity
                WHERE datname = current_database() AND application_name LIKE 'sluice/%'
                """, on: url)
            if sessions != "0" { Self.kills.withLock { $0 += 1 } }
        }()
        _ = try await database.engine.run(
            MigrationName(namespace: "shop", name: "a"), uid: nil, spec: spec, to: phase,
            guards: EvolvingDatabase.AllowingGuards(),
            report: { _ in
                let isTheMoment = said.withLock { said in
                    said += 1
                    return said == count
                }
                if isTheMoment { killer.arrive() }
            })
        // It may have had less to say.
        killer.arrive()
        try await killed
    }

    /// SIGKILL to a `sluice run` that has begun so many steps.
    func killProcess(onTheWayTo phase: Phase, after count: Int) async throws {
        try await withSluice(
            "run", "-f", "-", "--phase", phase.rawValue, "--lease-seconds", "1", "--log-level", "info",
            environment: ["SLUICE_DATABASE_URL": database.url], input: try Manifest(spec: spec).json
        ) { process in
            try await eventually("\(count) steps", within: .seconds(60), every: .milliseconds(1)) {
                process.exitStatus != nil || process.standardError.matches(of: /\bstep=/).count >= count
            }
            if process.exitStatus == nil { Self.kills.withLock { $0 += 1 } }
            try await process.kill()
        }
    }

    private struct Manifest: Encodable {
        let apiVersion = "sluice.dev/v1alpha1"
        let kind = "Migration"
        let metadata = ["namespace": "shop", "name": "a"]
        let spec: MigrationSpec

        /// JSON is YAML.
        var json: String {
            get throws { String(decoding: try JSONEncoder().encode(self), as: UTF8.self) }
        }
    }
}
