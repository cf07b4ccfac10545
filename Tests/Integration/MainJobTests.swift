import Foundation
import KubernetesClient
import MigrationOperator
import TestSupport
import Testing

@Suite("The main job, with kubectl")
struct MainJobTests {
    @Test("a Migration is walked to its proof, lets the rollout go that waited for it, is contracted and undone")
    func story() async throws {
        try await withStage { stage in
            try await stage.makeCustomers(30_000)
            try await stage.withOperator { _ in
                try await stage.withNodes {
                    try await Self.tell(stage)
                }
            }
        }
    }

    private static func tell(_ stage: Stage) async throws {
        try await stage.deploy("api:1")
        try await stage.waitForRollout(of: "api:1")
        try await stage.deploy("api:2", requires: "split")
        try await eventually("the rollout is held") {
            let deployment = try await stage.client.get(Deployment.self, ObjectKey("api", in: stage.namespace))
            return deployment.spec.paused == true && deployment.metadata.annotations["sluice.dev/gate"] == "closed"
        }
        let rollouts = "rollouts: [{apiVersion: apps/v1, kind: Deployment, name: api}]"
        try await stage.apply(stage.splitManifest(fields: "\(rollouts)\n  contract: {soak: 0s}"))
        try await stage.kubectl("wait", "--for=condition=Verified", "migration/split", "--timeout=60s")
        try await stage.waitForRollout(of: "api:2")

        let verified = try await stage.migration()
        #expect(verified.status?.verification?.rowsCompared == 30_000)
        #expect(verified.status?.verification?.mismatches == 0)
        #expect(try await stage.wrongRows() == "0")
        // Its pods may all be there before: a hold without the webhook can come too late.
        try await eventually("the rollout is let go, and stamped") {
            let deployment = try await stage.client.get(Deployment.self, ObjectKey("api", in: stage.namespace))
            return deployment.spec.paused != true
                && deployment.metadata.annotations["sluice.dev/verified"]
                    == "split@\(verified.status?.planHash ?? "")"
        }

        try await stage.kubectl("patch", "migration", "split", "--type=merge", "-p", #"{"spec":{"phase":"Contract"}}"#)
        try await stage.waitFor(.contracted)
        #expect(try await columns(stage).contains("full_name") == false)

        // Back from contract: the archive comes home and is proven again.
        try await stage.kubectl("patch", "migration", "split", "--type=merge", "-p", #"{"spec":{"phase":"Backfill"}}"#)
        try await stage.waitFor(.contracted, .no, reason: "NotRequested")
        try await stage.waitFor(.ready)
        try await stage.waitFor(.verified)
        #expect(try await stage.wrongRows() == "0")

        // Below Backfill the new version would lose its columns: it waits, and says for whom.
        try await stage.kubectl("patch", "migration", "split", "--type=merge", "-p", #"{"spec":{"phase":"Initial"}}"#)
        let waiting = try await stage.waitFor(.ready, .no, reason: "WaitingForDependents")
        #expect(waiting.status?.condition(.ready)?.message?.contains("Deployment api") == true)
        try await stage.deploy("api:1")
        try await stage.waitForRollout(of: "api:1")
        try await stage.waitFor(.ready)
        #expect(try await columns(stage) == ["id", "full_name"])

        let table = try await stage.kubectl("get", "migrations")
        #expect(table.contains("NAME") && table.contains("PHASE") && table.contains("GATE"))
        let described = try await stage.kubectl("describe", "migration", "split")
        for word in ["ExpandComplete", "DualWriteComplete", "Verified", "GateOpened", "WaitingForDependents"] {
            #expect(described.contains(word), "the events do not tell of \(word)")
        }
    }

    private static func columns(_ stage: Stage) async throws -> [String] {
        try await stage.psql(
            """
            SELECT string_agg(attname, ',' ORDER BY attnum) FROM pg_attribute
            WHERE attrelid = 'customers'::regclass AND attnum > 0 AND NOT attisdropped
            """
        ).split(separator: ",").map(String.init)
    }
}
