import Foundation
import KubernetesClient
import MigrationOperator
import TestSupport
import Testing

@Suite("The operator sees an older world")
struct StaleSightTests {
    /// One table and one story each.
    private static let names = ["anew", "back", "done", "wish", "plan"]

    /// A second API server on the same etcd is cut off from it, and the operator's lists and watches lead to it: what they
    /// say is what was. Reads of one object and writes go to the first, which knows what is.
    @Test("after a restart, and does nothing about what is not so any more", .timeLimit(.minutes(5)))
    func restarted() async throws {
        try await withAPIServerReplica { replica in
            try await withAPIProxy(replica.kubeconfig) { other in
                try await withFaultStage { faults in
                    let stage = faults.stage
                    try await prepare(faults)
                    try await until(
                        other, faults, sees: { $0["wish"]?.generation == 2 && $0["anew"]?.isBeingDeleted == true })
                    replica.fallBehind()

                    try await moveOn(faults)
                    let before = try await EndState(of: stage, table: "back")
                    let versions = try await Self.versions(stage)
                    faults.readCaches(of: other)
                    try await faults.withOperator { _ in
                        // As long as it takes to reconcile all that it sees, and to try again.
                        try await Task.sleep(for: .seconds(4))
                        let after = try await EndState(of: stage, table: "back")
                        #expect(after.differences(from: before) == [], "it acted on what it saw")
                        #expect(try await Self.versions(stage) == versions)

                        replica.catchUp()
                        faults.readCachesAsEver()
                        try await stage.waitFor(.contracted, of: "done")
                        try await stage.waitFor(.verified, of: "anew")
                        try await stage.waitFor(.ready, of: "wish")
                        try await stage.waitFor(.stalled, reason: "PlanChanged", of: "plan")
                        try await stage.waitFor(.gateOpen, .no, of: "back")
                        try await faults.comeToRest()
                    }
                    let api = try await stage.deployment()
                    #expect(api.spec.paused == true && api.metadata.annotations["sluice.dev/gate"] != "open")
                    let ledger = try await stage.psql("SELECT id, phase FROM sluice.migration ORDER BY id")
                    #expect(
                        ledger.replacing(stage.namespace + "/", with: "").split(separator: "\n") == [
                            "anew|Backfill", "back|Backfill", "done|Contract", "plan|Backfill", "wish|Backfill",
                        ])
                }
            }
        }
    }

    /// The old world: all proven; `anew` is being deleted with everything undone, `wish` is asked for Contract, and a
    /// template that requires `back` is held.
    private func prepare(_ faults: FaultStage) async throws {
        let stage = faults.stage
        try await faults.makeTables(Self.names)
        try await stage.deploy("api:1")
        try await faults.withOperator { _ in
            try await faults.apply(
                Self.names.map {
                    FaultStage.manifest($0, fields: $0 == "anew" ? "deletionPolicy: Compensate" : "")
                })
            for name in Self.names { try await stage.waitFor(.gateOpen, of: name) }
            try await faults.comeToRest(.seconds(1))
        }
        try await faults.ask("wish", for: "Contract")
        try await stage.kubectl("delete", "migration", "anew", "--wait=false")
        try await faults.deployHeld("api:2", requires: "back")
    }

    /// The world goes on: another `anew` is proven, `done` is contracted, `wish` is not wished any more, `back` is to go
    /// back, `plan` has other changes.
    private func moveOn(_ faults: FaultStage) async throws {
        let stage = faults.stage
        try await faults.deleteAtOnce("anew")
        try await faults.ask("wish", for: "Backfill")
        try await faults.ask("back", for: "Expand")
        try await faults.withOperator { _ in
            try await faults.apply([FaultStage.manifest("anew"), FaultStage.manifest("done", phase: "Contract")])
            try await stage.waitFor(.gateOpen, of: "anew")
            try await stage.waitFor(.contracted, of: "done")
            try await stage.waitFor(.ready, .no, reason: "WaitingForDependents", of: "back")
            try await stage.waitFor(.ready, of: "wish")
            try await faults.comeToRest(.seconds(1))
        }
        try await faults.apply([FaultStage.manifest("plan", forward: "a || '!'")])
    }

    /// What the caches of another server have, once they have it.
    private func until(
        _ other: Int, _ faults: FaultStage, sees isSeen: ([String: ObjectMeta]) -> Bool
    ) async throws {
        let client = KubernetesClient(ClusterConfiguration(server: "http://127.0.0.1:\(other)"))
        try await eventually("the other server has seen it") {
            let list = try await client.list(
                Migration.self, in: faults.stage.namespace, ListOptions(resourceVersion: "0"))
            return isSeen(Dictionary(uniqueKeysWithValues: list.items.map { ($0.metadata.name, $0.metadata) }))
        }
    }

    private static func versions(_ stage: Stage) async throws -> [String] {
        try await stage.client.list(Migration.self, in: stage.namespace).items.map(\.metadata).map {
            "\($0.name) \($0.uid ?? "") \($0.resourceVersion ?? "") \($0.finalizers)"
        }.sorted()
    }
}
