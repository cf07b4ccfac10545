import Foundation
import KubernetesClient
import MigrationOperator
import TestSupport

/// A small Migration from its first day to Contract, with a Deployment that waits for it, while its operator is killed at
/// chosen effects and begun anew each time.
struct CrashStory: Sendable {
    struct Outcome: Sendable {
        var end: EndState
        /// What the operator did in each of its lives.
        var lives: [[String]]
        var violations: [String]
    }

    /// The lives that end early, in order; the last one goes on to the end.
    var deaths: [EffectLog.Death] = []
    var rows = 200

    func play() async throws -> Outcome {
        try await withFaultStage { faults in
            let stage = faults.stage
            try await stage.makeCustomers(rows)
            try await stage.deploy("api:1")
            let monitor = GateMonitor()
            return try await stage.withNodes {
                try await stage.waitForRollout(of: "api:1")
                return try await monitor.watching(stage) {
                    try await stage.apply(
                        stage.splitManifest(fields: "\(FaultStage.rollouts)\n  contract: {soak: 0s}"))
                    try await faults.deployHeld("api:2")
                    var lives: [[String]] = []
                    for death in deaths {
                        let isOver = try await faults.withOperator(until: death) { process in
                            try await walk(faults) { process.exitStatus != nil }
                        }
                        lives.append(faults.log.effects)
                        if isOver { break }
                    }
                    try await faults.withOperator { _ in
                        guard try await walk(faults, { false }) else { throw TestFailure("it does not end") }
                        try await faults.comeToRest()
                    }
                    lives.append(faults.log.effects)
                    if monitor.count == 0 { throw TestFailure("the monitor saw nothing") }
                    return Outcome(end: try await EndState(of: stage), lives: lives, violations: monitor.violations)
                }
            }
        }
    }

    /// Does what its user does: asks for Contract once the new version is rolled out everywhere. True at the end of the
    /// story, false when the operator died before.
    private func walk(_ faults: FaultStage, _ isDead: () -> Bool) async throws -> Bool {
        var isOver = false
        try await eventually("contracted, or dead", within: .seconds(90), every: .milliseconds(100)) {
            let migration = try await faults.stage.migration()
            if migration.status?.holds(.contracted, for: migration.metadata.generation) == true { isOver = true }
            if isOver || isDead() { return "" }
            if migration.rawSpec["phase"]?.string == "Backfill",
                migration.status?.holds(.gateOpen, for: migration.metadata.generation) == true,
                try await faults.isRolledOut("api:2")
            {
                try await faults.ask(for: "Contract")
            }
            return "at "
                + (migration.status?.conditions ?? []).map { "\($0.type)=\($0.status.rawValue) (\($0.reason ?? ""))" }
                .joined(separator: ", ")
        } until: {
            $0.isEmpty
        }
        return isOver
    }
}
