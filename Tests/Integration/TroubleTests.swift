import Foundation
import KubernetesClient
import MigrationOperator
import TestSupport
import Testing

@Suite("Trouble")
struct TroubleTests {
    @Test("a database that is down at the start, and crashes in the middle, is waited for")
    func database() async throws {
        try await withPrivatePostgres { postgres in
            try await withStage(kubeconfig: try TestServers.kubeconfig, database: postgres.url) { stage in
                try await stage.makeCustomers(40_000)
                try await postgres.stop()
                try await stage.withOperator { _ in
                    try await stage.apply(stage.splitManifest(fields: "backfill: {chunkDuration: 2ms}"))
                    let told = try await stage.waitFor(.ready, .no, reason: "DatabaseUnavailable")
                    #expect(told.status?.condition(.ready)?.message?.contains("sluice@") == false, "a secret was told")
                    try await postgres.restart()
                    try await stage.waitForBackfill()
                    try await postgres.kill()
                    try await stage.waitFor(.ready, .no, reason: "DatabaseUnavailable")
                    try await postgres.restart()
                    try await stage.waitFor(.verified, within: .seconds(90))
                }
                #expect(try await stage.wrongRows() == "0")
            }
        }
    }

    @Test("an API server that goes away in the middle is waited for, and its gate tells the truth when it is back")
    func apiServer() async throws {
        try await withPrivateControlPlane { plane in
            try await withTestDatabase { url in
                try await withStage(kubeconfig: plane.kubeconfig, database: url) { stage in
                    try await stage.makeCustomers(30_000)
                    try await stage.apply(stage.splitManifest(fields: "backfill: {chunkDuration: 2ms}"))
                    try await stage.withOperator { _ in
                        try await stage.waitForBackfill()
                        try await plane.stopAPIServer()
                        try await plane.startAPIServer()
                        try await stage.waitFor(.verified, within: .seconds(90))
                    }
                    #expect(try await stage.wrongRows() == "0")
                }
            }
        }
    }

    @Test("a spec that is changed in flight undoes the old plan, and the new one is proven")
    func changedSpec() async throws {
        try await withStage { stage in
            try await stage.makeCustomers(40_000)
            try await stage.withOperator { _ in
                try await stage.apply(stage.splitManifest(fields: "backfill: {chunkDuration: 2ms}"))
                try await stage.waitForBackfill()
                try await stage.apply(stage.splitManifest(forward: "upper(split_part(full_name, ' ', 1))"))
                try await stage.waitFor(.verified, within: .seconds(90))
            }
            let names = try await stage.psql("SELECT count(*) FROM customers WHERE first_name <> upper(first_name)")
            #expect(names == "0")
        }
    }

    @Test("a forward that is refused stalls with the reason, and goes on once it is mended")
    func refusedForward() async throws {
        try await withStage { stage in
            try await stage.makeCustomers(100)
            try await stage.withOperator { _ in
                try await stage.apply(stage.splitManifest(forward: "concat_ws(' ', full_name, 'x')"))
                let stalled = try await stage.waitFor(.stalled, reason: "InvalidExpression")
                let message = stalled.status?.condition(.stalled)?.message ?? ""
                #expect(message.contains("changes[0].replaceColumns.forward.first_name"))
                #expect(message.contains("not immutable"))
                try await stage.apply(stage.splitManifest())
                try await stage.waitFor(.verified)
            }
        }
    }

    @Test("a second Migration of the same table waits for the first, and says so")
    func queue() async throws {
        try await withStage { stage in
            try await stage.makeCustomers(40_000)
            try await stage.withOperator { _ in
                try await stage.apply(stage.splitManifest(fields: "backfill: {chunkDuration: 2ms}"))
                try await stage.waitForBackfill()
                try await stage.apply(
                    """
                    apiVersion: sluice.dev/v1alpha1
                    kind: Migration
                    metadata: {name: second}
                    spec:
                      database: {urlFrom: {secretKeyRef: {name: db, key: url}}}
                      changes:
                      - addColumn: {table: customers, column: {name: note, type: text}}
                    """
                )
                let waiting = try await stage.waitFor(.ready, .no, reason: "Queued", of: "second")
                #expect(waiting.status?.condition(.ready)?.message?.contains("/split") == true)
                try await stage.waitFor(.verified, of: "second", within: .seconds(90))
            }
        }
    }
}
