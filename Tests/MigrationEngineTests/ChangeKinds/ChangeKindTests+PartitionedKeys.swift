import MigrationEngine
import SchemaChange
import TestSupport
import Testing

/// Foreign keys of tables with partitions.
extension ChangeKindTests {
    private static let owned =
        sales + """
            CREATE TABLE owners (id int PRIMARY KEY); INSERT INTO owners SELECT generate_series(1, 150);
            ALTER TABLE sales ADD CONSTRAINT "it's kept" FOREIGN KEY (id) REFERENCES owners ON DELETE CASCADE DEFERRABLE;
            COMMENT ON CONSTRAINT "it's kept" ON sales IS 'a comment';
            """
    private static let priced = Change.addConstraint(
        AddConstraint(
            table: "sales",
            NewConstraint(
                name: "it's priced",
                foreignKey: .init(columns: ["price"], references: References(table: "owners", columns: ["id"])))))

    /// By name: how many tables have it, all validated, how many of them by themselves.
    private static let keys = """
        SELECT conname, count(*), bool_and(convalidated), count(*) FILTER (WHERE conparentid = 0)
        FROM pg_constraint WHERE contype = 'f' AND confrelid = 'owners'::regclass GROUP BY 1 ORDER BY 1
        """

    @Test(
        "a foreign key is put in force in each partition first, and is one with the table's",
        arguments: PostgresVersion.allCases)
    func partitionedForeignKeys(on version: PostgresVersion) async throws {
        try await roundTrip(
            Self.owned,
            [
                Self.priced,
                .dropConstraint(DropConstraint(table: "sales", name: "it's kept")),
                .addColumn(
                    AddColumn(
                        table: "sales", column: NewColumn(name: "owner", type: "int"), default: "1",
                        references: References(table: "owners"))),
            ],
            [
                Stop(.expand, Self.keys, ""),
                Stop(.backfill, Self.keys, "sales_owner_fkey|7|t|1"),
                Stop(.contract, Self.keys, "it's priced|7|t|1\nsales_owner_fkey|7|t|1"),
                Stop(.backfill, Self.keys, "sales_owner_fkey|7|t|1"),
                Stop(.contract, "DELETE FROM sales WHERE id = 150; DELETE FROM owners WHERE id = 150", ""),
            ],
            left: (Self.keys, "it's kept|7|t|1"), on: version)
    }

    @Test(
        "a row that breaks a foreign key while it is put in force is named, and what the partitions have of it goes",
        arguments: PostgresVersion.allCases)
    func brokenPartitionedForeignKey(on version: PostgresVersion) async throws {
        try await EvolvingDatabase.with(Self.owned, on: version) { database in
            let before = try await database.structure()
            let spec = EvolvingDatabase.spec([Self.priced])
            try await database.walk(spec, to: .backfill)
            try await database.sql("INSERT INTO sales VALUES (3, 7, 999)")
            let obstacle = try await database.obstacle(spec, to: .contract)
            #expect(obstacle.hasPrefix("DataNotReady: "), "\(obstacle)")
            #expect(obstacle.contains("break it's priced: keys (3, 7)"), "\(obstacle)")
            #expect(try await database.refusal(of: "INSERT INTO sales VALUES (4, 8, 999)").contains("23503"))
            try await database.walk(spec, to: .initial)
            #expect(try await database.structure() == before)
            #expect(try await database.obstacle(spec, to: .contract).contains("keys (3, 7)"))
            try await database.sql("DELETE FROM sales WHERE price = 999")
            try await database.walk(spec, to: .contract)
        }
    }

    @Test("a large partition that comes without the foreign key is not looked at while nobody may write")
    func partitionWithoutForeignKey() async throws {
        try await EvolvingDatabase.with(Self.owned) { database in
            let spec = EvolvingDatabase.spec([Self.priced])
            try await database.walk(spec, to: .backfill)
            try await database.sql("INSERT INTO sales VALUES (3, 7, 999)")
            #expect(try await database.obstacle(spec, to: .contract).hasPrefix("DataNotReady: "))
            // Those that are small, or empty, take no time.
            try await database.sql(
                """
                DELETE FROM sales WHERE price = 999; CREATE TABLE sales_5 PARTITION OF sales FOR VALUES IN (5);
                CREATE TABLE sales_6 (LIKE sales INCLUDING ALL);
                INSERT INTO sales_6 SELECT 6, i % 150 + 1, 1, repeat('x', 1000) FROM generate_series(1, 150) i;
                ALTER TABLE sales_6 DROP CONSTRAINT sales_6_pkey;
                INSERT INTO sales_6 SELECT 6, 1000 + i, 1, repeat('x', 1000) FROM generate_series(1, 2000) i;
                INSERT INTO owners SELECT 1000 + i FROM generate_series(1, 2000) i;
                ALTER TABLE sales ATTACH PARTITION sales_6 FOR VALUES IN (6)
                """)
            let obstacle = try await database.obstacle(spec, to: .contract)
            #expect(obstacle.contains("partition sales_6 of public.sales has come meanwhile"), "\(obstacle)")
            try await database.sql(
                """
                ALTER TABLE sales_6 ADD CONSTRAINT "it's priced" FOREIGN KEY (price) REFERENCES owners NOT VALID;
                ALTER TABLE sales_6 VALIDATE CONSTRAINT "it's priced"
                """)
            try await database.walk(spec, to: .contract)
            #expect(try await database.sql(Self.keys) == "it's kept|9|t|1\nit's priced|9|t|1")
        }
    }

    @Test(
        "a foreign key of what goes into the archive goes with it, and comes back to all partitions",
        arguments: PostgresVersion.allCases)
    func archivedPartitionedForeignKey(on version: PostgresVersion) async throws {
        for change in [
            Change.dropTable(DropTable(table: "sales")), .dropColumn(DropColumn(table: "sales", column: "price")),
        ] {
            try await roundTrip(
                Self.owned + "ALTER TABLE sales ADD CONSTRAINT priced FOREIGN KEY (price) REFERENCES owners;",
                [change],
                [
                    Stop(
                        .contract, "SELECT count(*) FROM pg_constraint WHERE conname = 'priced' AND contype = 'f'", "0")
                ],
                left: (Self.keys, "it's kept|7|t|1\npriced|7|t|1"), on: version)
        }
    }

    // MARK: The end of the way back

    @Test("once keepFor is over nothing is left in any partition", arguments: PostgresVersion.allCases)
    func partitionedPurge(on version: PostgresVersion) async throws {
        let setUp =
            Self.sales + """
                CREATE TABLE bills (id int PRIMARY KEY, sale int) PARTITION BY RANGE (id);
                CREATE TABLE bills_1 PARTITION OF bills FOR VALUES FROM (0) TO (9); INSERT INTO bills VALUES (1, 1);
                ALTER TABLE sales ADD CONSTRAINT long CHECK (note <> ''); CREATE INDEX noted ON sales (note);
                """
        try await EvolvingDatabase.with(setUp, on: version) { database in
            let spec = EvolvingDatabase.spec(
                [
                    Self.cents, .dropColumn(DropColumn(table: "sales", column: "note")),
                    .dropTable(DropTable(table: "bills")),
                ], keepFor: .zero)
            try await database.walk(spec, to: .contract)
            #expect(try await database.traces() != "")
            try await database.sql("CREATE TABLE sales_5 PARTITION OF sales FOR VALUES IN (5)")
            try await database.walk(spec, to: .contract)
            #expect(try await database.traces() == "")
            #expect(
                try await database.sql(
                    """
                    SELECT attname, count(*) FROM pg_attribute WHERE attrelid::regclass::text ~ '^sales(_[0-9]a?b?)?$'
                        AND attnum > 0 AND NOT attisdropped GROUP BY 1 ORDER BY 1;
                    SELECT count(*) FROM pg_class WHERE relname LIKE 'bills%' OR relname LIKE 'sales%note%';
                    INSERT INTO sales VALUES (5, 1, 100); SELECT count(*), sum(cents) FROM sales
                    """) == "cents|8\nid|8\nregion|8\n0\n151|1132600")
            #expect(try await database.obstacle(spec, to: .backfill).hasPrefix("NotReversible: "))
            try await database.walk(spec, to: .contract)
        }
    }
}
