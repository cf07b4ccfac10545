import MigrationEngine
import PostgreSQL
import SchemaChange
import TestSupport
import Testing

@Suite("The proof", .serialized)
struct FingerprintTests {
    @Test(
        "is broken by a trigger that was off for a moment; DualWrite makes it again, and names the row that slipped by")
    func disabled() async throws {
        try await withTestDatabase { url in
            let database = try await EvolvedDatabase.withItems(url, rows: 2000)
            try await database.reach("Backfill")
            #expect(try await database.verify().status == 0)

            // All looks as before, but for a row that was written behind the trigger's back.
            let trigger = try await database.sql(
                "SELECT tgname FROM pg_trigger WHERE tgname LIKE '~sluice%' AND tgtype & 16 > 0")
            try await database.sql(
                """
                ALTER TABLE items DISABLE TRIGGER "\(trigger)";
                UPDATE items SET amount = 77 WHERE id = 5;
                ALTER TABLE items ENABLE ALWAYS TRIGGER "\(trigger)";
                """
            )
            let broken = try await database.verify()
            #expect(broken.status == 1)
            #expect(
                broken.standardOutput.contains(
                    "a trigger that keeps both sides right was dropped, disabled or replaced"))
            #expect(broken.standardOutput.contains("set phase: DualWrite, which makes the triggers again"))
            let stalled = try await database.run(to: "Backfill")
            #expect(stalled.status == 1)
            #expect(stalled.standardOutput.contains("stalled (ProofBroken)"))

            // What would go may be all there is.
            let refused = try await database.run(to: "Expand")
            #expect(refused.status == 1)
            #expect(refused.standardOutput.contains("stalled (ProofBroken)"))

            try await database.reach("DualWrite")
            let slipped = try await database.run(to: "Backfill")
            #expect(slipped.status == 1)
            #expect(slipped.standardOutput.contains("stalled (Mismatch): 1 of 2000 rows"))
            #expect(slipped.standardOutput.contains("keys (5)"))
            try await database.sql(
                "UPDATE items SET amount = 0 WHERE id = 5; UPDATE items SET amount = 77 WHERE id = 5")
            #expect(try await database.reach("Backfill").contains("mismatches: 0"))
            #expect(try await database.verify().status == 0)
            #expect(try await database.sql("SELECT amount, cents FROM items WHERE id = 5") == "77|7700")
        }
    }

    @Test("is not given while a row does not keep to its side, and the keys are named")
    func planted() async throws {
        try await withTestDatabase { url in
            let database = try await EvolvedDatabase.withItems(url, rows: 2000)
            try await database.reach("DualWrite")
            let marker = try await database.sql(
                "SELECT attname FROM pg_attribute WHERE attrelid = 'items'::regclass AND attname LIKE 'sluice_side%'"
            )
            try await database.sql(
                """
                ALTER TABLE items DISABLE TRIGGER USER;
                UPDATE items SET cents = 5, \(marker) = CASE id WHEN 7 THEN 'n' ELSE 'o' END WHERE id IN (7, 1234);
                """
            )
            let stalled = try await database.run(to: "Backfill")
            #expect(stalled.status == 1)
            #expect(stalled.standardOutput.contains("stalled (Mismatch): 2 of 2000 rows are not as their side says"))
            #expect(stalled.standardOutput.contains("(7), (1234)"))
            #expect(try await database.verify().status == 1)
        }
    }

    @Test("holds against a replica role, and verify sees what a later trigger of a user's does to a row")
    func lateTrigger() async throws {
        try await withTestDatabase { url in
            let database = try await EvolvedDatabase.withItems(url, rows: 2000)
            try await database.reach("Backfill")
            // The triggers are ENABLE ALWAYS: a superuser who asks for none of them has them all the same.
            try await database.sql("SET session_replication_role = replica; UPDATE items SET amount = 1 WHERE id = 8;")
            #expect(try await database.sql("SELECT cents FROM items WHERE id = 8") == "100")
            #expect(try await database.verify().status == 0)

            try await database.sql(
                """
                CREATE FUNCTION spoil() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN NEW.cents := 5; RETURN NEW; END';
                CREATE TRIGGER "~~late" BEFORE UPDATE ON items FOR EACH ROW EXECUTE FUNCTION spoil();
                UPDATE items SET amount = 7 WHERE id IN (7, 9);
                """
            )
            let verified = try await database.verify()
            #expect(verified.status == 1)
            #expect(verified.standardOutput.contains("broken: a trigger"))
            #expect(verified.standardOutput.contains("compared again: 2000 rows, mismatches: 2"))
            #expect(verified.standardOutput.contains("(7), (9)"))
        }
    }

    @Test("is not spoilt by a trigger of a user's that changes what the backfill has read")
    func changedMeanwhile() async throws {
        try await withTestDatabase { url in
            let database = try await EvolvedDatabase.withItems(url, rows: 2000)
            try await database.sql(
                """
                CREATE FUNCTION rounded() RETURNS trigger LANGUAGE plpgsql AS
                    'BEGIN NEW.amount := NEW.amount / 10 * 10; RETURN NEW; END';
                CREATE TRIGGER rounded BEFORE UPDATE ON items FOR EACH ROW EXECUTE FUNCTION rounded();
                """)
            #expect(try await database.reach("Backfill").contains("mismatches: 0"))
            let rows =
                "SELECT count(*) FILTER (WHERE amount % 10 = 0), count(*) FILTER (WHERE cents = amount * 100) FROM items"
            #expect(try await database.sql(rows) == "2000|2000")
            #expect(try await database.verify().status == 0)
        }
    }

    /// Rows that were inserted while the triggers were off have no side, and hold on one what somebody wrote.
    @Test("is made again of what was inserted past the triggers, by what each row shows")
    func insertedPast() async throws {
        try await withTestDatabase { url in
            let database = try await EvolvedDatabase.withItems(url, rows: 500)
            try await database.reach("Backfill")
            try await database.sql(
                """
                ALTER TABLE items DISABLE TRIGGER USER;
                INSERT INTO items (id, amount, cents) VALUES (901, NULL, 515), (902, NULL, 525), (903, 3, NULL);
                DO $$ DECLARE t name; BEGIN
                    FOR t IN SELECT tgname FROM pg_trigger WHERE tgrelid = 'items'::regclass LOOP
                        EXECUTE format('ALTER TABLE items ENABLE ALWAYS TRIGGER %I', t);
                    END LOOP;
                END $$
                """)
            #expect(try await database.verify().status == 1)
            try await database.reach("DualWrite")
            // A write that names neither side, before they are filled.
            try await database.sql("UPDATE items SET label = 'x' WHERE id = 902")
            #expect(try await database.reach("Backfill").contains("mismatches: 0"))
            let rows = "SELECT id, amount, cents FROM items WHERE id > 900 ORDER BY id"
            #expect(try await database.sql(rows) == "901|5|515\n902|5|525\n903|3|300")
            #expect(try await database.verify().status == 0)
        }
    }

    /// Below DualWrite the old version alone is right, whatever the new columns were filled with before.
    @Test("is made again of the old side, once the triggers were gone")
    func filledBefore() async throws {
        try await withTestDatabase { url in
            let database = try await EvolvedDatabase.withItems(url, rows: 500)
            try await database.reach("Backfill")
            try await database.sql("UPDATE items SET cents = 12345 WHERE id = 3")
            try await database.reach("Expand")
            try await database.sql("UPDATE items SET amount = id + 5 WHERE id < 4")
            try await database.reach("DualWrite")
            try await database.sql(
                "UPDATE items SET label = 'x' WHERE id = 1; UPDATE items SET cents = 77 WHERE id = 2")
            #expect(try await database.reach("Backfill").contains("mismatches: 0"))
            let rows = "SELECT id, amount, cents FROM items WHERE id < 4 ORDER BY id"
            #expect(try await database.sql(rows) == "1|6|600\n2|0|77\n3|8|800")
        }
    }

    @Test("is broken by another function under the name of the one in a trigger's condition")
    func condition() async throws {
        try await withTestDatabase { url in
            let database = try await EvolvedDatabase.withItems(url, rows: 100)
            try await database.reach("Backfill")
            let function = try await database.sql("SELECT proname FROM pg_proc WHERE proname LIKE 'differs\\_%'")
            try await database.sql(
                """
                CREATE OR REPLACE FUNCTION sluice.\(function)(amount integer, sluice_new_1 bigint) RETURNS boolean
                    LANGUAGE sql IMMUTABLE RETURN false
                """)
            let broken = try await database.verify()
            #expect(broken.status == 1)
            #expect(broken.standardOutput.contains("was dropped, disabled or replaced"))
        }
    }

    /// Somebody drops a trigger of the first table while the walk waits for the second one's lock.
    @Test("is not made over a trigger that was dropped before all of them were there", .timeLimit(.minutes(1)))
    func droppedBetweenTables() async throws {
        let setUp = """
            CREATE TABLE a (id int PRIMARY KEY, x int); INSERT INTO a SELECT i, i FROM generate_series(1, 50) i;
            CREATE TABLE b (id int PRIMARY KEY, x int); INSERT INTO b SELECT i, i FROM generate_series(1, 50) i;
            """
        try await EvolvingDatabase.with(setUp) { database in
            let spec = EvolvingDatabase.spec(
                ["a", "b"].map { table in
                    .alterColumn(
                        AlterColumn(
                            table: table, column: "x", to: NewColumn(name: "y", type: "bigint"), forward: "x::bigint",
                            backward: "y::int"))
                })
            let walker = Walker(database: database, spec: spec)
            try await walker.walk(to: .expand)
            try await withConnection(database.url, name: "nightly") { nightly in
                try await nightly.execute("BEGIN; SELECT FROM b")
                async let walked: Void = walker.walk(to: .dualWrite)
                let trigger = try await eventually("the triggers of a are there", within: .seconds(20)) {
                    let name = try await database.sql(
                        "SELECT tgname FROM pg_trigger WHERE tgrelid = 'a'::regclass AND tgname LIKE '~sluice%insert'")
                    return name.isEmpty ? nil : name
                }
                try await database.sql("DROP TRIGGER \(trigger.quotedIdentifier) ON a")
                try await nightly.execute("COMMIT")
                try await walked
            }
            #expect(try await database.obstacle(spec, to: .backfill).hasPrefix("ProofBroken: "))
            try await walker.walk(to: .dualWrite)
            try await database.sql("UPDATE a SET x = 7 WHERE id = 1")
            try await walker.walk(to: .backfill)
            #expect(try await database.sql("SELECT y FROM a WHERE id = 1") == "7")
            // And back, and up again, from a record that begins anew.
            for phase in [Phase.initial, .backfill, .contract] { try await walker.walk(to: phase) }
        }
    }
}
