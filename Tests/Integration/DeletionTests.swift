import Foundation
import KubernetesClient
import MigrationOperator
import TestSupport
import Testing

@Suite("A Migration is deleted in the middle")
struct DeletionTests {
    @Test("with Orphan everything stays, and the same manifest applied again adopts it and goes on")
    func orphan() async throws {
        try await withStage { stage in
            try await stage.makeCustomers(40_000)
            try await stage.withOperator { _ in
                try await stage.apply(stage.splitManifest(fields: "backfill: {chunkDuration: 2ms}"))
                try await stage.waitForBackfill(rows: 1000)
                try await stage.kubectl("delete", "migration", "split", "--timeout=20s")
                let left = try await stage.psql("SELECT count(*) FROM customers WHERE first_name IS NOT NULL")
                #expect(Int(left) ?? 0 > 0)
                try await stage.apply(stage.splitManifest())
                try await stage.waitFor(.verified)
                // The same walk: what was filled before was not filled again.
                #expect(try await stage.psql("SELECT walk FROM sluice.migration") == "1")
                #expect(try await stage.wrongRows() == "0")
            }
        }
    }

    @Test("with Compensate everything is undone first")
    func compensate() async throws {
        try await withStage { stage in
            try await stage.makeCustomers(40_000)
            try await stage.withOperator { _ in
                let fields = "deletionPolicy: Compensate\n  backfill: {chunkDuration: 2ms}"
                try await stage.apply(stage.splitManifest(fields: fields))
                try await stage.waitForBackfill(rows: 1000)
                try await stage.kubectl("delete", "migration", "split", "--timeout=40s")
                let columns = try await stage.psql(
                    """
                    SELECT string_agg(attname, ',' ORDER BY attnum) FROM pg_attribute
                    WHERE attrelid = 'customers'::regclass AND attnum > 0 AND NOT attisdropped
                    """
                )
                #expect(columns == "id,full_name")
                #expect(try await stage.psql("SELECT count(*) FROM sluice.migration") == "0")
                #expect(try await stage.psql("SELECT count(*) FROM pg_trigger WHERE NOT tgisinternal") == "0")
                try await stage.apply(stage.splitManifest())
                try await stage.waitFor(.verified)
            }
        }
    }

    @Test("a namespace that is deleted whole is not kept by what cannot be undone without its Secret")
    func namespace() async throws {
        try await withStage { stage in
            try await stage.makeCustomers(10)
            try await withNamespace(kubeconfig: stage.kubeconfig) { other in
                let there = try Stage(kubeconfig: stage.kubeconfig, namespace: other, database: stage.database)
                try await there.kubectl("create", "secret", "generic", "db", "--from-literal=url=" + stage.database)
                try await stage.withOperator(["--namespace", other]) { _ in
                    try await there.apply(stage.splitManifest(fields: "deletionPolicy: Compensate"))
                    try await there.waitFor(.verified)
                    try await there.kubectl("delete", "secret", "db")
                    try await there.kubectl("delete", "migration", "split", "--wait=false")
                    try await there.waitFor(.ready, .no, reason: "SecretNotFound")
                    // Told, it would wait for the Secret for ever. Now nobody can bring it any more.
                    try await stage.kubectl("delete", "namespace", other, "--timeout=60s")
                }
            }
        }
    }
}
