import DurablePromises
import MigrationEngine
import PostgreSQL
import SchemaChange
import TestSupport
import Testing

@Suite("The approval of Contract")
struct ApprovalTests {
    @Test("is a promise that anybody settles: until then nothing is taken away, and each walk asks again")
    func approval() async throws {
        let setUp = """
            CREATE TABLE t (id bigint PRIMARY KEY, a integer NOT NULL);
            INSERT INTO t SELECT i, i FROM generate_series(1, 100) i;
            """
        try await EvolvingDatabase.with(setUp) { database in
            var spec = EvolvingDatabase.spec([
                .alterColumn(
                    AlterColumn(
                        table: "t", column: "a", to: NewColumn(name: "b", type: "bigint"), forward: "a::bigint",
                        backward: "b::integer"))
            ])
            spec.approval = .required
            _ = try await database.walk(spec, to: .backfill)
            let waiting = try await database.obstacle(spec, to: .contract)
            #expect(waiting.hasPrefix("WaitingForApproval: "))
            let promise = try await database.promises { store in
                let found = try await store.searchPromises(
                    PromiseSearch(state: "pending", tags: [PromiseTag.external: "true"]))
                return try #require(found.promises.first)
            }
            #expect(waiting.contains(promise.id))
            #expect(try await database.sql("SELECT count(a) FROM t") == "100")

            try await database.promises { _ = try await $0.settlePromise(id: promise.id, state: .rejected) }
            #expect(try await database.obstacle(spec, to: .contract).hasPrefix("NotApproved: "))
            _ = try await database.walk(spec, to: .backfill)
            let again = try await database.obstacle(spec, to: .contract)
            #expect(again.hasPrefix("WaitingForApproval: ") && !again.contains(promise.id + " "))
            let id = try await database.promises { store in
                try await store.searchPromises(PromiseSearch(state: "pending", tags: [PromiseTag.external: "true"]))
                    .promises.map(\.id).first { $0 != promise.id }
            }
            try await database.promises { _ = try await $0.settlePromise(id: try #require(id), state: .resolved) }
            #expect(try await database.walk(spec, to: .contract).phase == .contract)
        }
    }
}

extension EvolvingDatabase {
    /// The promises of the database, as anybody may get at them.
    @discardableResult
    fileprivate func promises<Value: Sendable>(_ body: (PromiseStore) async throws -> Value) async throws -> Value {
        let configuration = try PostgresConfiguration(
            url: url, origin: .operatorOwned, applicationName: "somebody")
        let pool = PostgresPool(configuration, maximum: 1)
        let store = PromiseStore(pool: pool, settings: .init(lanes: 1))
        let value = try await body(store)
        store.close()
        await pool.close()
        return value
    }
}
