import Foundation
import MigrationEngine
import SchemaChange
import TestSupport
import Testing

extension ChangeKindTests {
    @Test("a column that may be NULL from Expand on is NOT NULL again at Initial, once no row breaks it")
    func nullable() async throws {
        try await EvolvingDatabase.with(Self.items) { database in
            let before = try await database.structure()
            let spec = EvolvingDatabase.spec([Self.alter("price", nullable: true)])
            try await database.walk(spec, to: .expand)
            try await database.sql("UPDATE items SET price = NULL WHERE id = 1")
            try await database.walk(spec, to: .contract)
            let obstacle = try await database.obstacle(spec, to: .initial)
            #expect(obstacle.hasPrefix("CannotUndo: ") && obstacle.hasSuffix("than Expand: keys (1)"), "\(obstacle)")
            // Nothing is undone, and nobody is refused a NULL.
            try await database.walk(spec, to: .contract)
            try await database.sql("UPDATE items SET price = NULL WHERE id = 2")
            _ = try await database.obstacle(spec, to: .initial)
            try await database.sql("UPDATE items SET price = 0 WHERE price IS NULL")
            let told = Told()
            #expect(try await database.run(spec, to: .initial, telling: told).activity == .reached)
            for title in ["no longer refusing NULL in", "validating that", "allowing NULL in"] {
                #expect(told.text.contains("\"undoing: \(title) price of public.items"), "\(told.text)")
            }
            #expect(!told.text.contains("undoing: undoing"))
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
            let late = try await database.obstacle(spec, to: .contract)
            #expect(late.hasPrefix("DataNotReady: ") && late.contains("keys (3)"))
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
}

extension ChangeKindTests {
    @Test("several things of a column change in place at once, and rows that break them are named before")
    func severalInPlace() async throws {
        let setUp =
            Self.items + "CREATE TABLE kinds (name text PRIMARY KEY); INSERT INTO kinds VALUES ('x'), ('y'), ('z');"
        try await EvolvingDatabase.with(setUp + "UPDATE items SET a = 'q' WHERE id = 2;") { database in
            let before = try await database.structure()
            let spec = EvolvingDatabase.spec([
                .alterColumn(
                    AlterColumn(
                        table: "items", column: "a", nullable: false, default: "'z'",
                        check: "length(a) < 3", unique: true, references: References(table: "kinds"),
                        constraintNames: ConstraintNames(check: "short", unique: "once", references: "kind"),
                        comment: "which kind"))
            ])
            let obstacle = try await database.obstacle(spec, to: .backfill)
            #expect(obstacle.hasPrefix("DataNotReady: rows break kind of public.items") && obstacle.contains("(2)"))
            try await database.sql("UPDATE items SET a = 'y' WHERE id = 2")
            try await database.walk(spec, to: .contract)
            for (statement, state) in [
                ("INSERT INTO items VALUES (3, NULL)", "23502"), ("INSERT INTO items VALUES (3, 'xyz')", "23514"),
                ("INSERT INTO items VALUES (3, 'x')", "23505"), ("INSERT INTO items VALUES (3, 'n')", "23503"),
            ] {
                let refusal = try await database.refusal(of: statement)
                #expect(refusal.contains(state), "\(statement)")
            }
            #expect(
                try await database.sql(
                    "INSERT INTO items (id) VALUES (3) RETURNING a; SELECT col_description('items'::regclass, 2)")
                    == "z\nwhich kind")
            try await database.walk(spec, to: .initial)
            #expect(try await database.structure() == before)
            #expect(try await database.traces() == "")
        }
    }
}
