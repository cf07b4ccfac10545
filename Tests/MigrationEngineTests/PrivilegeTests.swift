import MigrationEngine
import SchemaChange
import TestSupport
import Testing

/// What the role may not do, or what is in the way by name, is told before anything is begun.
@Suite("before it begins")
struct PrivilegeTests {
    @Test("rights that are missing are named one after the other, with the GRANT that gives them")
    func rights() async throws {
        let role = uniqueName("hand").replacing("-", with: "_")
        let owner = uniqueName("owner").replacing("-", with: "_")
        let setUp = """
            CREATE ROLE \(role) LOGIN PASSWORD 'x'; CREATE ROLE \(owner) NOLOGIN; CREATE SCHEMA shop;
            CREATE TABLE shop.p (id int PRIMARY KEY); CREATE TABLE shop.t (id int PRIMARY KEY, a int REFERENCES shop.p);
            CREATE TABLE shop.other (id int PRIMARY KEY, t int REFERENCES shop.t);
            CREATE TYPE shop.mood AS ENUM ('good'); ALTER TYPE shop.mood OWNER TO \(owner);
            ALTER TABLE shop.t OWNER TO \(owner); ALTER TABLE shop.p OWNER TO postgres;
            DO $$ BEGIN EXECUTE format('REVOKE ALL ON DATABASE %I FROM PUBLIC', current_database());
                EXECUTE format('GRANT CONNECT ON DATABASE %I TO \(role)', current_database()); END $$;
            """
        try await EvolvingDatabase.with(setUp) { database in
            let theirs = EvolvingDatabase(
                url: database.url,
                engine: try EvolvingDatabase.engine(
                    on: database.url.replacing("postgres:sluice@", with: "\(role):x@")))
            var spec = EvolvingDatabase.spec([
                .alterColumn(AlterColumn(table: "t", column: "id", type: "bigint")),
                .addConstraint(
                    AddConstraint(
                        table: "t",
                        NewConstraint(
                            name: "again", foreignKey: .init(columns: ["a"], references: References(table: "p"))))),
            ])
            spec.database = DatabaseReference(schema: "shop")
            spec.views = true
            var mood = EvolvingDatabase.spec([.addEnumValue(AddEnumValue(type: "mood", value: "bad"))])
            mood.database = spec.database
            for expected in [
                "TEMPORARY ON DATABASE", "CREATE ON DATABASE", "USAGE ON SCHEMA", "\(owner) TO \(role)",
                #"SELECT, REFERENCES ON TABLE "shop"."p" TO \#(role)"#, "postgres TO \(role)",
                #"CREATE ON SCHEMA "shop" TO \#(role)"#,
            ] {
                if expected.hasPrefix(owner) {
                    let obstacle = try await theirs.obstacle(mood, to: .expand, name: "mood")
                    #expect(
                        obstacle.hasPrefix("MissingPrivilege: changes[0].addEnumValue.type: ")
                            && obstacle.contains("alter type shop.mood, which belongs to \(owner); GRANT \(expected)"),
                        "\(obstacle)")
                }
                let obstacle = try await theirs.obstacle(spec, to: .backfill)
                #expect(
                    obstacle.hasPrefix("MissingPrivilege: ") && obstacle.contains("GRANT \(expected)"), "\(obstacle)")
                let grant = try #require(obstacle.firstMatch(of: #/GRANT .*/#)).output
                // Those of a superuser would hide what comes next.
                try await database.sql(
                    grant.contains("postgres") ? "ALTER TABLE shop.other OWNER TO \(owner)" : String(grant))
            }
            #expect(try await database.sql("SELECT count(*) FROM sluice.step") == "0")
            try await theirs.walk(spec, to: .contract)
            try await theirs.walk(spec, to: .initial)
        }
    }

    @Test("a schema that the views would need, and names that are swapped, are refused in words")
    func names() async throws {
        try await EvolvingDatabase.with(ChangeKindTests.people + ChangeKindTests.items) { database in
            var spec = EvolvingDatabase.spec([ChangeKindTests.split])
            spec.views = true
            try await database.sql("CREATE SCHEMA public_a")
            let taken = try await database.obstacle(spec, to: .expand)
            #expect(taken.hasPrefix("NameTaken: views: there is a schema \"public_a\" already"))
            func rename(_ column: String, _ name: String) -> Change {
                .renameColumn(RenameColumn(table: "items", column: column, to: name))
            }
            let swap = try await database.obstacle(
                EvolvingDatabase.spec([rename("a", "price"), rename("price", "a")]), to: .expand)
            #expect(swap.hasPrefix("ColumnExists: ") && swap.contains("keeps it until Contract"))
            let same = try await database.obstacle(EvolvingDatabase.spec([rename("a", "price")]), to: .expand)
            #expect(same.contains("already has a column \"price\""))
        }
    }

    @Test("a CHECK that rows break is named, when it is planned and when a row cannot be filled")
    func unvalidated() async throws {
        let setUp = """
            CREATE TABLE s (id int PRIMARY KEY, a int, b int); INSERT INTO s VALUES (1, -1, 2);
            ALTER TABLE s ADD CONSTRAINT positive CHECK (a > 0) NOT VALID;
            """
        try await EvolvingDatabase.with(setUp) { database in
            let spec = EvolvingDatabase.spec([.alterColumn(AlterColumn(table: "s", column: "b", type: "bigint"))])
            let preview = try await database.engine.preview(MigrationName(namespace: "shop", name: "a"), spec: spec)
            let finding = try #require(preview.findings.first { $0.code == "UncheckedRows" })
            #expect(finding.message.contains("positive of public.s"))
            let obstacle = try await database.obstacle(spec, to: .backfill)
            #expect(obstacle.hasPrefix("RowFailed: ") && obstacle.contains("(id) = (1)"))
            #expect(obstacle.contains("constraint \"positive\""))
        }
    }

    @Test("who may read single columns of a table cannot read through a view of it, and is named")
    func columnGrants() async throws {
        let role = uniqueName("reader").replacing("-", with: "_")
        let setUp =
            ChangeKindTests.people + "CREATE ROLE \(role) NOLOGIN; GRANT SELECT (id, full_name) ON people TO \(role);"
        try await EvolvingDatabase.with(setUp) { database in
            var spec = EvolvingDatabase.spec([
                .alterColumn(AlterColumn(table: "people", column: "full_name", type: "varchar(90)"))
            ])
            spec.views = true
            func findings() async throws -> [String] {
                try await database.engine.preview(MigrationName(namespace: "shop", name: "a"), spec: spec)
                    .findings.filter { $0.code == "ColumnGrants" }.map(\.message)
            }
            #expect(try await findings().first?.contains(role) == true)
            try await database.sql("GRANT SELECT ON people TO \(role)")
            #expect(try await findings().isEmpty)
            // As it says.
            try await database.sql(
                "REVOKE SELECT ON people FROM \(role); GRANT SELECT (id, full_name) ON people TO \(role)")
            try await database.sql("ALTER TABLE people ADD note text")
            try await database.walk(spec, to: .dualWrite)
            let read = "SET ROLE \(role); SELECT id FROM public_a.people"
            #expect(try await database.refusal(of: read).contains("42501"))
            try await database.sql("GRANT SELECT ON people TO \(role); GRANT USAGE ON SCHEMA public_a TO \(role)")
            try await database.sql("GRANT SELECT ON public_a.people TO \(role)")
            try await database.sql(read)
        }
    }
}
