import PostgreSQL
import TestSupport
import Testing

/// What `sluice verify --repair-sql` writes, run by psql.
@Suite("The SQL that repairs rows")
struct RepairTests {
    private static let split = """
        - replaceColumns:
            table: people
            from: [name]
            to: [{name: first, type: text}, {name: last, type: text}]
            forward: {first: "split_part(name, ' ', 1)", last: "split_part(name, ' ', 2)"}
            backward: {name: "first || ' ' || last"}
        """
    /// Whose side rows 1 and 2 are on, version 1's, and row 3, version 2's, is not what they have.
    private static let damage = """
        DO $$ DECLARE t name; BEGIN
            ALTER TABLE people DISABLE TRIGGER ALL;
            UPDATE people SET first = 'wrong' WHERE id < 3;
            UPDATE people SET name = 'wrong' WHERE id = 3;
            FOR t IN SELECT tgname FROM pg_trigger WHERE tgrelid = 'people'::regclass AND tgname LIKE '%sluice%' LOOP
                EXECUTE format('ALTER TABLE people ENABLE ALWAYS TRIGGER %I', t);
            END LOOP;
        END $$
        """
    private static let rows = "SELECT string_agg(concat_ws('/', id, name, first, last), ', ' ORDER BY id) FROM people"

    private func damaged(_ body: (EvolvedDatabase) async throws -> Void) async throws {
        try await withTestDatabase { url in
            let database = EvolvedDatabase(url, name: "people", changes: Self.split)
            try await database.sql(
                """
                CREATE TABLE people (id bigint PRIMARY KEY, name text NOT NULL);
                INSERT INTO people VALUES (1, 'x y'), (2, 'a b c'), (3, 'p q'), (4, 'v w')
                """)
            try await database.reach("Backfill")
            try await database.sql("UPDATE people SET last = 'Q' WHERE id = 3")
            try await database.sql(Self.damage)
            try await body(database)
        }
    }

    private func repair(_ database: EvolvedDatabase) async throws -> String {
        let output = try await runSluice(
            "verify", "-f", "-", "--repair-sql", environment: ["SLUICE_DATABASE_URL": database.url],
            input: database.manifest)
        #expect(output.status == 0, "\(output.standardError)")
        return output.standardOutput
    }

    @Test("lists no row that nobody has filled yet, and fills none")
    func unfilled() async throws {
        try await withTestDatabase { url in
            let database = EvolvedDatabase(url, name: "people", changes: Self.split)
            try await database.sql(
                "CREATE TABLE people (id bigint PRIMARY KEY, name text NOT NULL); INSERT INTO people VALUES (1, 'x y')")
            try await database.reach("DualWrite")
            let listed = try await database.sql(try await repair(database))
            #expect(!listed.contains("|"), "\(listed)")
            #expect(try await database.sql("SELECT first IS NULL FROM people") == "t")
        }
    }

    @Test("lists the rows, and mends those of version 1 that lose nothing by it, and no other")
    func mends() async throws {
        try await damaged { database in
            #expect(try await database.verify().standardOutput.contains("mismatches: 3"))
            let before = try await database.sql(Self.rows)
            let sql = try await repair(database)
            #expect(try await database.sql(Self.rows) == before)

            let listed = try await database.sql(sql).split(separator: "\n").filter { $0.contains("|") }
            #expect(
                listed.sorted() == ["1|o|x y|wrong|y", "2|o|a b c|wrong|b", "3|n|wrong|p|Q"], "\(listed)")
            #expect(
                try await database.sql(Self.rows) == "1/x y/x/y, 2/a b c/wrong/b, 3/wrong/p/Q, 4/v w/v/w")
            // By hand, as the list says what they are.
            try await database.sql(
                """
                UPDATE people SET first = 'a', last = 'b c' WHERE id = 2;
                UPDATE people SET first = 'p', last = 'Q' WHERE id = 3
                """)
            try await database.reach("DualWrite")
            #expect(try await database.reach("Backfill").contains("mismatches: 0"))
        }
    }

    @Test("looks again at a row that somebody wrote while it waited for it")
    func raced() async throws {
        try await damaged { database in
            let sql = try await repair(database)
            try await withConnection(database.url) { application in
                try await application.query("BEGIN")
                try await application.query("UPDATE people SET name = 'new name' WHERE id = 1")
                async let repaired = database.sql(sql)
                try await eventually("the repair waits", within: .seconds(20)) {
                    try await database.sql(
                        """
                        SELECT count(*) FROM pg_stat_activity
                        WHERE datname = current_database() AND wait_event_type = 'Lock' AND query LIKE '%UPDATE%people%'
                        """) == "1"
                }
                try await application.query("COMMIT")
                _ = try await repaired
            }
            #expect(try await database.sql("SELECT name, first, last FROM people WHERE id = 1") == "new name|new|name")
        }
    }

    @Test("is not written before the dual write, nor from Contract on")
    func refused() async throws {
        try await withTestDatabase { url in
            let database = EvolvedDatabase(
                url, name: "people", fields: "contract: {withoutRollouts: true, soak: 0s}", changes: Self.split)
            try await database.sql("CREATE TABLE people (id bigint PRIMARY KEY, name text NOT NULL)")
            for phase in ["Expand", "Contract"] {
                try await database.reach(phase)
                let output = try await runSluice(
                    "verify", "-f", "-", "--repair-sql", environment: ["SLUICE_DATABASE_URL": url],
                    input: database.manifest)
                #expect(
                    output.status == 1 && output.standardError.contains("before DualWrite, or at Contract"),
                    "\(output)")
            }
        }
    }
}
