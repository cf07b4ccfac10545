import Foundation
import TestSupport
import Testing

@Suite("servers of a test's own")
struct PrivateServersTests {
    @Test("a PostgreSQL that crashed comes back on its port, with what was committed")
    func crash() async throws {
        try await withPrivatePostgres(settings: ["work_mem=7MB"]) { postgres in
            let setting = try await Psql.run("SHOW work_mem", on: postgres.url)
            #expect(setting == "7MB")
            try await Psql.run("CREATE TABLE t AS SELECT generate_series(1, 1000) AS a", on: postgres.url)
            try await postgres.kill()
            await #expect(throws: TestFailure.self) {
                try await Psql.run("SELECT 1", on: postgres.url)
            }
            try await postgres.restart()
            let count = try await Psql.run("SELECT count(*) FROM t", on: postgres.url)
            #expect(count == "1000")
            try await postgres.stop()
        }
    }

    @Test("an API server that was stopped comes back with its data; after a compaction an old watch gets a 410")
    func restart() async throws {
        try await withPrivateControlPlane { controlPlane in
            let kubectl = controlPlane.kubectl
            try await kubectl("create", "configmap", "kept")
            try await controlPlane.stopAPIServer()
            let refused = try await kubectl.result(of: "get", "configmap", "kept")
            #expect(refused.status != 0)
            try await controlPlane.compact()
            try await controlPlane.startAPIServer()
            try await kubectl("get", "configmap", "kept")
            let watch = "/api/v1/namespaces/default/configmaps?watch=1&resourceVersion=1&timeoutSeconds=5"
            let events = try await kubectl("get", "--raw", watch)
            #expect(events.contains(#""code":410"#))
        }
    }
}
