import Foundation
import MigrationEngine
import SchemaChange
import TestSupport
import Testing

/// Versioned views: the new version finds its shape of a table under the old name.
@Suite("versioned views")
struct VersionViewTests {
    private static let reviews = """
        CREATE TABLE reviews (id int PRIMARY KEY, rating text DEFAULT '0', author text NOT NULL, note text);
        COMMENT ON TABLE reviews IS 'what they say';
        INSERT INTO reviews VALUES (1, '4', 'Ada Lovelace', 'fine'), (2, NULL, 'Cher', NULL);
        """

    private static func spec(_ changes: [Change], views: Bool = true) -> MigrationSpec {
        var spec = EvolvingDatabase.spec(changes)
        spec.views = views
        return spec
    }

    private static let retype = Change.alterColumn(
        AlterColumn(table: "reviews", column: "rating", default: "3", type: "integer"))
    private static let split = Change.replaceColumns(
        ReplaceColumns(
            table: "reviews", from: ["author"],
            to: [NewColumn(name: "first", type: "text"), NewColumn(name: "last", type: "text")],
            forward: ["first": "split_part(author, ' ', 1)", "last": "split_part(author, ' ', 2)"],
            backward: ["author": "trim(first || ' ' || last)"]))

    /// As the new version sees it.
    private static func new(_ database: EvolvingDatabase, _ sql: String, schema: String = "public_a") async throws
        -> String
    {
        try await database.sql("SET search_path = \(schema), public; \(sql)")
    }

    @Test(
        "each version reads and writes its own shape under the same name, with one type for the one and another for the other"
    )
    func bothVersions() async throws {
        try await EvolvingDatabase.with(Self.reviews) { database in
            let before = try await database.structure()
            let spec = Self.spec([
                Self.retype, Self.split, .dropColumn(DropColumn(table: "reviews", column: "note")),
                ChangeKindTests.add(NewColumn(name: "stars", type: "text"), to: "reviews", forward: "repeat('*', 3)"),
            ])
            try await database.walk(spec, to: .backfill)
            #expect(
                try await Self.new(
                    database,
                    """
                    SELECT column_name, data_type FROM information_schema.columns
                    WHERE table_schema = 'public_a' AND column_name NOT LIKE 'sluice%' ORDER BY ordinal_position
                    """) == "id|integer\nrating|integer\nfirst|text\nlast|text\nstars|text")
            // By the new version: a default, RETURNING, ON CONFLICT, and an explicit NULL that is meant.
            #expect(
                try await Self.new(
                    database,
                    """
                    INSERT INTO reviews (id, first, last) VALUES (3, 'Grace', 'Hopper') RETURNING rating + 1;
                    INSERT INTO reviews (id, rating, first, last) VALUES (1, 5, 'x', 'y')
                        ON CONFLICT (id) DO UPDATE SET rating = excluded.rating + 0, first = 'Augusta';
                    INSERT INTO reviews (id, rating, first, last) VALUES (4, NULL, 'No', 'Stars');
                    UPDATE reviews SET rating = rating - 1 WHERE id = 3;
                    SELECT id, rating, first, last FROM reviews ORDER BY id
                    """) == "4\n1|5|Augusta|Lovelace\n2||Cher|\n3|2|Grace|Hopper\n4||No|Stars")
            // By the old one, which sees all that.
            #expect(
                try await database.sql(
                    """
                    UPDATE reviews SET rating = '1' WHERE id = 2; INSERT INTO reviews (id, author) VALUES (5, 'Old One');
                    SELECT id, rating, author FROM reviews ORDER BY id
                    """) == "1|5|Augusta Lovelace\n2|1|Cher\n3|2|Grace Hopper\n4||No Stars\n5|0|Old One")
            #expect(try await Self.new(database, "SELECT id, rating FROM reviews WHERE id IN (2, 5)") == "2|1\n5|0")
            try await database.walk(spec, to: .contract)
            #expect(
                try await Self.new(
                    database,
                    """
                    INSERT INTO reviews (id, first, last) VALUES (6, 'A', 'B') RETURNING rating;
                    SELECT sum(rating), count(*) FROM reviews
                    """) == "3\n11|6")
            try await database.walk(spec, to: .initial)
            #expect(try await database.structure() == before)
            #expect(try await database.traces() == "")
            #expect(
                try await database.sql("SELECT id, rating, author FROM reviews ORDER BY id")
                    == "1|5|Augusta Lovelace\n2|1|Cher\n3|2|Grace Hopper\n4||No Stars\n5|0|Old One\n6|3|A B")
        }
    }

    @Test(
        "each version sees its own shape of a table with partitions, and the archive goes under the view",
        arguments: PostgresVersion.allCases)
    func partitions(on version: PostgresVersion) async throws {
        let setUp =
            ChangeKindTests.sales + "ALTER TABLE sales ALTER note SET DEFAULT 'none', ADD gone text DEFAULT 'g';"
        try await EvolvingDatabase.with(setUp, on: version) { database in
            let before = try await database.structure()
            let changes = [
                ChangeKindTests.cents,
                .replaceColumns(
                    ReplaceColumns(
                        table: "sales", from: ["note"], to: [NewColumn(name: "upper", type: "text")],
                        forward: ["upper": "upper(note)"], backward: ["note": "lower(upper)"])),
                .dropColumn(DropColumn(table: "sales", column: "gone")),
                ChangeKindTests.add(NewColumn(name: "kind", type: "text"), to: "sales", default: "'k'"),
            ]
            let spec = Self.spec(changes)
            try await database.walk(spec, to: .backfill)
            // A row of the new version's without a note: that is meant.
            #expect(
                try await Self.new(
                    database,
                    """
                    INSERT INTO sales (region, id, cents) VALUES (3, 201, 900) RETURNING upper IS NULL, kind;
                    UPDATE sales SET region = 4 WHERE id = 1; UPDATE sales SET cents = 250, region = 3 WHERE id = 2;
                    INSERT INTO sales (region, id, cents, upper) VALUES (3, 201, 0, 'X')
                        ON CONFLICT (region, id) DO UPDATE SET cents = excluded.cents + 1000;
                    DELETE FROM sales WHERE id = 3 RETURNING upper
                    """) == "t|k\nN3")
            #expect(
                try await database.sql(
                    """
                    CREATE TABLE sales_5 PARTITION OF sales FOR VALUES IN (5);
                    UPDATE sales SET price = 7, region = 5 WHERE id = 4; INSERT INTO sales (region, id, price) VALUES (5, 6, 6);
                    SELECT region, id, price, note, gone FROM sales WHERE id IN (1, 2, 3, 201) ORDER BY id
                    """) == "4|1|1|n1|g\n3|2|2|n2|g\n3|201|10||g")
            #expect(
                try await Self.new(
                    database, "SELECT id, cents, upper FROM sales WHERE region = 5 ORDER BY id")
                    == "4|700|N4\n6|600|NONE")
            try await database.walk(spec, to: .contract)
            #expect(
                try await Self.new(
                    database,
                    "UPDATE sales SET region = 5, upper = 'Y' WHERE id = 1; SELECT count(*), sum(cents) FROM sales")
                    == "151|1134150")
            try await database.walk(spec, to: .initial)
            try await database.sql("CREATE TABLE kept AS TABLE sales; DROP TABLE sales_5")
            #expect(
                try await database.sql("SELECT region, price, note FROM kept WHERE id = 1; DROP TABLE kept")
                    == "5|1|y")
            #expect(try await database.structure() == before)
            #expect(try await database.traces() == "")
            var short = spec
            short.contract?.keepFor = SpecDuration(.zero)
            try await database.walk(short, to: .contract)
            #expect(try await database.traces() != "")
            try await database.walk(short, to: .contract)
            #expect(try await database.traces() == "")
            #expect(
                try await Self.new(
                    database,
                    """
                    INSERT INTO sales (region, id, cents, upper) VALUES (3, 301, 1, 'Z');
                    SELECT * FROM sales WHERE id IN (8, 301) ORDER BY id
                    """) == "1|8|800|N8|k\n3|301|1|Z|k")
        }
    }

    @Test("a role that may use the table may use the view as far, and row-level security holds")
    func rights() async throws {
        let role = uniqueName("app").quotedIdentifier
        let other = uniqueName("other").quotedIdentifier
        try await EvolvingDatabase.with(
            Self.reviews + """
                CREATE ROLE \(role) NOLOGIN; CREATE ROLE \(other) NOLOGIN;
                GRANT SELECT, INSERT ON reviews TO \(role);
                ALTER TABLE reviews ENABLE ROW LEVEL SECURITY;
                CREATE POLICY first ON reviews FOR SELECT USING (id < 2);
                """
        ) { database in
            try await database.walk(Self.spec([Self.retype]), to: .backfill)
            #expect(
                try await Self.new(database, "SET ROLE \(role); SELECT id, rating FROM reviews") == "1|4")
            for statement in ["DELETE FROM public_a.reviews", "UPDATE public_a.reviews SET rating = 1"] {
                let refusal = try await database.refusal(of: "SET ROLE \(role); \(statement)")
                #expect(refusal.contains("42501"), "\(statement)")
            }
            let refusal = try await database.refusal(of: "SET ROLE \(other); SELECT * FROM public_a.reviews")
            #expect(refusal.contains("42501"))
            try await database.sql("DROP OWNED BY \(role)")
        }
    }

    @Test("the views of the version before go when the next one is contracted, and come back with it")
    func nextVersion() async throws {
        try await EvolvingDatabase.with(Self.reviews) { database in
            var first = Self.spec([Self.retype])
            first.contract?.keepFor = SpecDuration(.zero)
            try await database.walk(first, to: .contract)
            let again = Change.alterColumn(
                AlterColumn(table: "reviews", column: "rating", default: "3", type: "numeric"))
            let without = try await database.obstacle(Self.spec([again], views: false), to: .expand, name: "b")
            #expect(without.contains("public_a.reviews may show column \"rating\""))
            // The archive of the first would be in the way of the second.
            try await database.walk(first, to: .contract)
            let between = try await database.structure()
            let spec = Self.spec([again])
            try await database.walk(spec, to: .backfill, name: "b")
            #expect(
                try await Self.new(
                    database,
                    "UPDATE reviews SET rating = 2.5 WHERE id = 1; SELECT pg_typeof(rating) FROM reviews LIMIT 1",
                    schema: "public_b")
                    == "numeric")
            #expect(try await Self.new(database, "SELECT rating FROM reviews WHERE id = 1") == "3")
            try await database.walk(spec, to: .contract, name: "b")
            #expect(try await database.sql("SELECT to_regclass('public_a.reviews') IS NULL") == "t")
            try await database.walk(spec, to: .initial, name: "b")
            #expect(try await Self.new(database, "SELECT rating FROM reviews WHERE id = 1") == "3")
            #expect(between.contains("CREATE VIEW public_a.reviews"))
            #expect(try await database.structure() == between)
        }
    }

    @Test("a schema of that name that is somebody's is not taken")
    func taken() async throws {
        try await EvolvingDatabase.with(Self.reviews + "CREATE SCHEMA public_a;") { database in
            let obstacle = try await database.obstacle(Self.spec([Self.retype]), to: .backfill)
            #expect(obstacle.hasPrefix("NameTaken: views: ") && obstacle.contains("public_a"))
            #expect(try await database.sql("SELECT count(*) FROM pg_namespace WHERE nspname = 'public_a'") == "1")
        }
    }
}
