import MigrationEngine
import SchemaChange
import TestSupport
import Testing

/// What was written past the triggers may be all there is, until a comparison has found every row right.
@Suite("Rows in doubt")
struct DoubtTests {
    /// Turns the triggers off while `statements` run. Afterwards all looks as before.
    private static func past(_ tables: [String], _ statements: String) -> String {
        let again = """
            DO $$ DECLARE t name; r regclass; BEGIN
                FOR r, t IN SELECT tgrelid, tgname FROM pg_trigger WHERE NOT tgisinternal AND tgenabled = 'D' LOOP
                    EXECUTE format('ALTER TABLE %s ENABLE ALWAYS TRIGGER %I', r, t);
                END LOOP;
            END $$;
            """
        return tables.map { "ALTER TABLE \($0) DISABLE TRIGGER USER;" }.joined() + statements + ";" + again
    }

    private static let renamed = EvolvingDatabase.spec([
        .renameColumn(RenameColumn(table: "notes", column: "a", to: "b"))
    ])
    private static let notes = """
        CREATE TABLE notes (id int PRIMARY KEY, a text); INSERT INTO notes VALUES (1, 'one'), (2, 'two'), (3, 'three');
        """

    @Test(
        "are not taken away once the triggers are made again, until they were compared and the right side was written")
    func repaired() async throws {
        try await EvolvingDatabase.with(Self.notes) { database in
            let before = try await database.structure()
            try await database.walk(Self.renamed, to: .backfill)
            try await database.sql(
                Self.past(
                    ["notes"], "UPDATE notes SET b = 'later' WHERE id < 3; INSERT INTO notes (id, b) VALUES (4, 'new')")
            )
            // Before anything is undone, the proof as well.
            #expect(try await database.obstacle(Self.renamed, to: .initial).hasPrefix("ProofBroken: a trigger"))
            #expect(
                try await database.sql("SELECT certificate IS NOT NULL, phase FROM sluice.migration") == "t|Backfill")
            try await database.walk(Self.renamed, to: .dualWrite)
            for phase in [Phase.initial, .expand] {
                let refused = try await database.obstacle(Self.renamed, to: phase)
                #expect(refused.hasPrefix("ProofBroken: what would go may be all there is"), "\(refused)")
                #expect(refused.contains("set phase: Backfill"))
            }
            let named = try await database.obstacle(Self.renamed, to: .backfill)
            #expect(
                named.hasPrefix("Mismatch: 2 of 4 rows") && named.contains("(1)") && named.contains("(2)"), "\(named)")
            #expect(try await database.obstacle(Self.renamed, to: .initial).hasPrefix("ProofBroken: what would go"))
            #expect(try await database.sql("SELECT id, b FROM notes ORDER BY id") == "1|later\n2|later\n3|three\n4|new")
            // Of one row the new side is right, what that of the other holds is given up.
            try await database.sql(
                "UPDATE notes SET b = b WHERE id = 1; UPDATE notes SET a = '' WHERE id = 2; UPDATE notes SET a = 'two' WHERE id = 2"
            )
            for phase in [Phase.backfill, .initial] { try await database.walk(Self.renamed, to: phase) }
            #expect(try await database.structure() == before)
            #expect(try await database.sql("SELECT * FROM notes ORDER BY id") == "1|later\n2|two\n3|three\n4|new")
        }
    }

    @Test("of columns that go to another table are not taken away either")
    func moved() async throws {
        let setUp = """
            CREATE TABLE people (id int PRIMARY KEY, street text);
            CREATE TABLE homes (id int PRIMARY KEY REFERENCES people ON DELETE CASCADE);
            INSERT INTO people VALUES (1, 'Elm'), (2, 'Oak');
            """
        try await EvolvingDatabase.with(setUp) { database in
            let spec = EvolvingDatabase.spec([
                .moveToTable(
                    MoveToTable(table: "people", columns: [.init(name: "street")], to: "homes", key: ["id": "id"]))
            ])
            try await database.walk(spec, to: .backfill)
            try await database.sql(Self.past(["homes"], "UPDATE homes SET street = 'later' WHERE id = 1"))
            try await database.walk(spec, to: .dualWrite)
            #expect(try await database.obstacle(spec, to: .initial).hasPrefix("ProofBroken: what would go"))
            #expect(try await database.obstacle(spec, to: .backfill).hasPrefix("Mismatch: 1 of 2 rows"))
            #expect(try await database.obstacle(spec, to: .initial).hasPrefix("ProofBroken: what would go"))
            try await database.sql("UPDATE homes SET street = street || '' WHERE id = 1")
            try await database.sql("UPDATE people SET street = 'x' WHERE id = 1")
            try await database.sql("UPDATE homes SET street = 'later' WHERE id = 1")
            for phase in [Phase.backfill, .initial] { try await database.walk(spec, to: phase) }
            #expect(try await database.sql("SELECT * FROM people ORDER BY id") == "1|later\n2|Oak")
        }
    }

    /// A trigger that came and went leaves those of ours as they were.
    @Test("are those as well that a comparison has named, though the triggers are as ever")
    func mismatched() async throws {
        try await EvolvingDatabase.with(Self.notes) { database in
            for phase in [Phase.backfill, .dualWrite] { try await database.walk(Self.renamed, to: phase) }
            try await database.sql(
                """
                CREATE FUNCTION spoil() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN NEW.b := ''late''; RETURN NEW; END';
                CREATE TRIGGER "~~late" BEFORE UPDATE ON notes FOR EACH ROW EXECUTE FUNCTION spoil();
                UPDATE notes SET a = 'x' WHERE id = 1;
                DROP TRIGGER "~~late" ON notes;
                """)
            #expect(try await database.obstacle(Self.renamed, to: .backfill).hasPrefix("Mismatch: 1 of 3 rows"))
            #expect(try await database.obstacle(Self.renamed, to: .initial).hasPrefix("ProofBroken: what would go"))
            #expect(try await database.sql("SELECT b FROM notes WHERE id = 1") == "late")
            try await database.sql("UPDATE notes SET b = 'late' WHERE id = 1")
            for phase in [Phase.backfill, .initial] { try await database.walk(Self.renamed, to: phase) }
            #expect(try await database.sql("SELECT a FROM notes WHERE id = 1") == "late")
        }
    }

    @Test("keep nothing that was never proven from going: there the old side is all there is")
    func neverProven() async throws {
        try await EvolvingDatabase.with(Self.notes) { database in
            let before = try await database.structure()
            try await database.walk(Self.renamed, to: .dualWrite)
            try await database.sql(Self.past(["notes"], "UPDATE notes SET b = 'early' WHERE id = 1"))
            for phase in [Phase.dualWrite, .initial] { try await database.walk(Self.renamed, to: phase) }
            #expect(try await database.structure() == before)
        }
    }
}
