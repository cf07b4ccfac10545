import Foundation
import MigrationEngine
import PostgreSQL
import SchemaChange
import TestSupport
import Testing

extension ChangeKindTests {
    private static let tables = #"""
        CREATE TABLE customers (id int PRIMARY KEY);
        CREATE TABLE "Old ""t""" (
            id serial PRIMARY KEY, customer int CONSTRAINT owner REFERENCES customers, parent int REFERENCES "Old ""t""",
            label text UNIQUE);
        ALTER TABLE "Old ""t""" ADD CONSTRAINT loose FOREIGN KEY (customer) REFERENCES customers ON DELETE CASCADE NOT VALID;
        COMMENT ON TABLE "Old ""t""" IS 'old'; COMMENT ON CONSTRAINT owner ON "Old ""t""" IS 'who';
        CREATE INDEX ON "Old ""t""" (parent); GRANT SELECT ON "Old ""t""" TO PUBLIC;
        CREATE TABLE lines (id int PRIMARY KEY, old int REFERENCES "Old ""t""");
        INSERT INTO customers VALUES (1), (2); INSERT INTO "Old ""t""" (customer, label) VALUES (1, 'a'), (2, 'b');
        INSERT INTO lines VALUES (1, 1);
        """#

    @Test("tables are dropped by way of the archive, and come back as they were, with what refers to what")
    func dropTables() async throws {
        let drop = ["Old \"t\"", "lines"].map { Change.dropTable(DropTable(table: $0)) }
        try await roundTrip(
            Self.tables,
            drop,
            [
                Stop(.backfill, #"SELECT count(*) FROM lines; SELECT count(*) FROM "Old ""t""""#, "1\n2"),
                Stop(
                    .contract,
                    #"""
                    DELETE FROM customers WHERE id = 2;
                    SELECT to_regclass('lines') IS NULL, to_regclass('"Old ""t"""') IS NULL, (SELECT count(*) FROM customers)
                    """#, "t|t|1"),
                Stop(.contract, "INSERT INTO customers VALUES (2)", ""),
                Stop(
                    .backfill, #"INSERT INTO "Old ""t""" (customer) VALUES (2); SELECT count(*) FROM "Old ""t""""#, "3"),
            ],
            left: (#"SELECT id, customer FROM "Old ""t""" ORDER BY id; SELECT * FROM lines"#, "1|1\n2|2\n3|2\n1|1")
        )
    }

    @Test("once keepFor is over a dropped table is gone, and its archive with it")
    func purgeTables() async throws {
        try await EvolvingDatabase.with(Self.tables) { database in
            let spec = EvolvingDatabase.spec(
                ["Old \"t\"", "lines"].map { .dropTable(DropTable(table: $0)) }, keepFor: .zero)
            try await database.walk(spec, to: .contract)
            let archives = "SELECT count(*) FROM pg_class WHERE relname LIKE 'sluice\\_%' AND relkind = 'r'"
            #expect(try await database.sql(archives) == "2")
            try await database.walk(spec, to: .contract)
            #expect(try await database.sql(archives) == "0")
            #expect(try await database.obstacle(spec, to: .initial).hasPrefix("NotReversible: "))
        }
    }

    @Test("a table that something else needs is not dropped")
    func dropTableRefused() async throws {
        try await EvolvingDatabase.with(Self.tables + "CREATE VIEW v AS SELECT * FROM lines;") { database in
            func obstacle(_ changes: [Change]) async throws -> String {
                try await database.obstacle(EvolvingDatabase.spec(changes), to: .contract)
            }
            let referred = try await obstacle([.dropTable(DropTable(table: "Old \"t\""))])
            #expect(referred.hasPrefix("InvalidChange: ") && referred.contains("lines_old_fkey"), "\(referred)")
            #expect(try await obstacle([.dropTable(DropTable(table: "lines"))]).contains("the view v reads"))
            let both = try await obstacle([
                .dropTable(DropTable(table: "customers")), Self.add(NewColumn(name: "x", type: "int"), to: "customers"),
            ])
            #expect(both.contains("Migration of its own"))
        }
    }

    @Test("both names of a table work until Contract, with its rights, and after it the new one")
    func renameTable() async throws {
        try await roundTrip(
            #"""
            CREATE TABLE "Old ""t""" (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, "order" text UNIQUE DEFAULT 'd', n int);
            COMMENT ON TABLE "Old ""t""" IS 'it''s old'; CREATE VIEW v AS SELECT * FROM "Old ""t""";
            INSERT INTO "Old ""t""" (n) VALUES (1); GRANT SELECT, UPDATE (n) ON "Old ""t""" TO PUBLIC;
            """#,
            [.renameTable(RenameTable(table: "Old \"t\"", to: "Größe \"n\""))],
            [
                Stop(
                    .expand,
                    #"""
                    INSERT INTO "Größe ""n""" ("order") VALUES ('new') ON CONFLICT ("order") DO NOTHING;
                    UPDATE "Größe ""n""" SET n = 2 WHERE "order" = 'd'; INSERT INTO "Old ""t""" ("order") VALUES ('old');
                    SELECT * FROM "Größe ""n""" ORDER BY id; SELECT has_table_privilege('pg_monitor', '"Größe ""n"""', 'SELECT'),
                        has_column_privilege('pg_monitor', '"Größe ""n"""', 'n', 'UPDATE'),
                        has_table_privilege('pg_monitor', '"Größe ""n"""', 'INSERT')
                    """#, "1|d|2\n2|new|\n3|old|\nt|t|f"),
                Stop(
                    .contract,
                    #"""
                    UPDATE "Größe ""n""" SET n = 3 WHERE id = 3; SELECT relkind FROM pg_class WHERE relname = 'Größe "n"';
                    SELECT count(*) FROM v; SELECT to_regclass('"Old ""t"""') IS NULL
                    """#, "r\n3\nt"),
                Stop(
                    .backfill,
                    #"INSERT INTO "Größe ""n""" (n) SELECT 9 WHERE false; SELECT n FROM "Old ""t""" WHERE id = 3"#, "3"),
            ],
            left: (#"SELECT count(*) FROM "Old ""t""""#, "3")
        )
    }

    @Test("a table is renamed while many write it by its new name", .timeLimit(.minutes(1)))
    func renameTableUnderLoad() async throws {
        try await EvolvingDatabase.with(Self.items) { database in
            let spec = EvolvingDatabase.spec([.renameTable(RenameTable(table: "items", to: "goods"))])
            try await database.walk(spec, to: .backfill)
            try await withThrowingTaskGroup(of: Void.self) { group in
                for _ in 0..<3 {
                    group.addTask {
                        try await withConnection(database.url) { connection in
                            while !Task.isCancelled {
                                try await connection.query("UPDATE goods SET price = price + 1 WHERE id = 1")
                            }
                        }
                    }
                }
                try await database.walk(spec, to: .contract)
                try await database.walk(spec, to: .backfill)
                try await database.walk(spec, to: .contract)
                group.cancelAll()
                while let result = await group.nextResult() {
                    if case .failure(let error as PostgresError) = result { #expect(error.code == .cancelled) }
                }
            }
            #expect(try await database.sql("SELECT price > 1 FROM goods WHERE id = 1") == "t")
        }
    }

    @Test("a table is not renamed or dropped while another migration counts on its name, or the other way round")
    func wholeTableWaits() async throws {
        try await EvolvingDatabase.with(Self.items) { database in
            let add = EvolvingDatabase.spec([
                Self.add(NewColumn(name: "upper", type: "text"), forward: "upper(a)")
            ])
            let rename = EvolvingDatabase.spec([.renameTable(RenameTable(table: "items", to: "goods"))])
            try await database.walk(add, to: .backfill, name: "add")
            let waits = try await database.obstacle(rename, to: .expand, name: "rename")
            #expect(waits.hasPrefix("Queued: shop/add works on table public.items"), "\(waits)")
            try await database.walk(add, to: .initial, name: "add")
            try await database.walk(rename, to: .backfill, name: "rename")
            let other = try await database.obstacle(add, to: .expand, name: "later")
            #expect(other.hasPrefix("Queued: shop/rename works on table public.items"), "\(other)")
        }
    }
}
