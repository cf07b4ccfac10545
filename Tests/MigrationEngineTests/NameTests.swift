import MigrationEngine
import SchemaChange
import TestSupport
import Testing

@Suite("Names that cannot be had")
struct NameTests {
    private static let items =
        "CREATE TABLE items (id int PRIMARY KEY, a text, n int); INSERT INTO items VALUES (1, 'x', 1)"

    @Test(
        "are refused before there is a plan, wherever a column gets one", arguments: ["", "ctid", "xmin", "tableoid"])
    func columns(name: String) async throws {
        let column = NewColumn(name: name, type: "text")
        let changes: [(Change, String)] = [
            (ChangeKindTests.add(column), "addColumn.column.name"),
            (
                .replaceColumns(
                    ReplaceColumns(
                        table: "items", from: ["a"], to: [column], forward: [name: "upper(a)"], backward: ["a": "a"])),
                "replaceColumns.to[0].name"
            ),
            (
                .alterColumn(AlterColumn(table: "items", column: "a", to: column, forward: "a", backward: "a")),
                "alterColumn.to.name"
            ),
            (.renameColumn(RenameColumn(table: "items", column: "a", to: name)), "renameColumn.to"),
            (
                .createTable(CreateTable(table: "more", columns: [TableColumn(name: name, type: "int")])),
                "createTable.columns[0].name"
            ),
        ]
        let word = name.isEmpty ? "at least one character" : "\"\(name)\" is a column that PostgreSQL itself gives"
        for (change, path) in changes {
            let flaws = PlanBuilder.flaws(in: [change])
            #expect(flaws.contains { $0.path == "changes[0].\(path)" && $0.message.contains(word) }, "\(flaws)")
        }
    }

    @Test("since somebody took them between the plan and the step are told, and the walk goes on when they are free")
    func takenMeanwhile() async throws {
        try await EvolvingDatabase.with(Self.items + "; CREATE TABLE old (id int PRIMARY KEY)") { database in
            let spec = EvolvingDatabase.spec([
                .createIndex(CreateIndex(table: "items", name: "by_a", columns: [.init(column: "a")])),
                .addConstraint(AddConstraint(table: "items", NewConstraint(name: "positive", check: "n > 0"))),
                .dropTable(DropTable(table: "old")),
            ])
            try await database.walk(spec, to: .dualWrite)
            func stuck(_ target: Phase, _ take: String, _ object: String, _ free: String) async throws {
                try await database.sql(take)
                let obstacle = try await database.obstacle(spec, to: target)
                #expect(obstacle.hasPrefix("NameTaken: "), "\(obstacle)")
                #expect(
                    obstacle.contains(object) && obstacle.contains("already exists; somebody made it"), "\(obstacle)")
                #expect(obstacle.contains("rename or drop it"))
                try await database.sql(free)
            }
            try await stuck(
                .backfill, "CREATE TABLE by_a (); ALTER TABLE items ADD CONSTRAINT positive CHECK (n > -1)",
                "\"by_a\"", "DROP TABLE by_a")
            try await stuck(
                .contract, "SELECT 1", "\"positive\" for relation \"items\"",
                "ALTER TABLE items DROP CONSTRAINT positive")
            try await database.walk(spec, to: .contract)
            try await stuck(.backfill, "CREATE VIEW old AS SELECT 1", "\"old\"", "DROP VIEW old")
            try await database.walk(spec, to: .initial)
        }
    }

    @Test("a column that is told by PostgreSQL to be there already is one, too")
    func columnMeanwhile() async throws {
        try await EvolvingDatabase.with(Self.items) { database in
            let spec = EvolvingDatabase.spec([
                .renameColumn(RenameColumn(table: "items", column: "a", to: "b")),
                .dropColumn(DropColumn(table: "items", column: "n", backward: "0")),
            ])
            try await database.walk(spec, to: .contract)
            try await database.sql("ALTER TABLE items ADD n int")
            let obstacle = try await database.obstacle(spec, to: .backfill)
            #expect(
                obstacle.hasPrefix("NameTaken: ") && obstacle.contains("\"n\" of relation \"items\""), "\(obstacle)")
            try await database.sql("ALTER TABLE items DROP n")
            try await database.walk(spec, to: .initial)
            #expect(try await database.sql("SELECT * FROM items") == "1|x|1")
        }
    }

    /// Each with the columns that are in the index beside it.
    private static let expressions: [(String, [String])] = [
        ("lower(a)", []), ("a", ["n"]), ("n + 1", []), ("lower(a) || upper(a)", []), ("pg_catalog.lower(a)", []),
        ("(lower(a))", []), ("a::int", []), ("(n + 1)::bigint", []), ("cast(n + 1 AS numeric(10, 2))", []),
        ("coalesce(a, 'x')", []), ("nullif(a, 'x')", []), ("greatest(n, 1)", []), ("trim(a)", []),
        ("trim(leading 'x' FROM a)", []), ("substring(a FROM 1 FOR 2)", []), ("position('x' IN a)", []),
        ("extract(year FROM d)", []), ("(d AT TIME ZONE 'UTC')", []), ("CASE WHEN n > 0 THEN a ELSE lower(a) END", []),
        ("CASE WHEN n > 0 THEN 1 ELSE 2 END", []), ("ARRAY[n, 1]", []), ("j ->> 'x'", []), ("(j -> 'x')::text", []),
        ("(ARRAY[n, 1])[1]", []), ("lower(a) COLLATE \"C\"", []), ("a IS NULL", []), ("NOT (n > 0)", []), ("- n", []),
        ("\"Größe\"", ["a"]), ("lower(\"Größe\")", []), ("abs(n)::double precision", []),
        ("(n * 2)::double precision", []),
        ("length(trim(a))", ["a", "n"]), ("(a || 'x')::varchar(3)", []), ("(n > 1)::boolean", []),
        ("a IS NORMALIZED", []), ("a || 'x' IS NFKC NORMALIZED", []), ("a IS NOT NORMALIZED", []),
        ("a IS NORMALIZED AND n > 0", []), ("n > 0 OR a IS NORMALIZED", []), ("(a IS NFD NORMALIZED)::text", []),
        ("a::national character varying(4)", []), ("(a || 'x')::national character varying(4)", []),
        ("(a || 'x')::national char(4)", []), ("(a || 'x')::nchar varying(4)", []),
        ("(d, d) OVERLAPS (d, d)", []), ("(d - d)::interval day to second(3)", []),
    ]

    @Test("what an index without one is called is what PostgreSQL would call it")
    func indexes() async throws {
        let long = String(repeating: "long_", count: 11)
        try await EvolvingDatabase.with(
            """
            CREATE TABLE "\(long)" (a text, n int, d timestamp, j jsonb, "Größe" text, "\(long)2" text);
            CREATE TABLE items (LIKE "\(long)");
            """
        ) { database in
            for table in ["items", long] {
                var changes = Self.expressions.map { expression, include in
                    CreateIndex(table: table, columns: [.init(expression: expression)], include: include)
                }
                changes.append(CreateIndex(table: table, columns: [.init(column: "a"), .init(expression: "lower(a)")]))
                changes.append(
                    CreateIndex(
                        table: table,
                        columns: [
                            .init(expression: "lower(a)"), .init(expression: "lower(\"Größe\")"), .init(column: "n"),
                        ]))
                changes.append(CreateIndex(table: table, columns: [.init(column: "\(long)2")]))
                for change in changes {
                    let list = change.columns.map { $0.column.map { "\"\($0)\"" } ?? "(\($0.expression ?? ""))" }
                    let include = (change.include ?? []).map { "\"\($0)\"" }
                    let made = try await database.sql(
                        """
                        BEGIN;
                        CREATE INDEX ON "\(table)" (\(list.joined(separator: ", ")))
                            \(include.isEmpty ? "" : "INCLUDE (\(include.joined(separator: ", ")))");
                        SELECT relname FROM pg_index JOIN pg_class ON oid = indexrelid WHERE indrelid = '"\(table)"'::regclass;
                        ROLLBACK;
                        """)
                    let name = PlanBuilder.newRelations(in: [.createIndex(change)]).map(\.name)
                    #expect(name == [made], "\(list), \(include)")
                }
            }
        }
    }
}
