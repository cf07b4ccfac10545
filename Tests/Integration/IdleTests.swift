import Foundation
import KubernetesClient
import MigrationOperator
import TestSupport
import Testing

@Suite("An operator with nothing to do")
struct IdleTests {
    @Test(
        "writes nothing to Kubernetes or Postgres for a hundred settled Migrations but its lease",
        .timeLimit(.minutes(5)))
    func idle() async throws {
        try await withStage { stage in
            let count = 100
            _ = try await stage.psql(
                (0..<count).map { "CREATE TABLE t\($0) (id int PRIMARY KEY);" }.joined(separator: "\n"))
            let manifests = (0..<count).map { index in
                """
                apiVersion: sluice.dev/v1alpha1
                kind: Migration
                metadata: {name: m\(index)}
                spec:
                  database: {urlFrom: {secretKeyRef: {name: db, key: url}}}
                  changes:
                  - addColumn: {table: t\(index), column: {name: note, type: text}}
                """
            }
            try await stage.withOperator { _ in
                try await stage.apply(manifests.joined(separator: "\n---\n"))
                try await eventually("all are ready", within: .seconds(150), every: .milliseconds(500)) {
                    try await stage.client.list(Migration.self, in: stage.namespace).items.filter { migration in
                        migration.status?.holds(.ready, for: migration.metadata.generation) == true
                    }.count
                } until: {
                    $0 == count
                }
                // A last write may still be on its way: two looks a second apart must agree first.
                var before = try await Self.state(stage)
                try await eventually("it has come to rest", within: .seconds(20), every: .seconds(1)) {
                    let now = try await Self.state(stage)
                    defer { before = now }
                    return now == before
                }
                // Long enough for a heartbeat, a renewal and any resync that would be too eager.
                try await Task.sleep(for: .seconds(10))
                #expect(try await Self.state(stage) == before)
            }
        }
    }

    /// Every Migration's version, the number of events, and what was ever written in the database.
    private static func state(_ stage: Stage) async throws -> [String] {
        let migrations = try await stage.client.list(Migration.self, in: stage.namespace).items
        let versions = migrations.map { "\($0.metadata.name) \($0.metadata.resourceVersion ?? "")" }.sorted()
        let events = try await stage.kubectl("get", "events.events.k8s.io", "--no-headers", "-o", "name")
        let rows = try await stage.psql(
            """
            SELECT sum(n_tup_ins), sum(n_tup_upd), sum(n_tup_del) FROM pg_stat_all_tables
            WHERE schemaname IN ('sluice', 'public')
            """
        )
        return versions + ["events \(events.split(separator: "\n").count)", "rows \(rows)"]
    }
}
