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
}
