import Foundation
import KubernetesClient
import MigrationOperator
import TestSupport
import Testing

@Suite("What happens while the operator does not look")
struct UnseenTests {
    /// Why it sees nothing of what comes between.
    enum Blindness: CaseIterable {
        /// There is no process.
        case down
        /// It is stopped (SIGSTOP), as on a machine that swaps.
        case paused
        /// Its watches bring nothing, and everything else works.
        case unwatched
    }

    @Test(
        "objects made anew under their names, and a spec that went there and back, end as if they had just been applied",
        .timeLimit(.minutes(5)), arguments: Blindness.allCases)
    func unseen(_ blindness: Blindness) async throws {
        let expected = try await Self.applied.value
        try await withFaultStage { faults in
            let stage = faults.stage
            let monitor = GateMonitor()
            try await faults.makeTables(["anew", "flip"])
            try await stage.deploy("api:1")
            let end = try await monitor.watching(stage) {
                try await faults.withOperator { process in
                    try await faults.apply([FaultStage.manifest("anew"), FaultStage.manifest("flip")])
                    for name in ["anew", "flip"] { try await stage.waitFor(.gateOpen, of: name) }
                    try await faults.deployHeld("api:2", requires: "anew")
                    try await stage.waitFor("it is let go") { $0.spec.paused != true }
                    try await faults.comeToRest(.seconds(1))
                    switch blindness {
                    case .down: try await process.kill()
                    case .paused: process.send(SIGSTOP)
                    case .unwatched: faults.api.holdWatches(true)
                    }
                    try await happen(faults)
                    switch blindness {
                    case .down: return
                    case .paused: process.send(SIGCONT)
                    case .unwatched:
                        // Long enough for what it would do on what it still sees.
                        try await Task.sleep(for: .seconds(1))
                        #expect(try await stage.deployment().spec.paused == true)
                        faults.api.holdWatches(false)
                    }
                    try await Self.settle(faults)
                }
                if blindness == .down {
                    try await faults.withOperator { _ in try await Self.settle(faults) }
                }
                return try await EndState(of: stage, table: "anew", countsWalks: false)
            }
            #expect(end.differences(from: expected) == [])
            #expect(monitor.violations == [])
            #expect(monitor.count > 0)
        }
    }

    /// What it does not see: `anew` is deleted and made again with other changes, so is the Deployment that waits for it,
    /// and `flip` is asked for something else and back.
    private func happen(_ faults: FaultStage) async throws {
        let stage = faults.stage
        try await faults.deleteAtOnce("anew")
        try await faults.ask("flip", for: "Expand")
        try await stage.kubectl("delete", "deployment", "api", "--cascade=background")
        try await eventually("the Deployment is gone") {
            try await stage.client.find(Deployment.self, ObjectKey("api", in: stage.namespace)) == nil
        }
        try await faults.apply([FaultStage.manifest("anew", phase: "Contract")])
        try await stage.deploy("api:1")
        try await faults.deployHeld("api:2", requires: "anew")
        try await faults.ask("flip", for: "Backfill")
    }

    private static func settle(_ faults: FaultStage) async throws {
        try await faults.stage.waitFor(.contracted, of: "anew")
        try await faults.stage.waitFor(.ready, of: "flip")
        try await faults.stage.waitFor("it is let go") { $0.spec.paused != true && $0.mark == nil }
        try await faults.comeToRest()
    }

    /// The end where nothing was there before: once for all of them.
    private static let applied = Task {
        try await withFaultStage { faults in
            try await faults.makeTables(["anew", "flip"])
            try await faults.stage.deploy("api:1")
            return try await faults.withOperator { _ in
                try await faults.apply([FaultStage.manifest("anew", phase: "Contract"), FaultStage.manifest("flip")])
                try await faults.deployHeld("api:2", requires: "anew")
                try await settle(faults)
                return try await EndState(of: faults.stage, table: "anew", countsWalks: false)
            }
        }
    }
}
