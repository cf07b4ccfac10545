import MigrationEngine
import SchemaChange
import TestSupport
import Testing

extension ChangeKindTests {
    /// Partitions of partitions, one of which is empty.
    static let sales = """
        CREATE TABLE sales (region int NOT NULL, id int NOT NULL, price int NOT NULL, note text, PRIMARY KEY (region, id))
            PARTITION BY LIST (region);
        CREATE TABLE sales_1 PARTITION OF sales FOR VALUES IN (1);
        CREATE TABLE sales_2 PARTITION OF sales FOR VALUES IN (2) PARTITION BY RANGE (id);
        CREATE TABLE sales_2a PARTITION OF sales_2 FOR VALUES FROM (0) TO (100);
        CREATE TABLE sales_2b PARTITION OF sales_2 FOR VALUES FROM (100) TO (200);
        CREATE TABLE sales_3 PARTITION OF sales FOR VALUES IN (3);
        CREATE TABLE sales_4 PARTITION OF sales FOR VALUES IN (4);
        INSERT INTO sales SELECT 1 + i % 2, i, i, 'n' || i FROM generate_series(1, 150) i;
        UPDATE sales SET note = 'Mixed' WHERE id = 9;
        ANALYZE sales;
        """
    static let cents = Change.replaceColumns(
        ReplaceColumns(
            table: "sales", from: ["price"], to: [NewColumn(name: "cents", type: "bigint", nullable: false)],
            forward: ["cents": "price::bigint * 100"], backward: ["price": "(cents / 100)::int"]))

    /// How many rows are not as they should be, in all partitions.
    private static let uneven = "SELECT count(*) FROM sales WHERE cents IS DISTINCT FROM price * 100"

    @Test(
        "all partitions change together, rows move between them, and everything comes back",
        arguments: PostgresVersion.allCases)
    func partitions(on version: PostgresVersion) async throws {
        try await roundTrip(
            Self.sales,
            [
                Self.cents,
                .replaceColumns(
                    ReplaceColumns(
                        table: "sales", from: ["note"], to: [NewColumn(name: "upper", type: "text")],
                        forward: ["upper": "upper(note)"], backward: ["note": "lower(upper)"])),
            ],
            [
                Stop(
                    .dualWrite,
                    """
                    UPDATE sales SET region = 3, price = 7 WHERE id = 1;
                    UPDATE sales SET region = 3, cents = 850 WHERE id = 2;
                    UPDATE sales SET region = 3 WHERE id = 3;
                    INSERT INTO sales VALUES (3, 201, 9, 'x');
                    UPDATE sales SET region = 4, price = 8, cents = 900 WHERE id = 5;
                    UPDATE sales SET region = 3 WHERE id = 9;
                    SELECT region, id, price, cents, upper FROM sales WHERE region > 2 ORDER BY id
                    """,
                    "3|1|7|700|N1\n3|2|8|850|N2\n3|3|3|300|N3\n4|5|9|900|N5\n3|9|9|900|MIXED\n3|201|9|900|X"
                ),
                Stop(.backfill, Self.uneven + " AND id <> 2", "0"),
                Stop(
                    .contract,
                    """
                    UPDATE sales SET region = 1 WHERE id IN (2, 5, 9);
                    UPDATE sales SET region = 4, cents = 1250 WHERE id = 7;
                    SELECT region, id, cents FROM sales WHERE id IN (2, 5, 7) ORDER BY id
                    """,
                    "1|2|850\n1|5|900\n4|7|1250"
                ),
            ],
            // What forward loses is not lost by a move in which nobody wrote it.
            left: (
                "SELECT region, id, price, note FROM sales WHERE id < 10 OR id = 201 ORDER BY id",
                "3|1|7|n1\n1|2|8|n2\n3|3|3|n3\n1|4|4|n4\n1|5|9|n5\n1|6|6|n6\n4|7|12|n7\n1|8|8|n8\n1|9|9|Mixed\n3|201|9|x"
            ),
            on: version)
    }

    @Test(
        "an index is built on each partition while others write, and comes and goes with its names",
        arguments: PostgresVersion.allCases)
    func partitionedIndexes(on version: PostgresVersion) async throws {
        let setUp =
            Self.sales + """
                CREATE INDEX "it's there" ON sales (note DESC, id) WHERE price > 1;
                COMMENT ON INDEX "it's there" IS 'a comment';
                ALTER INDEX sales_1_note_id_idx RENAME TO "Own";
                """
        let found = """
            SELECT c.relname, indisvalid, (SELECT count(*) FROM pg_partition_tree(c.oid)),
                (SELECT string_agg(y.relname, ',' ORDER BY y.relname) FROM pg_partition_tree(c.oid) p
                    JOIN pg_class y ON y.oid = p.relid WHERE p.isleaf AND c.relname LIKE 's%')
            FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid
            WHERE indrelid = 'sales'::regclass AND NOT indisprimary ORDER BY 1
            """
        let names = ["1", "2a", "2b", "3", "4"].map { "sales_\($0)_sales_key" }.joined(separator: ",")
        try await roundTrip(
            setUp,
            [
                .createIndex(
                    CreateIndex(
                        table: "sales", name: "sales_key", columns: [.init(column: "region"), .init(column: "id")],
                        unique: true, include: ["price"])),
                .dropIndex(DropIndex(table: "sales", name: "it's there")),
            ],
            [
                Stop(.backfill, found, "it's there|t|7|\nsales_key|t|7|\(names)"),
                Stop(.contract, found, "sales_key|t|7|\(names)"),
            ],
            left: (found, "it's there|t|7|"), on: version)
    }

    @Test("what else there is of a table is changed in its partitions as well", arguments: PostgresVersion.allCases)
    func partitionsInPlace(on version: PostgresVersion) async throws {
        let look = """
            SELECT count(*) FILTER (WHERE attname = 'note' AND attnotnull), count(*) FILTER (WHERE attname = 'price' AND atthasdef)
            FROM pg_attribute WHERE attrelid::regclass::text ~ '^sales_.?.?$'
            """
        try await roundTrip(
            Self.sales
                + "ALTER TABLE sales ADD CONSTRAINT low CHECK (price < 1000), ADD kept text, ADD gone text DEFAULT 'g';",
            [
                Self.add(NewColumn(name: "b", type: "int", nullable: false), to: "sales", default: "7"),
                Self.alter("note", of: "sales", nullable: false, default: "'none'"),
                Self.alter("price", of: "sales", default: "3"),
                .addConstraint(AddConstraint(table: "sales", NewConstraint(name: "up", check: "price > 0"))),
                .dropConstraint(DropConstraint(table: "sales", name: "low")),
                .dropColumn(DropColumn(table: "sales", column: "gone", backward: "upper(note)")),
                .setComment(SetComment(table: "sales", column: "note", comment: "in all")),
            ],
            [
                Stop(.dualWrite, "INSERT INTO sales (region, id) VALUES (4, 300); \(look)", "0|6"),
                Stop(.contract, look, "6|6"),
            ],
            left: ("SELECT price, note, gone FROM sales WHERE id = 300", "3|none|g"), on: version)
    }

    @Test("tables with partitions are renamed, dropped and seen through views", arguments: PostgresVersion.allCases)
    func partitionedTables(on version: PostgresVersion) async throws {
        let rows = "SELECT count(*), sum(price) FROM %s"
        try await roundTrip(
            Self.sales, [.renameTable(RenameTable(table: "sales", to: "sold"))],
            [
                Stop(
                    .expand,
                    "INSERT INTO sold (region, id, price) VALUES (3, 900, 5); \(rows.replacing("%s", with: "sold"))",
                    "151|11330"),
                Stop(.contract, rows.replacing("%s", with: "sold"), "151|11330"),
            ],
            left: (rows.replacing("%s", with: "sales"), "151|11330"), on: version)
        try await roundTrip(
            Self.sales, [.dropTable(DropTable(table: "sales"))],
            [Stop(.contract, "SELECT to_regclass('sales') IS NULL", "t")],
            left: (rows.replacing("%s", with: "sales"), "150|11325"), on: version)
    }

    @Test("what partitions do not allow is refused with the reason")
    func partitionRefusals() async throws {
        let setUp =
            Self.sales + """
                CREATE TABLE others (id int PRIMARY KEY);
                CREATE EXTENSION postgres_fdw; CREATE SERVER elsewhere FOREIGN DATA WRAPPER postgres_fdw;
                CREATE TABLE far (id int PRIMARY KEY, a text) PARTITION BY RANGE (id);
                ALTER TABLE far DROP CONSTRAINT far_pkey;
                CREATE FOREIGN TABLE far_1 PARTITION OF far FOR VALUES FROM (0) TO (9) SERVER elsewhere;
                """
        let key = NewConstraint.Key(columns: ["region", "id"])
        let cases: [(Change, String)] = [
            (Self.add(NewColumn(name: "b", type: "text"), to: "sales_2a"), "is a partition of public.sales"),
            (Self.add(NewColumn(name: "b", type: "text"), to: "sales_2"), "is a partition of public.sales"),
            (
                Self.add(NewColumn(name: "b", type: "text"), to: "far"),
                "partition public.far_1 of public.far is a foreign table"
            ),
            (
                .alterColumn(
                    AlterColumn(
                        table: "sales", column: "region", to: NewColumn(name: "area", type: "text"),
                        forward: "region::text",
                        backward: "area::int")), "partitioned by column \"region\""
            ),
            (
                .alterColumn(
                    AlterColumn(
                        table: "sales", column: "id", to: NewColumn(name: "number", type: "bigint"), forward: "id",
                        backward: "number::int")), "partitioned by column \"id\""
            ),
            (.alterColumn(AlterColumn(table: "sales", column: "price", type: "bigint")), "give it a new name"),
            (.renameColumn(RenameColumn(table: "sales", column: "price", to: "cost")), "give it a new name"),
            (
                .addColumn(
                    AddColumn(
                        table: "sales", column: NewColumn(name: "b", type: "text"), from: ["note"],
                        forwardBy: RemoteForward(target: "poll://any@w", function: "f"))), "give forward"
            ),
            (
                .createIndex(CreateIndex(table: "sales", columns: [.init(column: "id")], unique: true)),
                "what is unique in all partitions must hold it"
            ),
            (
                .addConstraint(AddConstraint(table: "sales", NewConstraint(name: "k", unique: key))),
                "make a unique index with createIndex"
            ),
            (.dropConstraint(DropConstraint(table: "sales", name: "sales_pkey")), "there would be no way back"),
            (
                .setReplicaIdentity(SetReplicaIdentity(table: "sales", identity: .full)),
                "each partition has a replica identity"
            ),
        ]
        try await EvolvingDatabase.with(setUp) { database in
            let before = try await database.structure()
            for (change, part) in cases {
                let obstacle = try await database.obstacle(EvolvingDatabase.spec([change]), to: .backfill)
                #expect(obstacle.contains(part), "\(obstacle)")
            }
            let both = EvolvingDatabase.spec([Self.cents], writer: .application)
            #expect(try await database.obstacle(both, to: .expand).contains("leave dualWrite out"))
            #expect(try await database.structure() == before)
        }
    }
}
