import DurablePromises
import MigrationEngine
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
            let first = try await database.openQuestion()
            #expect(waiting.hasPrefix("WaitingForApproval: "))
            #expect(waiting.contains("sluice promise settle \(first) --state resolved"))
            #expect(first.hasPrefix("migration/shop/a/") && first.hasSuffix(":approval"))
            #expect(try await database.sql("SELECT count(a) FROM t") == "100")

            try await database.settle(first, .rejected)
            let refused = try await database.obstacle(spec, to: .contract)
            #expect(refused.hasPrefix("NotApproved: ") && refused.contains("promise \(first) is rejected"))
            #expect(try await database.sql("SELECT count(a) FROM t") == "100")
            _ = try await database.walk(spec, to: .backfill)
            let again = try await database.obstacle(spec, to: .contract)
            let second = try await database.openQuestion()
            #expect(second != first && again.hasPrefix("WaitingForApproval: ") && again.contains(second))
            try await database.settle(second)
            #expect(try await database.walk(spec, to: .contract).phase == .contract)
        }
    }
}
