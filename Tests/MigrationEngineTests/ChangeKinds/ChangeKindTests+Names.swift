import MigrationEngine
import SchemaChange
import TestSupport
import Testing

extension ChangeKindTests {
    /// Found by the random changes: the walk waited for ever, for a promise's id has to be in normal form C.
    @Test("a name that is not in Unicode's normal form C is a name like any other")
    func decomposedName() async throws {
        let name = "e\u{301}clair"
        try await roundTrip(
            """
            CREATE TABLE cakes (id int PRIMARY KEY, "\(name)" int NOT NULL);
            CREATE INDEX ON cakes ("\(name)");
            INSERT INTO cakes VALUES (1, 2);
            """,
            [.alterColumn(AlterColumn(table: "cakes", column: name, type: "bigint"))],
            [Stop(.contract, #"SELECT "\#(name)", pg_typeof("\#(name)") FROM cakes"#, "2|bigint")],
            left: (#"SELECT "\#(name)", pg_typeof("\#(name)") FROM cakes"#, "2|integer")
        )
    }

    /// Found by the random changes: a NOT NULL that had a name came back under another, and one that took another's place
    /// kept the name that it had until Contract.
    @Test("NOT NULL keeps its name, which it has since PostgreSQL 18", arguments: PostgresVersion.allCases)
    func requirements(server: PostgresVersion) async throws {
        let setUp = """
            CREATE TABLE orders (
                id int CONSTRAINT "has key" NOT NULL PRIMARY KEY, a int CONSTRAINT "has a" NOT NULL, b int NOT NULL,
                c int CONSTRAINT "has c" NOT NULL, d int CONSTRAINT "has d" NOT NULL, e int);
            INSERT INTO orders VALUES (1, 2, 3, 4, 5, 6);
            """
        let names = """
            SELECT string_agg(conname, ', ' ORDER BY conname) FROM pg_constraint
            WHERE conrelid = 'orders'::regclass AND contype = 'n'
            """
        try await withTestDatabase(on: server.url) { url in
            try await EvolvingDatabase.on(url, setUp) { database in
                let before = try await database.structure()
                func type(_ column: String, nullable: Bool? = nil) -> Change {
                    .alterColumn(AlterColumn(table: "orders", column: column, nullable: nullable, type: "bigint"))
                }
                let spec = EvolvingDatabase.spec(
                    [
                        type("id"), type("a"), type("b"), Self.alter("c", of: "orders", nullable: true),
                        .dropColumn(DropColumn(table: "orders", column: "d")), type("e", nullable: false),
                    ], keepFor: .zero)
                try await database.walk(spec, to: .backfill)
                try await database.walk(spec, to: .initial)
                #expect(try await database.structure() == before)
                let kept = EvolvingDatabase.spec(spec.changes)
                try await database.walk(kept, to: .contract)
                try await database.walk(kept, to: .initial)
                #expect(try await database.structure() == before)
                for _ in 0..<2 { try await database.walk(spec, to: .contract) }
                #expect(try await !database.structure().contains("sluice"))
                #expect(
                    try await database.sql(names)
                        == (server == .newest ? "has a, has key, orders_b_not_null, orders_e_not_null" : ""))
            }
        }
    }

    @Test("indexes and constraints of the same migration may be about a column's new name")
    func onNewName() async throws {
        let staff = """
            CREATE TABLE roles (name text PRIMARY KEY); INSERT INTO roles VALUES ('cook'), ('host'), ('chef');
            CREATE TABLE staff (id int PRIMARY KEY, role text); CREATE INDEX by_role ON staff (role);
            INSERT INTO staff VALUES (1, 'cook'), (2, 'host');
            """
        let found = """
            SELECT indexrelid::regclass::text FROM pg_index
                WHERE indrelid = 'staff'::regclass AND indexrelid::regclass::text NOT LIKE 'sluice%' ORDER BY 1;
            SELECT conname, convalidated FROM pg_constraint WHERE conrelid = 'staff'::regclass AND contype <> 'n' ORDER BY 1
            """
        func add(_ constraint: NewConstraint) -> Change { .addConstraint(AddConstraint(table: "staff", constraint)) }
        try await roundTrip(
            staff,
            [
                add(NewConstraint(name: "titled", check: "title <> ''")),
                .renameColumn(RenameColumn(table: "staff", column: "role", to: "title")),
                .createIndex(
                    CreateIndex(table: "staff", columns: [.init(expression: "lower(title)")], include: ["title"])),
                .createIndex(
                    CreateIndex(table: "staff", name: "by_title", columns: [.init(column: "title")], unique: true)),
                add(
                    NewConstraint(
                        name: "known", foreignKey: .init(columns: ["title"], references: References(table: "roles")))),
                add(NewConstraint(name: "one", unique: .init(columns: ["title"]))),
                add(NewConstraint(notNull: .init(column: "title"))),
            ],
            [
                Stop(
                    .contract, "INSERT INTO staff (id, title) VALUES (3, 'chef');" + found,
                    """
                    by_role
                    by_title
                    one
                    staff_lower_title_idx
                    staff_pkey
                    known|t
                    one|t
                    staff_pkey|t
                    titled|t
                    """),
                Stop(.backfill, "SELECT id, role, title FROM staff WHERE id = 3", "3|chef|chef"),
            ],
            left: ("SELECT * FROM staff ORDER BY id", "1|cook\n2|host\n3|chef"))
        // What somebody else makes on it is theirs, and named.
        try await EvolvingDatabase.with(staff) { database in
            let spec = EvolvingDatabase.spec([
                .renameColumn(RenameColumn(table: "staff", column: "role", to: "title")),
                .createIndex(CreateIndex(table: "staff", columns: [.init(column: "title")])),
            ])
            try await database.walk(spec, to: .contract)
            try await database.sql("CREATE INDEX late ON staff (title)")
            let obstacle = try await database.obstacle(spec, to: .initial)
            #expect(obstacle.hasPrefix("Dependents: ") && obstacle.contains(": index late;"), "\(obstacle)")
        }
    }

    @Test("the key by which a renamed column's rows are walked stays")
    func keyOfRenamed() async throws {
        try await EvolvingDatabase.with(
            "CREATE TABLE staff (id int NOT NULL, role text); CREATE UNIQUE INDEX by_id ON staff (id)"
        ) { database in
            let spec = EvolvingDatabase.spec([
                .renameColumn(RenameColumn(table: "staff", column: "role", to: "title")),
                .dropIndex(DropIndex(table: "staff", name: "by_id")),
            ])
            let obstacle = try await database.obstacle(spec, to: .expand)
            #expect(obstacle.contains("the rows of public.staff are walked"), "\(obstacle)")
        }
    }
}
