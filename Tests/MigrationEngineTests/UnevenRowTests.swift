import MigrationEngine
import SchemaChange
import TestSupport
import Testing

@Suite("A row that was written while the triggers were off")
struct UnevenRowTests {
    private static let cents = Change.replaceColumns(
        ReplaceColumns(
            table: "items", from: ["amount"], to: [NewColumn(name: "cents", type: "bigint")],
            forward: ["cents": "amount * rate"], backward: ["amount": "(cents / rate)::int"]))
    /// Row 1 is one that the old version wrote last, row 2 one of the new version.
    private static let items = """
        CREATE TABLE items (id int PRIMARY KEY, amount int, rate int NOT NULL DEFAULT 100, label text);
        INSERT INTO items SELECT i, 1 FROM generate_series(1, 9) i;
        """
    private static let rows =
        "SELECT string_agg(concat_ws('/', id, amount, cents), ' ' ORDER BY id) FROM items WHERE id < 3"

    /// Runs a statement that no trigger sees. The triggers are what they were afterwards.
    private func slip(
        _ statement: String, by database: EvolvingDatabase, past triggers: String = "%sluice%"
    ) async throws {
        func each(_ verb: String) -> String {
            """
            DO $$ DECLARE t name; BEGIN
                FOR t IN SELECT tgname FROM pg_trigger WHERE tgrelid = 'items'::regclass AND tgname LIKE '\(triggers)' LOOP
                    EXECUTE format('ALTER TABLE items \(verb) TRIGGER %I', t);
                END LOOP;
            END $$;
            """
        }
        try await database.sql(each("DISABLE") + statement + ";" + each("ENABLE ALWAYS"))
    }

    private func evolved(
        _ change: Change, writer: DualWriter? = nil, _ body: (EvolvingDatabase, MigrationSpec) async throws -> Void
    ) async throws {
        try await EvolvingDatabase.with(Self.items) { database in
            let spec = EvolvingDatabase.spec([change], writer: writer)
            try await database.walk(spec, to: writer == .application ? .expand : .backfill)
            try await body(database, spec)
        }
    }

    /// The keys that a comparison of every row names.
    private func mismatches(_ database: EvolvingDatabase, _ spec: MigrationSpec) async throws -> String {
        try await database.walk(spec, to: .dualWrite)
        let obstacle = try await database.obstacle(spec, to: .backfill)
        #expect(obstacle.hasPrefix("Mismatch: "))
        let keys = obstacle.firstMatch(of: /keys ([^;]*);/).map { String($0.1) } ?? obstacle
        return keys.split(separator: ", ").sorted().joined(separator: " ")
    }

    @Test("keeps what was written past them, whichever side, until it is compared and named")
    func otherColumn() async throws {
        try await evolved(Self.cents) { database, spec in
            try await database.sql("UPDATE items SET cents = 250 WHERE id IN (2, 4)")
            // Each side of either kind of row.
            try await slip(
                """
                UPDATE items SET amount = 7 WHERE id IN (1, 2);
                UPDATE items SET cents = 900 WHERE id IN (3, 4)
                """, by: database)
            try await database.sql("UPDATE items SET label = 'seen'; UPDATE items SET rate = 1000 WHERE id = 1")
            let rows = "SELECT string_agg(concat_ws('/', id, amount, cents), ' ' ORDER BY id) FROM items WHERE id < 6"
            #expect(try await database.sql(rows) == "1/7/100 2/7/250 3/1/900 4/2/900 5/1/100")
            #expect(try await mismatches(database, spec) == "(1) (2) (3) (4)")

            // An old column that keeps its value does not count as written: what maps objects to rows names all of them.
            try await database.sql("UPDATE items SET rate = 100; UPDATE items SET amount = amount, label = 'mapped'")
            #expect(try await database.sql(rows) == "1/7/100 2/7/250 3/1/900 4/2/900 5/1/100")
            // Somebody decides.
            try await database.sql(
                """
                UPDATE items SET amount = 0 WHERE id IN (1, 2); UPDATE items SET amount = 7 WHERE id IN (1, 2);
                UPDATE items SET cents = cents WHERE id IN (3, 4)
                """)
            #expect(try await database.sql(rows) == "1/7/700 2/7/700 3/9/900 4/9/900 5/1/100")
            try await database.walk(spec, to: .backfill)
        }
    }

    @Test("keeps it as well where the last of them alone was off")
    func lastAlone() async throws {
        try await evolved(Self.cents) { database, spec in
            try await database.sql("UPDATE items SET cents = 250 WHERE id = 2")
            try await slip("UPDATE items SET amount = 7 WHERE id < 3", by: database, past: "~sluice%")
            try await database.sql("UPDATE items SET label = 'seen'")
            // It was noted in the first row that its own side was written.
            #expect(try await database.sql(Self.rows) == "1/7/700 2/7/250")
            #expect(try await mismatches(database, spec) == "(2)")
        }
    }

    @Test("is told from one that a trigger of a user's changes without naming its column: that is followed")
    func unnamed() async throws {
        try await evolved(Self.cents) { database, _ in
            try await database.sql(
                """
                UPDATE items SET cents = 250 WHERE id = 2;
                CREATE FUNCTION more() RETURNS trigger LANGUAGE plpgsql AS
                    'BEGIN NEW.amount := NEW.amount + 1; NEW.rate := 10; RETURN NEW; END';
                CREATE TRIGGER more BEFORE UPDATE ON items FOR EACH ROW EXECUTE FUNCTION more();
                UPDATE items SET label = 'seen' WHERE id < 3
                """)
            #expect(try await database.sql(Self.rows) == "1/2/20 2/25/250")
        }
    }

    @Test("of a column that is added keeps its value, until something that it is computed of is written")
    func added() async throws {
        let change = ChangeKindTests.add(NewColumn(name: "cents", type: "bigint"), forward: "amount * rate")
        try await evolved(change) { database, spec in
            try await slip(
                "UPDATE items SET cents = 5 WHERE id IN (1, 2); UPDATE items SET amount = 3 WHERE id = 9", by: database)
            try await database.sql("UPDATE items SET label = 'seen'")
            #expect(try await database.sql(Self.rows) == "1/1/5 2/1/5")
            #expect(try await mismatches(database, spec) == "(1) (2) (9)")
            try await database.sql(
                "UPDATE items SET amount = 2 WHERE id IN (2, 9); UPDATE items SET cents = 5 WHERE id = 1")
            #expect(try await database.sql(Self.rows) == "1/1/5 2/2/200")
            try await database.walk(spec, to: .backfill)
        }
    }

    @Test("is not filled again where the application writes both sides, before it is declared that all of it does")
    func byTheApplication() async throws {
        try await evolved(Self.cents, writer: .application) { database, spec in
            let marker = try await database.sql(
                "SELECT attname FROM pg_attribute WHERE attrelid = 'items'::regclass AND attname LIKE 'sluice_side%'")
            try await database.sql("UPDATE items SET cents = amount * rate, \(marker) = 'o'")
            #expect(try await database.sql("SELECT DISTINCT \(marker) FROM items") == "o")
            try await slip("UPDATE items SET cents = 900 WHERE id = 2", by: database)
            try await database.sql("UPDATE items SET label = 'seen'")
            #expect(try await database.sql("SELECT string_agg(\(marker), '' ORDER BY id) FROM items") == "odooooooo")
        }
    }
}
