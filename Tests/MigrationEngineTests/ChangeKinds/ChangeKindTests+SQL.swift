import Foundation
import MigrationEngine
import SchemaChange
import TestSupport
import Testing

extension ChangeKindTests {
    @Test("statements of the user's own run at Expand and Contract, and are undone as they say")
    func statements() async throws {
        let index = "SELECT count(*) FROM pg_indexes WHERE indexname = 'items_a'"
        try await roundTrip(
            Self.items,
            [
                .sql(
                    SQLChange(
                        tables: ["items"],
                        expand: ["CREATE INDEX items_a ON items (a)", "COMMENT ON INDEX items_a IS 'ours'"],
                        rollback: ["DROP INDEX items_a"],
                        contract: ["UPDATE items SET a = a || '!'"],
                        contractRollback: ["UPDATE items SET a = rtrim(a, '!')"]
                    )
                )
            ],
            [
                Stop(.expand, index, "1"), Stop(.contract, "SELECT a FROM items ORDER BY id", "x!\ny!"),
                Stop(.backfill, "SELECT a FROM items ORDER BY id; \(index)", "x\ny\n1"),
            ],
            left: ("SELECT * FROM items ORDER BY id; \(index)", "1|x|1\n2|y|2\n0")
        )
    }

    @Test("statements that nobody said how to undo keep a migration where it is, and it goes on from there")
    func statementsWithoutRollback() async throws {
        try await EvolvingDatabase.with(Self.items) { database in
            let spec = EvolvingDatabase.spec([
                .sql(SQLChange(expand: ["CREATE TABLE more ()"], contract: ["DROP TABLE more"]))
            ])
            try await database.walk(spec, to: .contract)
            for target in [Phase.backfill, .initial] {
                let obstacle = try await database.obstacle(spec, to: target)
                #expect(obstacle.hasPrefix("CannotUndo: ") && obstacle.contains("contractRollback"))
            }
            #expect(try await database.walk(spec, to: .contract).phase == .contract)
        }
    }
}
