import Foundation
import MigrationEngine
import PostgreSQL
import SchemaChange
import TestSupport
import Testing

extension ChangeKindTests {
    private static let indexes = "SELECT indexname FROM pg_indexes WHERE tablename IN ('items', 'Größe') ORDER BY 1"

    static func index(_ elements: [CreateIndex.Element], of table: String = "items", unique: Bool? = nil) -> Change {
        .createIndex(CreateIndex(table: table, columns: elements, unique: unique))
    }

    @Test("an index is built when the column is filled, and dropped again; whatever an index may have")
    func createIndex() async throws {
        try await roundTrip(
            "CREATE EXTENSION citext; CREATE TABLE \"Größe\" (id int PRIMARY KEY, \"order\" citext);" + Self.items,
            [
                Self.index([.init(column: "upper")]),
                Self.add(NewColumn(name: "upper", type: "text"), forward: "upper(a)"),
                .createIndex(
                    CreateIndex(
                        table: "Größe", name: "Größe \"x\"",
                        columns: [
                            .init(column: "order", order: .descending, nulls: .last, opclass: "citext_ops"),
                            .init(expression: "id % 7", collation: nil),
                            .init(expression: "\"order\"::text", opclass: "text_pattern_ops", collation: "C"),
                        ], unique: true, include: ["id"], where: "\"order\" <> 'x'", with: ["fillfactor": "70"])),
            ],
            [
                Stop(.dualWrite, Self.indexes, "Größe_pkey\nitems_pkey"),
                Stop(
                    .backfill,
                    "\(Self.indexes); SELECT indexdef FROM pg_indexes WHERE indexname = 'Größe \"x\"'",
                    #"""
                    Größe "x"\#nGröße_pkey\#nitems_pkey\#nitems_upper_idx
                    CREATE UNIQUE INDEX "Größe ""x""" ON public."Größe" USING btree ("order" DESC NULLS LAST, ((id % 7)), \#
                    (("order")::text) COLLATE "C" text_pattern_ops) INCLUDE (id) WITH (fillfactor='70') \#
                    WHERE ("order" <> 'x'::citext)
                    """#
                ),
                Stop(.dualWrite, Self.indexes, "Größe_pkey\nitems_pkey"),
                Stop(.contract, Self.indexes, "Größe \"x\"\nGröße_pkey\nitems_pkey\nitems_upper_idx"),
            ],
            left: (Self.indexes, "Größe_pkey\nitems_pkey")
        )
    }

    @Test("an index is dropped at Contract, and is as it was when it comes back")
    func dropIndex() async throws {
        try await roundTrip(
            Self.items + #"""
                CREATE UNIQUE INDEX "odd ""i""" ON items (price DESC, (upper(a))) INCLUDE (id) WHERE price > 0;
                COMMENT ON INDEX "odd ""i""" IS 'it''s ours'; ALTER INDEX "odd ""i""" ALTER COLUMN 2 SET STATISTICS 7;
                CREATE UNIQUE INDEX ident ON items (price); ALTER TABLE items REPLICA IDENTITY USING INDEX ident;
                ALTER TABLE items CLUSTER ON ident;
                """#,
            [
                .dropIndex(DropIndex(table: "items", name: "odd \"i\"")),
                .dropIndex(DropIndex(table: "items", name: "ident")),
            ],
            [
                Stop(.backfill, Self.indexes, "ident\nitems_pkey\nodd \"i\""),
                Stop(.contract, Self.indexes, "items_pkey"),
                Stop(.backfill, Self.indexes, "ident\nitems_pkey\nodd \"i\""),
            ],
            left: ("SELECT count(*) FROM pg_index WHERE NOT indisvalid", "0")
        )
    }

    @Test("an index comes back to the tablespace in which it was")
    func tablespace() async throws {
        try await EvolvingDatabase.with(Self.items) { database in
            // One belongs to the server, which other tests share.
            let name = uniqueName("where")
            let quoted = name.quotedIdentifier
            try await withConnection(database.url) { session in
                try await session.execute("SET allow_in_place_tablespaces = on")
                try await session.execute("CREATE TABLESPACE \(quoted) LOCATION ''")
            }
            try await database.sql(
                """
                CREATE INDEX lower ON items (lower(a)) TABLESPACE \(quoted) WHERE a <> ' where (';
                CREATE INDEX plain ON items (price) TABLESPACE \(quoted)
                """)
            let indexes =
                "SELECT indexname, tablespace, indexdef FROM pg_indexes WHERE tablespace = '\(name)' ORDER BY 1"
            let before = try await database.sql(indexes)
            let spec = EvolvingDatabase.spec(
                ["lower", "plain"].map { .dropIndex(DropIndex(table: "items", name: $0)) })
            try await database.walk(spec, to: .contract)
            #expect(try await database.sql(indexes) == "")
            try await database.walk(spec, to: .initial)
            #expect(try await database.sql(indexes) == before)
            try await database.sql("DROP TABLE items")
            try await database.sql("DROP TABLESPACE \(quoted)")
        }
    }

    @Test("an index that a constraint or a foreign key needs is refused, and so is what is no index of the table")
    func dropIndexRefused() async throws {
        try await EvolvingDatabase.with(
            Self.items + """
                CREATE UNIQUE INDEX by_price ON items (price);
                CREATE TABLE sold (price numeric REFERENCES items (price));
                """
        ) { database in
            for (name, message) in [
                ("items_pkey", "dropConstraint"), ("by_price", "sold_price_fkey"), ("missing", "no index"),
            ] {
                let spec = EvolvingDatabase.spec([.dropIndex(DropIndex(table: "items", name: name))])
                let obstacle = try await database.obstacle(spec, to: .contract)
                #expect(obstacle.hasPrefix("InvalidChange: ") && obstacle.contains(message), "\(obstacle)")
            }
            for element in [
                CreateIndex.Element(expression: "now()"), .init(expression: "random()"),
                .init(column: "a", opclass: "int4_ops"),
            ] {
                let obstacle = try await database.obstacle(
                    EvolvingDatabase.spec([Self.index([element])]), to: .backfill)
                #expect(obstacle.hasPrefix("InvalidChange: changes[0].createIndex: "), "\(obstacle)")
            }
        }
    }

    @Test("rows that a unique index would refuse are named, and nothing of it stays to refuse others")
    func duplicates() async throws {
        try await EvolvingDatabase.with(Self.items + "INSERT INTO items VALUES (3, 'x'), (4, NULL), (5, NULL);") {
            database in
            let spec = EvolvingDatabase.spec([Self.index([.init(column: "a")], unique: true)])
            let obstacle = try await database.obstacle(spec, to: .backfill)
            #expect(obstacle.hasPrefix("DataNotReady: rows of public.items have a key of items_a_idx in common"))
            #expect(obstacle.contains("(1), (3)"))
            #expect(try await database.sql(Self.indexes) == "items_pkey")
            try await database.sql("UPDATE items SET a = 'z' WHERE id = 3")
            try await database.walk(spec, to: .backfill)
            #expect(try await database.refusal(of: "INSERT INTO items VALUES (6, 'z')").contains("23505"))
        }
    }
}
