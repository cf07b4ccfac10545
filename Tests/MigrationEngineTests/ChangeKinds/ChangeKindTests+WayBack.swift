import MigrationEngine
import PostgreSQL
import SchemaChange
import TestSupport
import Testing

/// What is in the way back from Contract is named before anything is undone.
extension ChangeKindTests {
    @Test("what somebody makes on the new column after Contract keeps it from going, by name")
    func latecomersOnTheNewColumn() async throws {
        let setUp = """
            CREATE TABLE authors (id int PRIMARY KEY, mail text UNIQUE);
            CREATE TABLE posts (id int PRIMARY KEY, author int NOT NULL DEFAULT 1 CHECK (author > 0), role text);
            CREATE VIEW of_authors AS SELECT author FROM posts;
            CREATE INDEX posts_author ON posts (author);
            CREATE FUNCTION nothing() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NULL; END $$;
            INSERT INTO authors VALUES (1, 'a'), (2, 'b'); INSERT INTO posts VALUES (1, 1, 'x'), (2, 2, 'y');
            """
        try await EvolvingDatabase.with(setUp) { database in
            let before = try await database.structure()
            let spec = EvolvingDatabase.spec([
                .alterColumn(
                    AlterColumn(
                        table: "posts", column: "author", unique: true, references: References(table: "authors"),
                        forward: "author", backward: "author")),
                .renameColumn(RenameColumn(table: "posts", column: "role", to: "job")),
            ])
            try await database.walk(spec, to: .contract)
            for (make, name, drop) in [
                (
                    "CREATE INDEX late ON posts (lower(job))", "column job of public.posts, since Contract: index late",
                    "DROP INDEX late"
                ),
                ("CREATE INDEX late ON posts (author, id)", "index late", "DROP INDEX late"),
                (
                    "ALTER TABLE posts ADD CONSTRAINT late CHECK (author < 9)", "constraint late on table posts",
                    "ALTER TABLE posts DROP CONSTRAINT late"
                ),
                (
                    "ALTER TABLE posts ADD CONSTRAINT late FOREIGN KEY (author) REFERENCES authors",
                    "constraint late on table posts", "ALTER TABLE posts DROP CONSTRAINT late"
                ),
                ("CREATE VIEW late AS SELECT author FROM posts", "on view late", "DROP VIEW late"),
                (
                    "CREATE POLICY late ON posts USING (author > 1)", "policy late on table posts",
                    "DROP POLICY late ON posts"
                ),
                (
                    "CREATE TRIGGER late AFTER UPDATE OF author ON posts EXECUTE FUNCTION nothing()",
                    "trigger late on table posts", "DROP TRIGGER late ON posts"
                ),
                (
                    "ALTER TABLE posts ADD twice int GENERATED ALWAYS AS (author * 2) STORED",
                    "column twice of table posts",
                    "ALTER TABLE posts DROP twice"
                ),
            ] {
                try await database.sql(make)
                let obstacle = try await database.obstacle(spec, to: .backfill)
                #expect(obstacle.hasPrefix("Dependents: ") && obstacle.contains(name), "\(make): \(obstacle)")
                try await database.walk(spec, to: .contract)
                try await database.sql(drop)
            }
            try await database.walk(spec, to: .initial)
            #expect(try await database.structure() == before)
        }
    }

    @Test(
        "a sequence that stands beyond the old type is named, with what sets it back",
        arguments: [
            "serial", "int GENERATED ALWAYS AS IDENTITY",
        ])
    func sequenceBeyond(numbered: String) async throws {
        let setUp = """
            CREATE TABLE orders (id \(numbered) PRIMARY KEY, note text); INSERT INTO orders (note) VALUES ('a'), ('b');
            """
        try await EvolvingDatabase.with(setUp) { database in
            let before = try await database.structure()
            let spec = EvolvingDatabase.spec([
                .alterColumn(AlterColumn(table: "orders", column: "id", type: "bigint"))
            ])
            try await database.walk(spec, to: .contract)
            try await database.sql(
                "SELECT setval('orders_id_seq', 2147483647); INSERT INTO orders (note) VALUES ('large')")
            let both = try await database.obstacle(spec, to: .initial)
            #expect(
                both.hasPrefix("CannotUndo: ") && both.contains("keys (2147483648)") && both.contains("at (2147483648)")
            )
            try await database.sql("DELETE FROM orders WHERE note = 'large'")
            let sequence = try await database.obstacle(spec, to: .initial)
            #expect(
                !sequence.contains("keys") && sequence.contains("sequence public.orders_id_seq stands beyond integer"))
            // As it says.
            let remedy = try #require(sequence.firstMatch(of: #/SELECT setval\(.*?\)\)/#)).output
            try await database.sql(String(remedy))
            try await database.walk(spec, to: .initial)
            #expect(try await database.structure() == before)
            #expect(
                try await database.sql("INSERT INTO orders (note) VALUES ('c'); SELECT * FROM orders ORDER BY id")
                    == "1|a\n2|b\n3|c")
        }
    }

    @Test(
        "what is too long for a type is never cut: it is named, or refused, or has no old value once the old version is gone"
    )
    func tooLong() async throws {
        let setUp = """
            CREATE TABLE names (id int PRIMARY KEY, short varchar(4), long text);
            INSERT INTO names VALUES (1, 'abcd', 'abc'), (2, 'x', 'abcdefgh');
            """
        try await EvolvingDatabase.with(setUp) { database in
            let before = try await database.structure()
            let shorter = EvolvingDatabase.spec([
                .alterColumn(AlterColumn(table: "names", column: "long", type: "varchar(4)"))
            ])
            let failed = try await database.obstacle(shorter, to: .backfill)
            #expect(
                failed.hasPrefix("RowFailed: ") && failed.contains("(id) = (2)") && failed.contains("22001"),
                "\(failed)")
            try await database.walk(shorter, to: .initial)

            let longer = EvolvingDatabase.spec([
                .alterColumn(AlterColumn(table: "names", column: "short", type: "text"))
            ])
            try await database.walk(longer, to: .backfill)
            let interim = try await database.sql(
                "SELECT attname FROM pg_attribute WHERE attrelid = 'names'::regclass AND attname LIKE 'sluice_new%'")
            #expect(try await database.refusal(of: "UPDATE names SET \(interim) = 'abcde'").contains("22001"))
            try await database.walk(longer, to: .contract)
            try await database.sql(
                "UPDATE names SET short = 'abcde' WHERE id = 1; UPDATE names SET short = 'wxyz' WHERE id = 2")
            let obstacle = try await database.obstacle(longer, to: .backfill)
            #expect(obstacle.hasPrefix("CannotUndo: ") && obstacle.contains("keys (1)"), "\(obstacle)")
            try await database.sql("UPDATE names SET short = 'abc' WHERE id = 1")
            try await database.walk(longer, to: .initial)
            #expect(try await database.structure() == before)
            #expect(try await database.sql("SELECT short FROM names ORDER BY id") == "abc\nwxyz")
        }
    }

    @Test("a new value that has no old one is accepted once the old column is in the archive, and is in the way back")
    func noOldValue() async throws {
        let setUp = """
            CREATE TABLE meters (
                id int PRIMARY KEY, reading int NOT NULL DEFAULT 0, previous int, first text NOT NULL, label text NOT NULL);
            INSERT INTO meters VALUES (1, 5, 4, 'a', 'A'), (2, 6, NULL, 'b', 'B');
            """
        try await EvolvingDatabase.with(setUp) { database in
            let before = try await database.structure()
            func bigint(_ column: String) -> Change {
                .alterColumn(
                    AlterColumn(
                        table: "meters", column: column, default: column == "reading" ? "0" : nil, type: "bigint"))
            }
            let spec = EvolvingDatabase.spec([
                bigint("reading"), bigint("previous"),
                .replaceColumns(
                    ReplaceColumns(
                        table: "meters", from: ["first"], to: [NewColumn(name: "name", type: "text")],
                        forward: ["name": "upper(first)"], backward: ["first": "nullif(lower(name), 'none')"])),
                .renameColumn(RenameColumn(table: "meters", column: "id", to: "number")),
            ])
            // As long as the old version lives it would read NULL, or nothing at all.
            try await database.walk(spec, to: .backfill)
            for column in ["reading", "previous"] {
                let interim = try await database.sql(
                    """
                    SELECT attname FROM pg_attribute WHERE attrelid = 'meters'::regclass AND atttypid = 'bigint'::regtype
                    AND attname LIKE 'sluice_new%' ORDER BY attnum \(column == "reading" ? "" : "DESC") LIMIT 1
                    """)
                let refusal = try await database.refusal(of: "UPDATE meters SET \(interim) = 3000000000")
                #expect(refusal.contains("22003"), "\(column)")
            }
            #expect(try await database.refusal(of: "UPDATE meters SET name = 'NONE'").contains("23502"))
            try await database.walk(spec, to: .contract)
            try await database.sql(
                """
                INSERT INTO meters (number, reading, previous, name, label) VALUES (3, 3000000000, 1, 'C', 'C');
                UPDATE meters SET previous = 3000000001 WHERE number = 1; UPDATE meters SET name = 'NONE' WHERE number = 2
                """)
            let obstacle = try await database.obstacle(spec, to: .backfill)
            #expect(obstacle.hasPrefix("CannotUndo: "))
            for text in [
                "the old reading: delete them or give them another reading, or stay at Contract: keys (3)",
                "the old previous: delete them or give them another previous, or stay at Contract: keys (1)",
                "the old first: delete them or give them another name, or stay at Contract: keys (2)",
            ] { #expect(obstacle.contains(text), "\(obstacle)") }
            try await database.sql(
                """
                DELETE FROM meters WHERE number = 3; UPDATE meters SET previous = 7 WHERE number = 1;
                UPDATE meters SET name = 'B' WHERE number = 2
                """)
            for target in [Phase.backfill, .contract, .initial] { try await database.walk(spec, to: target) }
            #expect(try await database.structure() == before)
            #expect(try await database.sql("SELECT * FROM meters ORDER BY id") == "1|5|7|a|A\n2|6||b|B")
        }
    }

    @Test("a column that went to another table and was NOT NULL has its values looked for before anything is undone")
    func movedWithoutValue() async throws {
        try await EvolvingDatabase.with(Self.peopleAndAddresses) { database in
            let before = try await database.structure()
            let spec = EvolvingDatabase.spec([
                Self.moveAddress, .renameColumn(RenameColumn(table: "people", column: "name", to: "called")),
            ])
            try await database.walk(spec, to: .contract)
            try await database.sql("INSERT INTO people (id, called) VALUES (7, 'Gil')")
            let obstacle = try await database.obstacle(spec, to: .initial)
            #expect(obstacle.hasPrefix("CannotUndo: rows of public.people have no value for city"), "\(obstacle)")
            #expect(
                obstacle.contains("give them one in town of public.addresses, or") && obstacle.hasSuffix("keys (7)"))
            // All of it is as it was.
            #expect(try await database.sql("SELECT town FROM addresses WHERE person = 1") == "Ulm")
            try await database.sql("UPDATE people SET called = 'Gus' WHERE id = 7; INSERT INTO people (id) VALUES (8)")
            try await database.walk(spec, to: .contract)
            try await database.sql(
                "INSERT INTO addresses (person, town) VALUES (7, 'Kiel'); DELETE FROM people WHERE id = 8")
            try await database.walk(spec, to: .initial)
            #expect(try await database.structure() == before)
            #expect(try await database.sql("SELECT name, city FROM people WHERE id = 7") == "Gus|Kiel")
        }
    }

    @Test("a NULL that comes after that look is named before a constraint refuses it", .timeLimit(.minutes(1)))
    func nullAfterTheLook() async throws {
        try await EvolvingDatabase.with(Self.people) { database in
            let spec = EvolvingDatabase.spec([.dropColumn(DropColumn(table: "people", column: "full_name"))])
            try await database.walk(spec, to: .contract)
            try await withConnection(database.url, name: "late") { late in
                try await late.execute("BEGIN; INSERT INTO people (id) VALUES (9)")
                let told = Told()
                async let report = database.run(spec, to: .initial, telling: told)
                try await eventually("it waits for the table", within: .seconds(20)) {
                    told.text.contains("is locked by")
                }
                try await late.execute("COMMIT")
                guard case .stalled(let reason, let message) = try await report.activity else {
                    throw TestFailure("it was to be stalled")
                }
                #expect(
                    reason == "CannotUndo"
                        && message.hasSuffix(
                            "give them one, or delete them, or go back no further "
                                + "than Expand: keys (9)"),
                    "\(message)")
            }
            try await database.sql("UPDATE people SET id = 10 WHERE id = 9; INSERT INTO people (id) VALUES (11)")
            try await database.sql("UPDATE people SET full_name = 'Mary' WHERE id > 9")
            try await database.walk(spec, to: .initial)
            #expect(try await database.sql("SELECT full_name FROM people WHERE id > 9") == "Mary\nMary")
        }
    }
}
