import Backfill
import Foundation
import MigrationEngine
import PostgreSQL
import SchemaChange
import TestSupport
import Testing

/// What keeps both tables of a `moveToTable` the same, and what is refused because nothing could.
@Suite("Columns that go to another table")
struct MoveToTableTests {
    private static let spec = EvolvingDatabase.spec([ChangeKindTests.moveAddress])
    private static let name = MigrationName(namespace: "shop", name: "a")

    /// Keys of rows whose sides are not the same.
    private static let mismatches = """
        SELECT 'mismatch ' || p.id FROM people p LEFT JOIN addresses a ON a.person = p.id
        WHERE record_image_ne(ROW(p.street, p.city), ROW(a.street, a.town)) ORDER BY 1
        """

    // MARK: Triggers

    /// What is done, of which row we speak, and what both sides of it are then.
    private static let writes: [(script: String, key: Int, row: String)] = [
        ("UPDATE people SET street = 'x', city = NULL WHERE id = 1", 1, "x|"),
        ("UPDATE addresses SET street = NULL, town = NULL WHERE person = 1", 1, "|"),
        // Of what is not filled yet, NULL is a value where it is named.
        ("UPDATE addresses SET street = NULL WHERE person = 1", 1, "|Ulm"),
        ("UPDATE addresses SET street = 'q', town = NULL WHERE person = 1", 1, "q|"),
        ("UPDATE addresses SET note = 'other' WHERE person = 1", 1, "Ring 1|Ulm"),
        ("DELETE FROM addresses WHERE person = 1", 1, "|"),
        ("DELETE FROM addresses WHERE person = 1; INSERT INTO addresses (person, town) VALUES (1, 'y')", 1, "|y"),
        ("INSERT INTO people (id) VALUES (7); INSERT INTO addresses (person, town) VALUES (7, 'y')", 7, "|y"),
        ("DELETE FROM people WHERE id = 1; INSERT INTO people (id, city) VALUES (1, 'z')", 1, "|z"),
        ("TRUNCATE addresses", 1, "|"),
        (
            """
            INSERT INTO addresses (person, street) VALUES (1, 'z')
            ON CONFLICT (person) DO UPDATE SET street = excluded.street
            """, 1, "z|Ulm"
        ),
        (
            """
            MERGE INTO addresses USING (VALUES (1)) AS v (id) ON person = id
            WHEN MATCHED THEN UPDATE SET town = 'm' WHEN NOT MATCHED THEN INSERT (person, town) VALUES (1, 'm')
            """, 1, "Ring 1|m"
        ),
        ("SET LOCAL session_replication_role = replica; UPDATE people SET street = 'r' WHERE id = 1", 1, "r|Ulm"),
        ("UPDATE people SET id = 11 WHERE id = 1", 11, "Ring 1|Ulm"),
        // Each takes the key that another one leaves.
        ("UPDATE people SET id = id + 1", 2, "Ring 1|Ulm"),
        ("UPDATE people SET id = id + 1", 4, "Weg 3|Bonn"),
        ("INSERT INTO people (id) VALUES (9); UPDATE addresses SET person = 9 WHERE person = 1", 9, "Ring 1|Ulm"),
        ("INSERT INTO people (id) VALUES (9); UPDATE addresses SET person = 9 WHERE person = 1", 1, "|"),
        (
            "INSERT INTO people (id) VALUES (9); UPDATE addresses SET person = 9, street = 'n' WHERE person = 1", 9,
            "n|Ulm"
        ),
        // One statement, and what it inserts is no less the old version's for that.
        (
            """
            WITH gone AS (DELETE FROM people WHERE id = 1 RETURNING *)
            INSERT INTO people SELECT id, name, street, city FROM gone
            """, 1, "Ring 1|Ulm"
        ),
        // Triggers of others, before and after ours.
        (
            """
            CREATE FUNCTION trimmed() RETURNS trigger LANGUAGE plpgsql AS
                'BEGIN NEW.street := trim(NEW.street); RETURN NEW; END';
            CREATE TRIGGER b BEFORE INSERT OR UPDATE ON addresses FOR EACH ROW EXECUTE FUNCTION trimmed();
            UPDATE people SET street = ' s ' WHERE id = 1
            """, 1, "s|Ulm"
        ),
        (
            """
            CREATE FUNCTION again() RETURNS trigger LANGUAGE plpgsql AS
                'BEGIN UPDATE people SET city = ''last'' WHERE id = NEW.id AND city <> ''last''; RETURN NULL; END';
            CREATE TRIGGER a AFTER UPDATE ON people FOR EACH ROW EXECUTE FUNCTION again();
            UPDATE people SET city = 'first' WHERE id = 1
            """, 1, "Ring 1|last"
        ),
        // In the midst of rows that take each other's keys, one that has to be looked for in another snapshot.
        (
            """
            SET TRANSACTION ISOLATION LEVEL REPEATABLE READ;
            INSERT INTO people (id) VALUES (90);
            CREATE FUNCTION count_up() RETURNS trigger LANGUAGE plpgsql AS
                'BEGIN UPDATE people SET city = ''x'' WHERE id = 90; DELETE FROM addresses WHERE person = 90; RETURN NULL; END';
            CREATE TRIGGER a AFTER UPDATE OF person ON addresses FOR EACH ROW EXECUTE FUNCTION count_up();
            UPDATE people SET id = id + 1 WHERE id < 90
            """, 2, "Ring 1|Ulm"
        ),
    ]

    @Test("each way to write a row ends with both sides the same, whether it was filled or not")
    func written() async throws {
        try await EvolvingDatabase.with(Self.people) { database in
            let plan = try await database.engine.plan(Self.name, spec: Self.spec)
            let move = try #require(plan.columnMoves.first)
            // What the backfill does to one table at once.
            let fill = """
                INSERT INTO addresses AS sluice_to (\(move.insertedColumns))
                SELECT \(move.insertedValues("f")) FROM people f WHERE \(move.isUnfilled("f")) \(move.fillIfThere)
                """
            for phase in [Phase.dualWrite, .backfill] {
                try await database.walk(Self.spec, to: phase)
                for (script, key, row) in Self.writes {
                    let found = try await database.sql(
                        """
                        BEGIN; \(script); SET LOCAL session_replication_role = origin; \(fill); \(Self.mismatches);
                        SELECT street, city FROM people WHERE id = \(key); ROLLBACK
                        """)
                    #expect(found == row, "\(phase.rawValue): \(script)")
                }
            }
        }
    }

    /// In an order in which each key may take the next one's place.
    private static let people =
        ChangeKindTests.peopleAndAddresses + """
            CREATE TABLE kept AS SELECT * FROM people ORDER BY id DESC;
            CREATE TABLE notes AS SELECT * FROM addresses ORDER BY person DESC;
            TRUNCATE people CASCADE; INSERT INTO people TABLE kept; INSERT INTO addresses TABLE notes;
            DROP TABLE kept, notes;
            """

    @Test("two that go to the same table do not take each other's keys for writes of the new version")
    func two() async throws {
        try await EvolvingDatabase.with(Self.people) { database in
            let spec = EvolvingDatabase.spec(
                ["street", "city"].map {
                    .moveToTable(
                        MoveToTable(
                            table: "people", columns: [.init(name: $0)], to: "addresses", key: ["id": "person"]))
                })
            try await database.walk(spec, to: .dualWrite)
            // Nothing is filled yet: what is taken for deleted there would be gone here.
            try await database.sql("UPDATE people SET id = id + 1")
            try await database.walk(spec, to: .contract)
            #expect(
                try await database.sql("SELECT person, street, city, note FROM addresses ORDER BY person") == """
                    2|Ring 1|Ulm|one
                    3||Aue|two
                    4|Weg 3|Bonn|none
                    5|Tor 4|Köln|none
                    """)
            try await database.walk(spec, to: .initial)
            #expect(try await database.traces() == "")
            #expect(
                try await database.sql("SELECT id, street, city FROM people ORDER BY id") == """
                    2|Ring 1|Ulm
                    3||Aue
                    4|Weg 3|Bonn
                    5|Tor 4|Köln
                    """)
        }
    }

    @Test("who may write one table needs no right on the other")
    func rights() async throws {
        try await EvolvingDatabase.with(ChangeKindTests.peopleAndAddresses) { database in
            try await database.walk(Self.spec, to: .dualWrite)
            let role = uniqueName("clerk")
            let found = try await database.sql(
                """
                BEGIN; CREATE ROLE "\(role)"; GRANT SELECT, UPDATE ON people TO "\(role)";
                SET LOCAL ROLE "\(role)"; UPDATE people SET street = 'x' WHERE id = 1; RESET ROLE;
                SELECT street, town FROM addresses WHERE person = 1; ROLLBACK
                """)
            #expect(found == "x|")
            // Nobody makes a trigger of his own of what runs with our rights.
            #expect(
                try await database.sql(
                    """
                    SELECT count(*) FROM pg_proc WHERE pronamespace = 'sluice'::regnamespace AND prosecdef
                        AND (proacl IS NULL OR array_to_string(proacl, ' ') ~ '(^| )=X')
                    """) == "0")
        }
    }

    // MARK: The backfill

    @Test("a row that somebody is about to write is not filled with what it held before")
    func lockedRow() async throws {
        try await EvolvingDatabase.with(ChangeKindTests.peopleAndAddresses) { database in
            try await database.walk(Self.spec, to: .dualWrite)
            try await withConnection(database.url, name: "old-version") { session in
                try await session.execute("BEGIN; UPDATE people SET street = NULL, city = NULL WHERE id = 3")
                let told = Told()
                async let report = database.run(Self.spec, to: .backfill, telling: told)
                // Or it is filled by then, if nothing waits for it.
                try await eventually("the chunk gives way", within: .seconds(20)) {
                    told.text.contains("WaitingForLock") || told.text.contains("reached")
                }
                try await session.execute("COMMIT")
                #expect(try await report.activity == .reached)
            }
            #expect(try await database.sql(Self.mismatches) == "")
            #expect(try await database.sql("SELECT street, town FROM addresses WHERE person = 3") == "")
        }
    }

    /// At REPEATABLE READ a transaction sees the other table as it was: before its row was made, or before it was changed.
    @Test(
        "a transaction that sees an older snapshot is refused, or both tables hold what it wrote",
        arguments: ["REPEATABLE READ", "SERIALIZABLE"])
    func snapshots(_ level: String) async throws {
        try await EvolvingDatabase.with(ChangeKindTests.peopleAndAddresses) { database in
            try await database.walk(Self.spec, to: .dualWrite)
            try await withConnection(database.url, name: "version-1") { session in
                try await session.execute("BEGIN ISOLATION LEVEL \(level); SELECT count(*) FROM people")
                try await database.walk(Self.spec, to: .backfill)
                await #expect(throws: PostgresError.self) {
                    try await session.query("UPDATE people SET street = NULL, city = NULL WHERE id = 3")
                }
                try await session.execute("ROLLBACK")
                // A row that has none in the other table, before and after.
                try await session.execute("BEGIN ISOLATION LEVEL \(level); SELECT count(*) FROM people")
                try await session.execute(
                    """
                    INSERT INTO people (id, street) VALUES (901, 'x'), (902, NULL);
                    UPDATE people SET street = NULL WHERE id IN (901, 902); UPDATE people SET street = 'y' WHERE id = 902; COMMIT
                    """)
            }
            try await withConnection(database.url, name: "version-2") { session in
                try await session.execute("BEGIN ISOLATION LEVEL \(level); SELECT FROM addresses")
                try await database.sql("DELETE FROM addresses WHERE person = 3")
                await #expect(throws: PostgresError.self) {
                    try await session.query(
                        "INSERT INTO addresses (person, street, town) SELECT id, street, city FROM people WHERE id = 3")
                }
                try await session.execute("ROLLBACK")
                try await session.execute(
                    "BEGIN ISOLATION LEVEL \(level); UPDATE addresses SET street = 'two' WHERE person = 1; COMMIT")
            }
            #expect(try await database.sql(Self.mismatches) == "")
            #expect(try await database.sql("SELECT street FROM people WHERE id IN (1, 902) ORDER BY id") == "two\ny")
        }
    }

    // MARK: The proof

    @Test(
        "is broken by a trigger of either table that was off for a moment; DualWrite makes it again, and the row is named",
        arguments: [
            ("people", "UPDATE people SET street = 'behind' WHERE id = 1"),
            ("addresses", "UPDATE addresses SET street = 'behind' WHERE person = 1"),
        ])
    func triggerOff(table: String, write: String) async throws {
        try await EvolvingDatabase.with(ChangeKindTests.peopleAndAddresses) { database in
            try await database.walk(Self.spec, to: .backfill)
            guard case .holds = try await database.engine.checkProof(Self.name) else {
                throw TestFailure("it was to hold")
            }
            try await database.sql(
                """
                ALTER TABLE \(table) DISABLE TRIGGER USER; \(write);
                DO $$ DECLARE t name; BEGIN
                    FOR t IN SELECT tgname FROM pg_trigger WHERE tgrelid = '\(table)'::regclass AND NOT tgisinternal LOOP
                        EXECUTE format('ALTER TABLE \(table) ENABLE ALWAYS TRIGGER %I', t);
                    END LOOP;
                END $$
                """)
            guard case .broken = try await database.engine.checkProof(Self.name) else {
                throw TestFailure("it was to be broken")
            }
            #expect(try await database.obstacle(Self.spec, to: .contract).hasPrefix("ProofBroken: "))
            try await database.walk(Self.spec, to: .dualWrite)
            let obstacle = try await database.obstacle(Self.spec, to: .backfill)
            #expect(obstacle.hasPrefix("Mismatch: 1 of 4 rows") && obstacle.contains("keys (1)"), "\(obstacle)")
            // Whose columns are named has it.
            try await database.sql("UPDATE \(table) SET street = street WHERE street = 'behind'")
            try await database.walk(Self.spec, to: .backfill)
            #expect(try await database.engine.compareRows(Self.name)?.tally.mismatches == 0)
            #expect(try await database.sql("SELECT street FROM people WHERE id = 1") == "behind")
        }
    }

    @Test("does not hold without the foreign key that says which row goes with which")
    func unlinked() async throws {
        try await EvolvingDatabase.with(ChangeKindTests.peopleAndAddresses) { database in
            try await database.walk(Self.spec, to: .backfill)
            try await database.sql("ALTER TABLE addresses DROP CONSTRAINT addresses_person_fkey")
            guard case .broken(let reason) = try await database.engine.checkProof(Self.name) else {
                throw TestFailure("it was to be broken")
            }
            #expect(reason.contains("the foreign key of public.addresses that refers to public.people is missing"))
            #expect(try await database.obstacle(Self.spec, to: .contract).hasPrefix("Drift: "))
            try await database.sql(
                """
                ALTER TABLE addresses ADD CONSTRAINT back FOREIGN KEY (person) REFERENCES people ON DELETE CASCADE
                """)
            try await database.walk(Self.spec, to: .contract)
        }
    }
}
