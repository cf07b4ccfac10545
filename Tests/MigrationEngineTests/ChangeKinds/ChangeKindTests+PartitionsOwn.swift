import MigrationEngine
import SchemaChange
import TestSupport
import Testing

/// What one partition has, and its table has not.
extension ChangeKindTests {
    private static let withOwners =
        sales + """
            CREATE TABLE owners (id int PRIMARY KEY); INSERT INTO owners SELECT generate_series(1, 150);
            ALTER TABLE sales ADD CONSTRAINT kept FOREIGN KEY (id) REFERENCES owners ON DELETE CASCADE DEFERRABLE;
            """
    private static let priced = Change.addConstraint(
        AddConstraint(
            table: "sales",
            NewConstraint(
                name: "priced",
                foreignKey: .init(columns: ["price"], references: References(table: "owners", columns: ["id"])))))
    private static let withoutNote = Change.dropColumn(DropColumn(table: "sales", column: "note"))

    // MARK: Foreign keys that say the same

    @Test(
        "a foreign key of one partition alone is not taken for a part of the table's",
        arguments: PostgresVersion.allCases)
    func ownForeignKey(on version: PostgresVersion) async throws {
        try await EvolvingDatabase.with(Self.withOwners, on: version) { database in
            try await database.sql(
                "ALTER TABLE sales_1 ADD CONSTRAINT a_own FOREIGN KEY (price) REFERENCES owners")
            let spec = EvolvingDatabase.spec([Self.priced])
            let obstacle = try await database.obstacle(spec, to: .expand)
            #expect(obstacle.hasPrefix("NameTaken: ") || obstacle.hasPrefix("Dependents: "), "\(obstacle)")
            #expect(obstacle.contains("partition public.sales_1") && obstacle.contains("a_own"), "\(obstacle)")
            // One that says something else stays as it is.
            try await database.sql(
                """
                ALTER TABLE sales_1 DROP CONSTRAINT a_own,
                    ADD CONSTRAINT a_own FOREIGN KEY (price) REFERENCES owners ON UPDATE CASCADE
                """)
            let before = try await database.structure()
            try await database.walk(spec, to: .backfill)
            // One that somebody makes after the plan is found when the table gets its own.
            try await database.sql(
                "ALTER TABLE sales_2b ADD CONSTRAINT a_late FOREIGN KEY (price) REFERENCES owners")
            let late = try await database.obstacle(spec, to: .contract)
            #expect(late.contains("partition sales_2b") && late.contains("a_late"), "\(late)")
            try await database.sql("ALTER TABLE sales_2b DROP CONSTRAINT a_late")
            try await database.walk(spec, to: .contract)
            try await database.walk(spec, to: .initial)
            #expect(try await database.structure() == before)
        }
    }

    @Test("nor is it when the table's comes back")
    func ownForeignKeyOnTheWayBack() async throws {
        try await EvolvingDatabase.with(Self.withOwners) { database in
            let spec = EvolvingDatabase.spec([.dropConstraint(DropConstraint(table: "sales", name: "kept"))])
            let same = "FOREIGN KEY (id) REFERENCES owners ON DELETE CASCADE DEFERRABLE"
            try await database.sql("ALTER TABLE sales_4 ADD CONSTRAINT a_own \(same)")
            let obstacle = try await database.obstacle(spec, to: .expand)
            #expect(obstacle.contains("partition public.sales_4") && obstacle.contains("a_own"), "\(obstacle)")
            try await database.sql("ALTER TABLE sales_4 DROP CONSTRAINT a_own")
            let before = try await database.structure()
            try await database.walk(spec, to: .expand)
            try await database.sql("ALTER TABLE sales_4 ADD CONSTRAINT a_late \(same)")
            #expect(try await database.obstacle(spec, to: .initial).contains("a_late"))
            try await database.sql("ALTER TABLE sales_4 DROP CONSTRAINT a_late")
            try await database.walk(spec, to: .initial)
            #expect(try await database.structure() == before)
        }
    }

    @Test("a column that stays gets a foreign key in all partitions", arguments: PostgresVersion.allCases)
    func partitionedReferencesInPlace(on version: PostgresVersion) async throws {
        let keys = """
            SELECT conname, count(*), bool_and(convalidated), count(*) FILTER (WHERE conparentid = 0)
            FROM pg_constraint WHERE contype = 'f' AND confrelid = 'owners'::regclass GROUP BY 1 ORDER BY 1
            """
        try await roundTrip(
            Self.withOwners,
            [
                .alterColumn(
                    AlterColumn(
                        table: "sales", column: "price", references: References(table: "owners", onDelete: .cascade)))
            ],
            [
                Stop(.backfill, keys, "kept|7|t|1"),
                Stop(.contract, keys, "kept|7|t|1\nsales_price_fkey|7|t|1"),
                Stop(.contract, "DELETE FROM owners WHERE id = 150; SELECT count(*) FROM sales WHERE id = 150", "0"),
            ],
            left: (keys, "kept|7|t|1"), on: version)
    }

    // MARK: What is about a column that goes

    /// How somebody makes it on `note` of a partition, how it goes, and how it is named.
    private static let ofNote = [
        (
            "ALTER TABLE sales_1 ALTER note SET NOT NULL", "ALTER TABLE sales_1 ALTER note DROP NOT NULL", "sales_1",
            "NOT NULL"
        ),
        (
            "ALTER TABLE sales_2 ADD CONSTRAINT own CHECK (note <> '')", "ALTER TABLE sales_2 DROP CONSTRAINT own",
            "sales_2", "constraint own"
        ),
        (
            "CREATE UNIQUE INDEX own ON sales_2a (lower(note)) WHERE price > 5", "DROP INDEX own", "sales_2a",
            "index own"
        ),
        (
            "ALTER TABLE sales_3 ADD CONSTRAINT own UNIQUE (note)", "ALTER TABLE sales_3 DROP CONSTRAINT own",
            "sales_3",
            "own"
        ),
        (
            "ALTER TABLE sales_2b ADD CONSTRAINT own FOREIGN KEY (note) REFERENCES notes NOT VALID",
            "ALTER TABLE sales_2b DROP CONSTRAINT own", "sales_2b", "constraint own"
        ),
        (
            "CREATE UNIQUE INDEX own ON sales_1 (note); CREATE TABLE notices (n text CONSTRAINT of_own REFERENCES sales_1 (note))",
            "DROP TABLE notices; DROP INDEX own", "sales_1", "of_own"
        ),
        ("CREATE VIEW peek AS SELECT id, note FROM sales_4", "DROP VIEW peek", "sales_4", "view peek"),
    ]
    private static let withNotes = withOwners + "CREATE TABLE notes (id text PRIMARY KEY);"

    @Test(
        "what would refuse the new version's rows in one partition alone is refused, by its name",
        arguments: PostgresVersion.allCases)
    func ownOfPartitions(on version: PostgresVersion) async throws {
        try await EvolvingDatabase.with(Self.withNotes, on: version) { database in
            let before = try await database.structure()
            let renamed = Change.alterColumn(
                AlterColumn(
                    table: "sales", column: "note", to: NewColumn(name: "remark", type: "text"), forward: "note",
                    backward: "remark"))
            for (make, drop, partition, name) in Self.ofNote {
                try await database.sql(make)
                for change in [Self.withoutNote, renamed] {
                    let obstacle = try await database.obstacle(EvolvingDatabase.spec([change]), to: .expand)
                    #expect(obstacle.hasPrefix("Dependents: ") && obstacle.contains(name), "\(obstacle)")
                    #expect(obstacle.contains("partition public.\(partition) of public.sales"), "\(obstacle)")
                }
                try await database.sql(drop)
            }
            #expect(try await database.structure() == before)
        }
    }

    @Test("what comes on one partition after the plan keeps Contract", arguments: PostgresVersion.allCases)
    func lateOfPartitions(on version: PostgresVersion) async throws {
        let setUp =
            Self.withNotes + """
                ALTER TABLE sales ADD CONSTRAINT worded CHECK (note <> ''); CREATE INDEX ON sales (note);
                CREATE INDEX quiet ON sales_1 (note);
                """
        try await EvolvingDatabase.with(setUp, on: version) { database in
            let before = try await database.structure()
            let spec = EvolvingDatabase.spec([Self.withoutNote])
            try await database.walk(spec, to: .backfill)
            for (make, drop, partition, name) in Self.ofNote {
                try await database.sql(make)
                let obstacle = try await database.obstacle(spec, to: .contract)
                #expect(obstacle.hasPrefix("Dependents: ") && obstacle.contains(name), "\(obstacle)")
                #expect(obstacle.contains("partition \(partition)"), "\(obstacle)")
                try await database.sql(drop)
            }
            // What all partitions have, one that comes later has by its table.
            try await database.sql("CREATE TABLE sales_5 PARTITION OF sales FOR VALUES IN (5)")
            try await database.walk(spec, to: .contract)
            try await database.sql("INSERT INTO sales SELECT i, 149 + (i = 2)::int, 1 FROM generate_series(1, 5) i")
            try await database.sql("DROP TABLE sales_5")
            try await database.walk(spec, to: .initial)
            #expect(try await database.structure() == before)
        }
    }

    @Test("a table is not dropped while somebody needs one of its partitions")
    func neededPartition() async throws {
        let cases = [
            ("CREATE VIEW peek AS SELECT id FROM sales_1", "DROP VIEW peek", "peek"),
            (
                "CREATE UNIQUE INDEX own ON sales_1 (id); CREATE TABLE notices (n int CONSTRAINT of_own REFERENCES sales_1 (id))",
                "DROP TABLE notices; DROP INDEX own", "of_own"
            ),
            (
                "ALTER TABLE sales_2b ADD CONSTRAINT own FOREIGN KEY (note) REFERENCES notes NOT VALID",
                "ALTER TABLE sales_2b DROP CONSTRAINT own", "constraint own"
            ),
        ]
        try await EvolvingDatabase.with(Self.withNotes) { database in
            let before = try await database.structure()
            let spec = EvolvingDatabase.spec([.dropTable(DropTable(table: "sales"))])
            for (make, drop, name) in cases {
                try await database.sql(make)
                let obstacle = try await database.obstacle(spec, to: .expand)
                #expect(obstacle.contains(name) && obstacle.contains("partition public.sales_"), "\(obstacle)")
                try await database.sql(drop)
            }
            // A check of a partition stops nobody once the table is gone.
            try await database.sql("ALTER TABLE sales_2 ADD CONSTRAINT own CHECK (note <> '')")
            try await database.walk(spec, to: .backfill)
            for (make, drop, name) in cases {
                try await database.sql(make.replacing("CONSTRAINT own ", with: "CONSTRAINT own_2 "))
                let obstacle = try await database.obstacle(spec, to: .contract)
                #expect(
                    obstacle.hasPrefix("Dependents: ") && obstacle.contains("partition sales_"), "\(name): \(obstacle)")
                try await database.sql(drop.replacing("CONSTRAINT own", with: "CONSTRAINT own_2"))
            }
            try await database.walk(spec, to: .contract)
            try await database.walk(spec, to: .initial)
            try await database.sql("ALTER TABLE sales_2 DROP CONSTRAINT own")
            #expect(try await database.structure() == before)
        }
    }

    // MARK: Names

    @Test("a constraint's name that a partition has is taken")
    func nameOfPartition() async throws {
        try await EvolvingDatabase.with(
            Self.withOwners + """
                ALTER TABLE sales_2b ADD CONSTRAINT priced CHECK (price > 0);
                ALTER TABLE sales ADD CONSTRAINT cheap CHECK (price < 1000);
                ALTER TABLE sales_3 ADD CONSTRAINT sales_b_check CHECK (price > 0);
                """
        ) { database in
            let before = try await database.structure()
            func named(_ names: ConstraintNames?) -> Change {
                .addColumn(
                    AddColumn(
                        table: "sales", column: NewColumn(name: "b", type: "int"), default: "1", check: "b > 0",
                        constraintNames: names))
            }
            for change in [
                Self.priced,
                .addConstraint(AddConstraint(table: "sales", NewConstraint(name: "priced", check: "price > 0"))),
                .renameConstraint(RenameConstraint(table: "sales", from: "cheap", to: "priced")),
                named(ConstraintNames(check: "priced")),
            ] {
                let obstacle = try await database.obstacle(EvolvingDatabase.spec([change]), to: .expand)
                #expect(obstacle.hasPrefix("NameTaken: ") && obstacle.contains("\"priced\""), "\(obstacle)")
                #expect(obstacle.contains("partition public.sales_2b of public.sales"), "\(obstacle)")
            }
            // A name that nobody has asked for is another one then.
            let spec = EvolvingDatabase.spec([named(nil)])
            try await database.walk(spec, to: .contract)
            try await database.walk(spec, to: .initial)
            #expect(try await database.structure() == before)
        }
    }
}
