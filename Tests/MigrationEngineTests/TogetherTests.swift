import MigrationEngine
import SchemaChange
import TestSupport
import Testing

/// Several changes to one table, which share a pass over its rows.
@Suite("The backfill of several changes to a table")
struct TogetherTests {
    private static let rows = 5000
    private static let setUp = """
        CREATE TABLE items (id bigint PRIMARY KEY, a integer NOT NULL, b integer NOT NULL, c integer NOT NULL)
            WITH (autovacuum_enabled = off);
        INSERT INTO items SELECT i, i, -i, 2 * i FROM generate_series(1, \(rows)) i; ANALYZE items;
        """

    private static func widening(_ column: String, _ new: String, forward: String? = nil) -> Change {
        .alterColumn(
            AlterColumn(
                table: "items", column: column, to: NewColumn(name: new, type: "bigint"),
                forward: forward ?? "\(column)::bigint", backward: "\(new)::integer"))
    }

    private static let changes = [widening("a", "wide_a"), widening("b", "wide_b"), widening("c", "wide_c")]

    /// How many times a row was written, since `body` began.
    private func updates(_ database: EvolvingDatabase, _ body: () async throws -> Void) async throws -> Int {
        let count =
            "SELECT pg_stat_force_next_flush(); SELECT n_tup_upd FROM pg_stat_user_tables WHERE relname = 'items'"
        func read() async throws -> Int {
            Int(try await database.sql(count).split(separator: "\n").last ?? "") ?? -1
        }
        let before = try await read()
        try await body()
        return try await read() - before
    }

    private func wrong(_ database: EvolvingDatabase) async throws -> String {
        try await database.sql(
            "SELECT count(*) FROM items WHERE (wide_a, wide_b, wide_c) IS DISTINCT FROM (a::bigint, b::bigint, c::bigint)"
        )
    }

    @Test("writes each row once")
    func once() async throws {
        try await EvolvingDatabase.with(Self.setUp) { database in
            let spec = EvolvingDatabase.spec(Self.changes)
            try await database.walk(spec, to: .dualWrite)
            let updates = try await updates(database) {
                let report = try await database.walk(spec, to: .backfill)
                #expect(report.certificate?.rowsCompared == Int64(3 * Self.rows))
            }
            #expect(updates == Self.rows)
            #expect(try await wrong(database) == "0")
        }
    }

    @Test("fills a row that has a side of one of them already, and leaves that one as it is")
    func some() async throws {
        try await EvolvingDatabase.with(Self.setUp) { database in
            let spec = EvolvingDatabase.spec(Self.changes)
            try await database.walk(spec, to: .dualWrite)
            let marker = try await database.sql(
                """
                SELECT substring(pg_get_triggerdef(oid) FROM 'sluice_side_[0-9a-f]{8}') FROM pg_trigger
                WHERE tgrelid = 'items'::regclass AND pg_get_triggerdef(oid) ~ 'UPDATE OF wide_b' LIMIT 1
                """)
            // Written by the new version behind the triggers, as a worker that was killed may have filled it.
            try await database.sql(
                """
                ALTER TABLE items DISABLE TRIGGER USER;
                UPDATE items SET wide_b = b, \(marker) = 'n' WHERE id % 10 = 0;
                DO $$ DECLARE name text; BEGIN
                    FOR name IN SELECT tgname FROM pg_trigger WHERE tgrelid = 'items'::regclass AND NOT tgisinternal
                    LOOP EXECUTE format('ALTER TABLE items ENABLE ALWAYS TRIGGER %I', name); END LOOP;
                END $$;
                """)
            _ = try await database.run(spec, to: .backfill)
            #expect(try await wrong(database) == "0")
            #expect(try await database.sql("SELECT count(*) FROM items WHERE \(marker) = 'n'") == "\(Self.rows / 10)")
        }
    }
}
