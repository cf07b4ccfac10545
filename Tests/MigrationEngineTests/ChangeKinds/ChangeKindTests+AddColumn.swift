import Foundation
import MigrationEngine
import SchemaChange
import TestSupport
import Testing

extension ChangeKindTests {
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
}
