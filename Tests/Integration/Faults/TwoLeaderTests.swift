import Foundation
import KubernetesClient
import MigrationOperator
import TestSupport
import Testing

@Suite("Two operators, of which one is stopped past its lease")
struct TwoLeaderTests {
    /// A seed says after which of its writes the first is stopped.
    @Test(
        "the second goes on, and the first, woken up, undoes nothing of it",
        .timeLimit(.minutes(10)), arguments: TestServers.isSoak ? Array(1...30) : [1, 2])
    func stopped(seed: UInt64) async throws {
        var random = SplitMix(seed: seed)
        let last = Int.random(in: 1...24, using: &random)
        try await withStage { stage in
            try await stage.makeCustomers(2000)
            try await stage.deploy("api:1")
            try await withAPIProxy(stage.kubeconfig) { proxy in
                let (first, second) = (try APIRelay { _ in proxy }, try APIRelay { _ in proxy })
                defer {
                    first.stop()
                    second.stop()
                }
                let monitor = GateMonitor()
                try await stage.withNodes {
                    try await stage.waitForRollout(of: "api:1")
                    try await monitor.watching(stage) { try await play(stage, first, second, last) }
                }
                #expect(monitor.violations == [])
                #expect(monitor.count > 0)
            }
        }
    }

    private func play(_ stage: Stage, _ first: APIRelay, _ second: APIRelay, _ last: Int) async throws {
        let log = EffectLog()
        func faults(_ relay: APIRelay) throws -> FaultStage {
            FaultStage(
                stage: stage, log: log, api: relay, proxy: 0, kubeconfig: try FaultStage.kubeconfig(server: relay.url))
        }
        try await lead("first", stage, try faults(first)) { stopped in
            first.after(last) { stopped.send(SIGSTOP) }
            try await stage.apply(
                stage.splitManifest(
                    fields: "\(FaultStage.rollouts)\n  contract: {soak: 0s}\n  backfill: {chunkDuration: 2ms}"))
            try await faults(first).deployHeld("api:2")
            try await eventually("it has written \(last) times", within: .seconds(30)) { first.writes.count >= last }
            try await lead("second", stage, try faults(second)) { _ in
                try await stage.waitFor(.gateOpen)
                try await eventually("it is rolled out", within: .seconds(60)) {
                    try await faults(second).isRolledOut("api:2")
                }
                try await faults(second).ask(for: "Contract")
                try await stage.waitFor(.contracted)
                try await faults(second).comeToRest()
                let before = try await EndState(of: stage)
                let writes = first.writes.count
                stopped.send(SIGCONT)
                // Until it knows that it leads no more, and then some.
                try await eventually("it has noticed", within: .seconds(20)) {
                    stopped.standardError.contains("lost the lease")
                }
                try await Task.sleep(for: .seconds(2))
                try await faults(second).comeToRest(.seconds(1))
                #expect(try await EndState(of: stage).differences(from: before) == [])
                let late = first.writes.dropFirst(writes).filter { !$0.contains("/events ") && $0.hasSuffix(" 200") }
                #expect(late == [], "written by who leads no more")
            }
        }
    }

    private func lead(
        _ name: String, _ stage: Stage, _ faults: FaultStage, _ body: (SluiceProcess) async throws -> Void
    ) async throws {
        let options = ["--identity", name, "--leader-lease-seconds", "3", "--lease-seconds", "2"]
        try await stage.withOperator(options, kubeconfig: faults.kubeconfig, body)
    }
}
