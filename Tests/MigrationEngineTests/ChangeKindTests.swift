import Foundation
import MigrationEngine
import SchemaChange
import TestSupport
import Testing

/// Each kind of change goes forwards to Contract and back to Initial on a real server, with both versions writing.
@Suite("kinds of change")
struct ChangeKindTests {
    private static func add(
        _ column: NewColumn,
        to table: String = "items",
        default value: String? = nil,
        forward: String? = nil
    ) -> Change {
        .addColumn(AddColumn(table: table, column: column, default: value, forward: forward))
    }

    private static func alter(
        _ column: String,
        of table: String = "items",
        nullable: Bool? = nil,
        default value: String? = nil,
        dropDefault: Bool? = nil
    ) -> Change {
        .alterColumn(
            AlterColumn(table: table, column: column, nullable: nullable, default: value, dropDefault: dropDefault)
        )
    }

    /// Makes the stops, then goes back to Initial: the tables are as they were, and what `left` asks answers its text.
    private func roundTrip(_ setUp: String, _ changes: [Change], _ stops: [Stop], left: (String, String)) async throws {
        try await EvolvingDatabase.with(setUp) { database in
            let before = try await database.structure()
            let spec = EvolvingDatabase.spec(changes)
            for (index, stop) in stops.enumerated() {
                try await database.walk(spec, to: stop.phase)
                let answer = try await database.sql(stop.script)
                #expect(answer == stop.answer, "stop \(index + 1), \(stop.phase.rawValue)")
            }
            try await database.walk(spec, to: .initial)
            #expect(try await database.structure() == before)
            #expect(try await database.traces() == "")
            #expect(try await database.sql(left.0) == left.1)
        }
    }

    private static let items = """
        CREATE TABLE items (id int PRIMARY KEY, a text, price numeric NOT NULL DEFAULT 0);
        INSERT INTO items VALUES (1, 'x', 1), (2, 'y', 2);
        """

    // MARK: addColumn

    @Test("a column is added, and dropped again")
    func plainColumn() async throws {
        let rows = "SELECT id, a, note FROM items ORDER BY id"
        try await roundTrip(
            Self.items,
            [Self.add(NewColumn(name: "note", type: "varchar(10)"))],
            [
                Stop(
                    .expand,
                    "UPDATE items SET note = 'n' WHERE id = 1; INSERT INTO items VALUES (3, 'z'); \(rows)",
                    "1|x|n\n2|y|\n3|z|"
                ),
                Stop(.dualWrite, rows, "1|x|n\n2|y|\n3|z|"),
                Stop(.backfill, rows, "1|x|n\n2|y|\n3|z|"),
                Stop(.contract, rows, "1|x|n\n2|y|\n3|z|"),
                Stop(.backfill, rows, "1|x|n\n2|y|\n3|z|"),
            ],
            left: ("SELECT * FROM items ORDER BY id", "1|x|1\n2|y|2\n3|z|0")
        )
    }

    @Test("a column with a default is there in every row, and NOT NULL if it is to be")
    func columnWithDefault() async throws {
        let nullable = "SELECT is_nullable FROM information_schema.columns WHERE column_name"
        try await roundTrip(
            Self.items,
            [
                Self.add(NewColumn(name: "quantity", type: "int"), default: "2 + 3"),
                Self.add(NewColumn(name: "since", type: "timestamptz", nullable: false), default: "now()"),
            ],
            [
                Stop(
                    .expand, "SELECT DISTINCT quantity FROM items; \(nullable) = 'quantity'; \(nullable) = 'since'",
                    "5\nYES\nNO"),
                Stop(.contract, "SELECT count(*) FROM items WHERE since <= now()", "2"),
                Stop(.backfill, "INSERT INTO items VALUES (3); SELECT quantity FROM items WHERE id = 3", "5"),
            ],
            left: ("SELECT * FROM items ORDER BY id", "1|x|1\n2|y|2\n3||0")
        )
    }

    @Test(
        "a volatile default is refused, since it would rewrite the table", arguments: ["random()", "clock_timestamp()"])
    func volatileDefault(expression: String) async throws {
        try await EvolvingDatabase.with(Self.items) { database in
            let spec = EvolvingDatabase.spec([
                Self.add(NewColumn(name: "c", type: "text"), default: expression + "::text")
            ])
            let obstacle = try await database.obstacle(spec, to: .backfill)
            #expect(obstacle.hasPrefix("InvalidExpression: changes[0].addColumn.default"))
            #expect(obstacle.contains("volatile"))
        }
    }

    @Test("a column with forward follows its row until somebody writes it")
    func columnWithForward() async throws {
        let rows = "SELECT id, gross FROM items ORDER BY id"
        try await roundTrip(
            Self.items,
            [
                Self.add(
                    NewColumn(name: "gross", type: "numeric(10,2)", nullable: false),
                    default: "0",
                    forward: "round(price * 1.19, 2)"
                )
            ],
            [
                Stop(.expand, rows, "1|\n2|"),
                Stop(
                    .dualWrite,
                    """
                    UPDATE items SET price = 200 WHERE id = 1;
                    INSERT INTO items (id, price) VALUES (3, 100);
                    INSERT INTO items (id, price, gross) VALUES (4, 10, 99);
                    UPDATE items SET price = 20 WHERE id = 4; \(rows)
                    """,
                    "1|238.00\n2|\n3|119.00\n4|99.00"
                ),
                Stop(.backfill, rows, "1|238.00\n2|2.38\n3|119.00\n4|99.00"),
                Stop(
                    .contract,
                    """
                    INSERT INTO items (id, price) VALUES (5, 1); UPDATE items SET price = 300 WHERE id = 1;
                    UPDATE items SET gross = 7 WHERE id = 2; \(rows)
                    """,
                    "1|238.00\n2|7.00\n3|119.00\n4|99.00\n5|0.00"
                ),
                Stop(
                    .backfill,
                    "UPDATE items SET price = 200 WHERE id IN (1, 2, 3); \(rows)",
                    "1|238.00\n2|7.00\n3|238.00\n4|99.00\n5|0.00"
                ),
            ],
            left: ("SELECT id, price FROM items ORDER BY id", "1|200\n2|200\n3|200\n4|20\n5|1")
        )
    }

    // MARK: alterColumn

    @Test("a column that may be NULL from Expand on is NOT NULL again at Initial, once no row breaks it")
    func nullable() async throws {
        try await EvolvingDatabase.with(Self.items) { database in
            let before = try await database.structure()
            let spec = EvolvingDatabase.spec([Self.alter("price", nullable: true)])
            try await database.walk(spec, to: .expand)
            try await database.sql("UPDATE items SET price = NULL WHERE id = 1")
            try await database.walk(spec, to: .contract)
            let obstacle = try await database.obstacle(spec, to: .initial)
            #expect(obstacle.hasPrefix("StatementFailed: "))
            #expect(obstacle.contains("price of public.items holds no NULL") && obstacle.contains("23514"))
            // Forwards again, the constraint that was half restored is gone.
            try await database.walk(spec, to: .backfill)
            try await database.sql("UPDATE items SET price = NULL WHERE id = 2")
            _ = try await database.obstacle(spec, to: .initial)
            try await database.sql("UPDATE items SET price = 0 WHERE price IS NULL")
            try await database.walk(spec, to: .initial)
            #expect(try await database.structure() == before)
            #expect(try await database.traces() == "")
        }
    }

    @Test("a column becomes NOT NULL at Contract, after every NULL in it was named")
    func notNull() async throws {
        try await EvolvingDatabase.with(Self.items + "UPDATE items SET a = NULL WHERE id = 2;") { database in
            let before = try await database.structure()
            let spec = EvolvingDatabase.spec([Self.alter("a", nullable: false)])
            let obstacle = try await database.obstacle(spec, to: .backfill)
            #expect(obstacle.hasPrefix("DataNotReady: a of public.items is NULL") && obstacle.contains("(2)"))
            try await database.sql("UPDATE items SET a = 'mended' WHERE a IS NULL")
            try await database.walk(spec, to: .backfill)
            // The old version may write NULL until it is gone, and then Contract is refused.
            try await database.sql("INSERT INTO items VALUES (3, NULL)")
            #expect(try await database.obstacle(spec, to: .contract).hasPrefix("StatementFailed: "))
            try await database.sql("DELETE FROM items WHERE a IS NULL")
            try await database.walk(spec, to: .contract)
            #expect(try await database.refusal(of: "INSERT INTO items VALUES (5, NULL)").contains("23502"))
            try await database.walk(spec, to: .backfill)
            try await database.sql("INSERT INTO items VALUES (5, NULL)")
            try await database.walk(spec, to: .initial)
            #expect(try await database.structure() == before)
            #expect(try await database.traces() == "")
        }
    }

    @Test("defaults are set and dropped at Expand, and restored")
    func defaults() async throws {
        try await roundTrip(
            Self.items,
            [Self.alter("a", default: "upper('d')"), Self.alter("price", nullable: true, dropDefault: true)],
            [
                Stop(.expand, "INSERT INTO items (id) VALUES (3); SELECT * FROM items WHERE id = 3", "3|D|"),
                Stop(.contract, "UPDATE items SET price = 3 WHERE id = 3; SELECT * FROM items WHERE id = 3", "3|D|3"),
            ],
            left: ("INSERT INTO items (id) VALUES (4); SELECT * FROM items ORDER BY id", "1|x|1\n2|y|2\n3|D|3\n4||0")
        )
    }

    @Test("a new type gets a new column, and both versions write")
    func newType() async throws {
        let rows = "SELECT id, balance, cents FROM accounts ORDER BY id"
        try await roundTrip(
            """
            CREATE TABLE accounts (id bigint PRIMARY KEY, balance integer NOT NULL DEFAULT 0);
            INSERT INTO accounts SELECT i, i FROM generate_series(1, 4) i;
            """,
            [
                .alterColumn(
                    AlterColumn(
                        table: "accounts",
                        column: "balance",
                        to: NewColumn(name: "cents", type: "bigint", nullable: false),
                        forward: "balance::bigint * 100",
                        backward: "(cents / 100)::integer"
                    )
                )
            ],
            [
                Stop(.expand, rows, "1|1|\n2|2|\n3|3|\n4|4|"),
                Stop(
                    .dualWrite,
                    """
                    UPDATE accounts SET balance = 10 WHERE id = 1; UPDATE accounts SET cents = 2050 WHERE id = 2;
                    INSERT INTO accounts VALUES (5, 5); INSERT INTO accounts (id, cents) VALUES (6, 650); \(rows)
                    """,
                    "1|10|1000\n2|20|2050\n3|3|\n4|4|\n5|5|500\n6|6|650"
                ),
                Stop(
                    .backfill,
                    "UPDATE accounts SET balance = balance + 1 WHERE id = 2; \(rows)",
                    "1|10|1000\n2|21|2100\n3|3|300\n4|4|400\n5|5|500\n6|6|650"
                ),
                Stop(
                    .contract,
                    """
                    UPDATE accounts SET cents = cents + 1 WHERE id = 3; INSERT INTO accounts (id, cents) VALUES (7, 777);
                    SELECT id, cents FROM accounts ORDER BY id
                    """,
                    "1|1000\n2|2100\n3|301\n4|400\n5|500\n6|650\n7|777"
                ),
                Stop(.backfill, rows, "1|10|1000\n2|21|2100\n3|3|301\n4|4|400\n5|5|500\n6|6|650\n7|7|777"),
                Stop(
                    .dualWrite,
                    "UPDATE accounts SET cents = 999 WHERE id = 4; SELECT balance FROM accounts WHERE id = 4", "9"),
            ],
            left: ("SELECT * FROM accounts ORDER BY id", "1|10\n2|21\n3|3\n4|9\n5|5\n6|6\n7|7")
        )
    }

    // MARK: replaceColumns

    private static let split = Change.replaceColumns(
        ReplaceColumns(
            table: "people",
            from: ["full_name"],
            to: [NewColumn(name: "first", type: "text"), NewColumn(name: "last", type: "text")],
            forward: [
                "first": "split_part(full_name, ' ', 1)",
                "last": "substr(full_name, strpos(full_name || ' ', ' ') + 1)",
            ],
            backward: ["full_name": "CASE WHEN last = '' THEN first ELSE first || ' ' || last END"]
        )
    )
    private static let people = """
        CREATE TABLE people (id int PRIMARY KEY, full_name text NOT NULL);
        INSERT INTO people VALUES (1, 'Ada Lovelace'), (2, 'Cher'), (3, 'Alan Turing'), (4, 'Grace Hopper');
        """

    @Test("one column is split into two, and what the new version wrote survives Contract and the way back")
    func split() async throws {
        let rows = "SELECT * FROM (SELECT id, full_name, first, last FROM people) p ORDER BY id"
        try await roundTrip(
            Self.people,
            [Self.split],
            [
                Stop(
                    .dualWrite,
                    "UPDATE people SET last = 'Byron' WHERE id = 1; UPDATE people SET full_name = 'Al T' WHERE id = 3; \(rows)",
                    "1|Ada Byron|Ada|Byron\n2|Cher||\n3|Al T|Al|T\n4|Grace Hopper||"
                ),
                Stop(
                    .backfill,
                    rows,
                    "1|Ada Byron|Ada|Byron\n2|Cher|Cher|\n3|Al T|Al|T\n4|Grace Hopper|Grace|Hopper"
                ),
                Stop(
                    .contract,
                    """
                    UPDATE people SET last = 'Bono' WHERE id = 2; INSERT INTO people (id, first, last) VALUES (5, 'Joan', 'Clarke');
                    SELECT id, first, last FROM people ORDER BY id
                    """,
                    "1|Ada|Byron\n2|Cher|Bono\n3|Al|T\n4|Grace|Hopper\n5|Joan|Clarke"
                ),
                Stop(
                    .backfill,
                    "UPDATE people SET full_name = 'Grace H' WHERE id = 4; \(rows)",
                    "1|Ada Byron|Ada|Byron\n2|Cher Bono|Cher|Bono\n3|Al T|Al|T\n4|Grace H|Grace|H\n5|Joan Clarke|Joan|Clarke"
                ),
            ],
            left: (
                "SELECT * FROM people ORDER BY id", "1|Ada Byron\n2|Cher Bono\n3|Al T\n4|Grace H\n5|Joan Clarke"
            )
        )
    }

    @Test("two columns are merged into one")
    func merge() async throws {
        try await roundTrip(
            """
            CREATE TABLE places (id uuid PRIMARY KEY, street text, city text NOT NULL DEFAULT 'Bonn');
            INSERT INTO places VALUES ('00000000-0000-0000-0000-000000000001', 'Ring 1', 'Ulm'),
                ('00000000-0000-0000-0000-000000000002', NULL, 'Aue');
            """,
            [
                .replaceColumns(
                    ReplaceColumns(
                        table: "places",
                        from: ["street", "city"],
                        to: [NewColumn(name: "address", type: "text")],
                        forward: ["address": "coalesce(street, '') || ', ' || city"],
                        backward: [
                            "street": "nullif(split_part(address, ', ', 1), '')",
                            "city": "split_part(address, ', ', 2)",
                        ]
                    )
                )
            ],
            [
                Stop(
                    .dualWrite,
                    "UPDATE places SET city = 'Köln' WHERE street IS NULL; SELECT street, city, address FROM places ORDER BY id",
                    "Ring 1|Ulm|\n|Köln|, Köln"
                ),
                Stop(
                    .backfill,
                    """
                    UPDATE places SET address = 'Weg 2, Hof' WHERE city = 'Ulm';
                    SELECT street, city, address FROM places ORDER BY id
                    """,
                    "Weg 2|Hof|Weg 2, Hof\n|Köln|, Köln"
                ),
                Stop(
                    .contract, "UPDATE places SET address = 'Tor 3, Hof'; SELECT DISTINCT address FROM places",
                    "Tor 3, Hof"),
            ],
            left: ("SELECT street, city FROM places", "Tor 3|Hof\nTor 3|Hof")
        )
    }

    // MARK: dropColumn

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
            #expect(obstacle.contains("full_name of public.people holds no NULL"))
            #expect(try await database.engine.observe(MigrationName(namespace: "shop", name: "a"))?.phase == .expand)
            try await database.sql("UPDATE people SET full_name = 'Mary' WHERE id = 9")
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

    // MARK: sql

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

    // MARK: Together

    @Test("several changes of one table go together, one after the other into Contract")
    func together() async throws {
        let rows = "SELECT id, full_name, first, last, since, length FROM people ORDER BY id LIMIT 2"
        try await roundTrip(
            Self.people + "ALTER TABLE people ADD age int, ADD born int DEFAULT 1900;",
            [
                Self.split,
                .alterColumn(
                    AlterColumn(
                        table: "people",
                        column: "born",
                        to: NewColumn(name: "since", type: "date"),
                        forward: "make_date(born, 1, 1)",
                        backward: "extract(year FROM since)::int"
                    )
                ),
                Self.add(NewColumn(name: "length", type: "int"), to: "people", default: "1", forward: "age + 1"),
                Self.alter("age", of: "people", default: "30"),
            ],
            [
                Stop(.backfill, rows, "1|Ada Lovelace|Ada|Lovelace|1900-01-01|\n2|Cher|Cher||1900-01-01|"),
                Stop(
                    .contract,
                    """
                    UPDATE people SET since = '1815-12-10', last = 'King' WHERE id = 1;
                    INSERT INTO people (id, first, last) VALUES (0, 'A', 'B');
                    SELECT id, first, last, since, age, length FROM people ORDER BY id LIMIT 2
                    """,
                    "0|A|B||30|1\n1|Ada|King|1815-12-10||"
                ),
                Stop(.backfill, rows, "0|A B|A|B||1\n1|Ada King|Ada|King|1815-12-10|"),
            ],
            left: ("SELECT * FROM people ORDER BY id LIMIT 3", "0|A B|30|\n1|Ada King||1815\n2|Cher||1900")
        )
    }

    @Test("one migration changes two tables")
    func twoTables() async throws {
        try await roundTrip(
            Self.people + Self.items,
            [Self.split, Self.add(NewColumn(name: "upper", type: "text"), forward: "upper(a)")],
            [
                Stop(
                    .backfill, "SELECT last FROM people WHERE id = 1; SELECT upper FROM items ORDER BY id",
                    "Lovelace\nX\nY"),
                Stop(.contract, "SELECT last FROM people WHERE id = 1", "Lovelace"),
            ],
            left: ("SELECT count(*) FROM people; SELECT count(*) FROM items", "4\n2")
        )
    }

    @Test("capitals, reserved words, quotes, spaces and Unicode are names like any other")
    func names() async throws {
        try await roundTrip(
            #"""
            CREATE TABLE "Order" (
                "Größe" int, "group" text, "naïve Größe" text, "select" int NOT NULL, "it's ""odd""" text,
                PRIMARY KEY ("Größe", "group"));
            INSERT INTO "Order" VALUES (1, 'b', 'lang', 1, 'q'), (1, 'a', 'kurz', 2, NULL);
            """#,
            [
                .replaceColumns(
                    ReplaceColumns(
                        table: "Order",
                        from: ["naïve Größe", "select"],
                        to: [
                            NewColumn(name: "from", type: "text", nullable: false),
                            NewColumn(name: "Ünïcode \"x\"", type: "text"),
                        ],
                        forward: [
                            "from": #""naïve Größe" || ':' || "select"::text"#,
                            "Ünïcode \"x\"": #"upper("it's ""odd""")"#,
                        ],
                        backward: [
                            "naïve Größe": #"split_part("from", ':', 1)"#,
                            "select": #"split_part("from", ':', 2)::int"#,
                        ]
                    )
                )
            ],
            [
                Stop(
                    .dualWrite,
                    #"UPDATE "Order" SET "select" = 7 WHERE "group" = 'a'; SELECT "from" FROM "Order" ORDER BY "group""#,
                    "kurz:7\n"
                ),
                Stop(
                    .backfill,
                    #"SELECT "Größe", "group", "from", "Ünïcode ""x""" FROM "Order" ORDER BY "group""#,
                    "1|a|kurz:7|\n1|b|lang:1|Q"
                ),
                Stop(
                    .contract,
                    #"UPDATE "Order" SET "from" = 'neu:9' WHERE "group" = 'b'; SELECT "from" FROM "Order" ORDER BY "group""#,
                    "kurz:7\nneu:9"
                ),
            ],
            left: (#"SELECT "naïve Größe", "select" FROM "Order" ORDER BY "group""#, "kurz|7\nneu|9")
        )
    }

    // MARK: The end of the way back

    @Test("once keepFor is over the archive is gone, and with it the way back")
    func purge() async throws {
        try await EvolvingDatabase.with(Self.people + Self.items) { database in
            let spec = EvolvingDatabase.spec(
                [Self.split, .dropColumn(DropColumn(table: "items", column: "a", backward: "'?'"))],
                keepFor: .zero
            )
            try await database.walk(spec, to: .contract)
            #expect(try await database.traces() != "")
            try await database.walk(spec, to: .contract)
            #expect(try await database.traces() == "")
            #expect(try await database.sql("SELECT * FROM people WHERE id = 1") == "1|Ada|Lovelace")
            #expect(try await database.sql("SELECT * FROM items WHERE id = 1") == "1|1")
            for target in [Phase.backfill, .initial] {
                #expect(try await database.obstacle(spec, to: target).hasPrefix("NotReversible: "))
            }
            try await database.walk(spec, to: .contract)
        }
    }
}
