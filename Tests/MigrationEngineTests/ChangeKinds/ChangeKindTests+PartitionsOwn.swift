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

    // MARK: Foreign keys that say the same

    @Test(
        "a foreign key of one partition alone is not taken for a part of the table's",
        arguments: PostgresVersion.allCases)
    func ownForeignKey(on version: PostgresVersion) async throws {
        try await withTestDatabase(on: version.url) { url in
            try await EvolvingDatabase.on(url, Self.withOwners) { database in
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
