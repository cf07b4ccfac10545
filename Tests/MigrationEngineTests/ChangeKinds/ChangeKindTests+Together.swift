import Foundation
import MigrationEngine
import SchemaChange
import TestSupport
import Testing

extension ChangeKindTests {
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
}
