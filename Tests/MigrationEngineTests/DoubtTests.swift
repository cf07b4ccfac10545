import MigrationEngine
import PostgreSQL
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

    // MARK: After Contract

    @Test(
        "after Contract are brought back by DualWrite, which makes the triggers of the archive again before, and named")
    func contracted() async throws {
        let setUp = """
            CREATE TABLE notes (id int PRIMARY KEY, a text NOT NULL, label text, gone text NOT NULL);
            CREATE TABLE streets (id int PRIMARY KEY, street text);
            CREATE TABLE homes (id int PRIMARY KEY REFERENCES streets ON DELETE CASCADE);
            INSERT INTO notes SELECT i, 'old ' || i, NULL, 'g' FROM generate_series(1, 3) i;
            INSERT INTO streets VALUES (1, 'Elm'), (2, 'Oak');
            """
        try await EvolvingDatabase.with(setUp) { database in
            let before = try await database.structure()
            let spec = EvolvingDatabase.spec([
                .renameColumn(RenameColumn(table: "notes", column: "a", to: "b")),
                .dropColumn(DropColumn(table: "notes", column: "gone", backward: "'Nr. ' || id")),
                .moveToTable(
                    MoveToTable(table: "streets", columns: [.init(name: "street")], to: "homes", key: ["id": "id"])),
            ])
            try await database.walk(spec, to: .contract)
            let archived = try await database.sql(
                """
                SELECT attname FROM pg_attribute
                WHERE attrelid = 'notes'::regclass AND attname ~ '^sluice_archive' AND NOT attnotnull
                """)
            try await database.sql(
                Self.past(
                    ["notes", "homes"],
                    """
                    UPDATE notes SET b = 'later' WHERE id = 1; UPDATE homes SET street = 'Ash' WHERE id = 2;
                    UPDATE notes SET \(archived) = NULL WHERE id = 3
                    """))
            for phase in [Phase.initial, .backfill] {
                let refused = try await database.obstacle(spec, to: phase)
                #expect(
                    refused.hasPrefix("ProofBroken: a trigger") && refused.contains("set phase: DualWrite"),
                    "\(refused)")
            }
            // Nothing is undone, and it turns round.
            #expect(
                try await database.sql("SELECT certificate IS NOT NULL, phase FROM sluice.migration") == "t|Contract")
            try await database.walk(spec, to: .contract)

            let lacking = try await database.obstacle(spec, to: .dualWrite)
            #expect(lacking.hasPrefix("CannotUndo: ") && lacking.hasSuffix("keys (3)"), "\(lacking)")
            #expect(try await database.obstacle(spec, to: .initial).hasPrefix("ProofBroken: what would go"))
            // The triggers of the archive are there again, so that it helps to do what the message says.
            try await database.sql(
                """
                UPDATE notes SET b = 'mended' WHERE id = 3; INSERT INTO notes (id, b) VALUES (4, 'new');
                UPDATE homes SET street = 'Fir' WHERE id = 1
                """)
            try await database.walk(spec, to: .dualWrite)
            #expect(try await database.obstacle(spec, to: .initial).hasPrefix("ProofBroken: what would go"))
            let named = try await database.obstacle(spec, to: .backfill)
            #expect(
                named.hasPrefix("Mismatch: 2 of 6 rows") && named.contains("(1)") && named.contains("(2)"), "\(named)")
            try await database.sql(
                """
                UPDATE notes SET b = b WHERE id = 1; UPDATE homes SET street = 'x' WHERE id = 2;
                UPDATE homes SET street = 'Ash' WHERE id = 2
                """)
            for phase in [Phase.backfill, .contract, .initial] { try await database.walk(spec, to: phase) }
            #expect(try await database.structure() == before)
            #expect(
                try await database.sql("SELECT id, a, gone FROM notes ORDER BY id; SELECT * FROM streets ORDER BY id")
                    == "1|later|g\n2|old 2|g\n3|mended|g\n4|new|Nr. 4\n1|Fir\n2|Ash")
            #expect(try await database.traces() == "")
        }
    }

    @Test("that were inserted past the triggers of the archive keep what they hold, though they have no side")
    func insertedPastTheArchive() async throws {
        let setUp = "CREATE TABLE notes (id int PRIMARY KEY, a text, label text); INSERT INTO notes VALUES (1, 'one')"
        try await EvolvingDatabase.with(setUp) { database in
            try await database.walk(Self.renamed, to: .contract)
            try await database.sql(Self.past(["notes"], "INSERT INTO notes (id, b) VALUES (2, 'new'), (3, 'newer')"))
            try await database.walk(Self.renamed, to: .dualWrite)
            try await database.sql("UPDATE notes SET label = 'x' WHERE id < 3")
            try await database.walk(Self.renamed, to: .backfill)
            #expect(
                try await database.sql("SELECT id, a, b FROM notes ORDER BY id")
                    == "1|one|one\n2|new|new\n3|newer|newer")
        }
    }

    @Test(
        "of a Contract that is half undone too: each table gets the triggers that belong there", .timeLimit(.minutes(1))
    )
    func halfUndone() async throws {
        let setUp = """
            CREATE TABLE p (id int PRIMARY KEY, a text); INSERT INTO p VALUES (1, 'p');
            CREATE TABLE q (id int PRIMARY KEY, a text); INSERT INTO q VALUES (1, 'q');
            """
        try await EvolvingDatabase.with(setUp) { database in
            let spec = EvolvingDatabase.spec(
                ["p", "q"].map { .renameColumn(RenameColumn(table: $0, column: "a", to: "b")) })
            try await database.walk(spec, to: .contract)
            try await withConnection(database.url, name: "late") { late in
                try await late.execute("BEGIN; SELECT FROM p")
                let told = Told()
                let run = Task { try await database.run(spec, to: .initial, telling: told) }
                try await eventually("it waits for p", within: .seconds(20)) { told.text.contains("is locked by") }
                run.cancel()
                _ = await run.result
                try await late.execute("COMMIT")
            }
            let shape = """
                SELECT attname FROM pg_attribute WHERE attrelid = 'TABLE'::regclass AND attnum > 0 AND NOT attisdropped
                    AND attname = 'a'
                """
            #expect(try await database.sql(shape.replacing("TABLE", with: "p")) == "")
            #expect(try await database.sql(shape.replacing("TABLE", with: "q")) == "a")
            for table in ["p", "q"] {
                let trigger = try await database.sql(
                    "SELECT tgname FROM pg_trigger WHERE tgrelid = '\(table)'::regclass ORDER BY tgname DESC LIMIT 1")
                try await database.sql(Self.past([table], "UPDATE \(table) SET b = 'past'"))
                try await database.sql("DROP TRIGGER \(trigger.quotedIdentifier) ON \(table)")
            }
            for phase in [Phase.contract, .backfill, .initial] {
                #expect(try await database.obstacle(spec, to: phase).hasPrefix("ProofBroken: a trigger"))
            }
            try await database.walk(spec, to: .dualWrite)
            let named = try await database.obstacle(spec, to: .backfill)
            #expect(named.hasPrefix("Mismatch: 2 of 2 rows"), "\(named)")
            try await database.sql("UPDATE p SET b = 'x'; UPDATE q SET a = 'y'")
            #expect(try await database.sql("SELECT a, b FROM p UNION ALL SELECT a, b FROM q") == "x|x\ny|y")
            for phase in [Phase.backfill, .initial] { try await database.walk(spec, to: phase) }
            #expect(try await database.sql("SELECT a FROM p UNION ALL SELECT a FROM q") == "x\ny")
        }
    }
}
