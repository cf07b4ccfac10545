import KubernetesClient
import MigrationOperator
import TestSupport
import Testing

@Suite("Lint by the operator")
struct OperatorLintTests {
    @Test("an error is Stalled with its reason and the safe way; once it is mended, the plan is published")
    func stalled() async throws {
        try await withStage { stage in
            try await stage.makeCustomers(40_000)
            func manifest(_ statement: String) -> String {
                """
                apiVersion: sluice.dev/v1alpha1
                kind: Migration
                metadata: {name: split}
                spec:
                  phase: Expand
                  database: {urlFrom: {secretKeyRef: {name: db, key: url}}}
                  changes:
                  - sql: {tables: [customers], expand: ["\(statement)"], rollback: []}
                """
            }
            try await stage.withOperator { _ in
                try await stage.apply(manifest("CREATE INDEX by_name ON customers (full_name)"))
                let stalled = try await stage.waitFor(.stalled, reason: "CreateIndexLocks")
                let message = stalled.status?.condition(.stalled)?.message ?? ""
                #expect(message.hasPrefix("changes[0].sql.expand[0]: nobody may write customers"), "\(message)")
                #expect(message.contains("use createIndex"))
                #expect(try await stage.psql("SELECT to_regclass('by_name') IS NULL") == "t")
                try await stage.apply(stage.splitManifest(fields: "phase: Backfill"))
                try await stage.waitFor(.verified)
                let plan = try await stage.kubectl(
                    "get", "migration", "split", "--output",
                    "jsonpath={.status.plan.planHash} {.status.planHash} {.status.plan.rows} {.status.plan.walBytes}"
                ).split(separator: " ")
                try #require(plan.count == 4)
                #expect(plan[0] == plan[1] && plan[2] == "40000" && (Int(plan[3]) ?? 0) > 40_000 * 60)
            }
            let events = try await stage.kubectl(
                "get", "events", "--field-selector", "reason=Planned", "--output", "jsonpath={.items[*].message}")
            #expect(events.contains("40000 rows to fill, about "), "\(events)")
        }
    }
}
