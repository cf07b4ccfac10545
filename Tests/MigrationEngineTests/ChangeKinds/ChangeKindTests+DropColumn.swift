import Foundation
import MigrationEngine
import SchemaChange
import TestSupport
import Testing

extension ChangeKindTests {
    @Test("a column that may be NULL is dropped, and comes back with what it held")
    func dropNullable() async throws {
        try await roundTrip(
            Self.items,
            [.dropColumn(DropColumn(table: "items", column: "a"))],
            [
                Stop(.backfill, "SELECT a FROM items ORDER BY id", "x\ny"),
                Stop(
                    .contract, "INSERT INTO items (id) VALUES (3); SELECT id, price FROM items ORDER BY id",
                    "1|1\n2|2\n3|0"),
                Stop(.backfill, "SELECT a FROM items ORDER BY id", "x\ny\n"),
            ],
            left: ("SELECT * FROM items ORDER BY id", "1|x|1\n2|y|2\n3||0")
        )
    }

    @Test("a NOT NULL column without a default may be left out from Expand on; going back needs its values")
    func dropNotNull() async throws {
        try await EvolvingDatabase.with(Self.people) { database in
            let before = try await database.structure()
            let spec = EvolvingDatabase.spec([.dropColumn(DropColumn(table: "people", column: "full_name"))])
            try await database.walk(spec, to: .expand)
            try await database.sql("INSERT INTO people (id) VALUES (9)")
            try await database.walk(spec, to: .contract)
            let obstacle = try await database.obstacle(spec, to: .initial)
            let archived = try await database.sql(
                "SELECT attname FROM pg_attribute WHERE attrelid = 'people'::regclass AND attname LIKE 'sluice_archive%'"
            )
            #expect(
                obstacle
                    == "CannotUndo: rows of public.people have no value for full_name, which is NOT NULL without this "
                    + "Migration: give them one in \(archived), as it is called in the archive, or delete them, or go back no "
                    + "further than Expand: keys (9)")
            #expect(try await database.engine.observe(MigrationName(namespace: "shop", name: "a"))?.phase == .contract)
            try await database.sql("INSERT INTO people (id) VALUES (10); UPDATE people SET id = 11 WHERE id = 9")
            // The same is said further back, of the column that is there again.
            try await database.walk(spec, to: .dualWrite)
            let later = try await database.obstacle(spec, to: .initial)
            #expect(
                later.hasPrefix("CannotUndo: ") && later.contains("give them one, or delete")
                    && later.contains("(10)") && later.contains("(11)"), "\(later)")
            try await database.sql("UPDATE people SET id = 9 WHERE id = 11; DELETE FROM people WHERE id = 10")
            try await database.walk(spec, to: .contract)
            // As it says.
            try await database.sql("UPDATE people SET \(archived) = 'Mary' WHERE id = 9")
            try await database.walk(spec, to: .initial)
            #expect(try await database.structure() == before)
            #expect(
                try await database.sql("SELECT full_name FROM people WHERE id IN (1, 9) ORDER BY id")
                    == "Ada Lovelace\nMary")
        }
    }

    @Test("backward gives a dropped column its value in rows that the new version inserts, in the archive as well")
    func dropWithBackward() async throws {
        try await roundTrip(
            Self.people,
            [.dropColumn(DropColumn(table: "people", column: "full_name", backward: "'Nr. ' || id::text"))],
            [
                Stop(
                    .dualWrite,
                    "INSERT INTO people (id) VALUES (5); INSERT INTO people VALUES (6, 'Old'); SELECT * FROM people WHERE id > 4",
                    "5|Nr. 5\n6|Old"
                ),
                Stop(.contract, "INSERT INTO people (id) VALUES (7); SELECT count(*) FROM people", "7"),
                Stop(
                    .backfill, "INSERT INTO people (id) VALUES (8); SELECT * FROM people WHERE id > 6",
                    "7|Nr. 7\n8|Nr. 8"),
            ],
            left: ("SELECT * FROM people WHERE id > 3 ORDER BY id", "4|Grace Hopper\n5|Nr. 5\n6|Old\n7|Nr. 7\n8|Nr. 8")
        )
    }
}
