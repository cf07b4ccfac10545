import Foundation
import MigrationEngine
import PostgreSQL
import SchemaChange
import Synchronization
import TestSupport
import Testing

/// What has cost others an outage: the plain statement that did it, seen to do it, and then Sluice at the same.
///
/// Three more stand elsewhere: the last rows lost at the cut-over in ``OracleTests`` (with weaker triggers, and then ours), WAL that
/// nobody archives in ``ThrottleTests``, and the deadlock with whoever locks in another order in ``SafetyTests``.
@Suite("Incidents of others")
struct IncidentTests {
    private static let orders = """
        CREATE TABLE customers (id int PRIMARY KEY); INSERT INTO customers VALUES (1);
        CREATE TABLE orders (id int PRIMARY KEY, customer int, code text);
        INSERT INTO orders SELECT i, 1, 'c' || i FROM generate_series(1, 1000) i; ANALYZE orders;
        """
    private static let reference = Change.addConstraint(
        AddConstraint(
            table: "orders",
            NewConstraint(
                name: "of_customer",
                foreignKey: .init(columns: ["customer"], references: References(table: "customers", columns: ["id"]))),
            enforce: .expand))

    /// Runs the body while a session of the application's is in the middle of a transaction, which the body may end.
    private func whileOpen(
        _ database: EvolvingDatabase, _ statement: String,
        _ body: (_ commit: () async throws -> Void) async throws -> Void
    ) async throws {
        try await withConnection(database.url, name: "nightly") { nightly in
            try await nightly.execute("BEGIN; \(statement)")
            try await body { try await nightly.execute("COMMIT") }
        }
    }

    /// How long the longest of some writes takes, each but a moment after the one before.
    private func longestWrite(_ database: EvolvingDatabase, during time: Duration) async throws -> Duration {
        try await withConnection(database.url, name: "shop") { shop in
            var longest = Duration.zero
            let end = ContinuousClock.now + time
            while ContinuousClock.now < end {
                let began = ContinuousClock.now
                _ = try await shop.query("UPDATE orders SET code = code WHERE id = 1")
                longest = max(longest, .now - began)
                try await Task.sleep(for: .milliseconds(5))
            }
            return longest
        }
    }

    @Test("1: a foreign key that queues behind a long transaction stops everybody behind it; ours lets them pass")
    func foreignKey() async throws {
        try await EvolvingDatabase.with(Self.orders) { database in
            try await whileOpen(database, "UPDATE orders SET code = code WHERE id = 1000") { _ in
                async let naive = Program.run(
                    "psql",
                    [
                        "--no-psqlrc", "--command=SET statement_timeout = '2s'",
                        "--command=ALTER TABLE orders ADD FOREIGN KEY (customer) REFERENCES customers (id)",
                        database.url,
                    ])
                try await eventually("it waits", within: .seconds(10)) {
                    try await database.sql("SELECT count(*) FROM pg_locks WHERE NOT granted") != "0"
                }
                let stalled = try await longestWrite(database, during: .milliseconds(100))
                #expect(stalled > .seconds(1), "whoever writes waits as long as it does")
                #expect(try await naive.status != 0)
            }
            let told = Told()
            let spec = EvolvingDatabase.spec([Self.reference])
            try await whileOpen(database, "UPDATE orders SET code = code WHERE id = 1000") { commit in
                async let walked: MigrationReport = database.engine.run(
                    MigrationName(namespace: "shop", name: "a"), uid: nil, spec: spec, to: .backfill,
                    guards: EvolvingDatabase.AllowingGuards(), report: told.hear)
                try await eventually("it waits, and says for whom", within: .seconds(20)) {
                    told.text.contains("nightly") ? nil : told.text
                }
                let stalled = try await longestWrite(database, during: .seconds(2))
                #expect(stalled < .milliseconds(500))
                try await commit()
                #expect(try await walked.activity == .reached)
            }
            #expect(
                try await database.sql("SELECT convalidated FROM pg_constraint WHERE conname = 'of_customer'") == "t")
        }
    }

    @Test("2: an index that gave up waiting is left invalid, and taken for built; ours waits, and is valid")
    func invalidIndex() async throws {
        try await EvolvingDatabase.with(Self.orders) { database in
            let valid = "SELECT indisvalid FROM pg_index WHERE indexrelid = 'by_code'::regclass"
            try await whileOpen(database, "UPDATE orders SET code = code WHERE id = 1000") { _ in
                let refusal = try await database.refusal(
                    of: "CREATE INDEX CONCURRENTLY by_code ON orders (code)", setting: "lock_timeout=300ms")
                #expect(refusal.contains("55P03"))
                try await database.sql(
                    "SET lock_timeout = '300ms'; CREATE INDEX CONCURRENTLY IF NOT EXISTS by_code ON orders (code)")
                #expect(try await database.sql(valid) == "f")
            }
            try await database.sql("DROP INDEX by_code")
            let told = Told()
            let spec = EvolvingDatabase.spec([
                .createIndex(CreateIndex(table: "orders", name: "by_code", columns: [.init(column: "code")]))
            ])
            try await whileOpen(database, "UPDATE orders SET code = code WHERE id = 1000") { commit in
                async let walked: MigrationReport = database.engine.run(
                    MigrationName(namespace: "shop", name: "a"), uid: nil, spec: spec, to: .backfill,
                    guards: EvolvingDatabase.AllowingGuards(), report: told.hear)
                try await eventually("it waits", within: .seconds(20)) { told.text.contains("nightly") }
                try await Task.sleep(for: .milliseconds(400))
                try await commit()
                #expect(try await walked.activity == .reached)
            }
            #expect(try await database.sql(valid) == "t")
        }
    }

    @Test("3: two who take turns by an advisory lock, one of whom builds an index, deadlock; two of ours do not")
    func advisoryLock() async throws {
        try await EvolvingDatabase.with(Self.orders) { database in
            try await withConnection(database.url) { builder in
                try await builder.execute("SELECT pg_advisory_lock(1)")
                async let waiting = Program.run(
                    "psql", ["--no-psqlrc", "--command=SELECT pg_advisory_lock(1)", database.url])
                try await eventually("the other waits", within: .seconds(10)) {
                    try await database.sql(
                        "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted") == "1"
                }
                var wasVictim = false
                do {
                    try await builder.execute("CREATE INDEX CONCURRENTLY naive ON orders (code)")
                } catch let error as PostgresError {
                    wasVictim = error.sqlState == "40P01"
                }
                try await builder.execute("SELECT pg_advisory_unlock(1)")
                let other = try await waiting
                #expect(wasVictim || other.standardError.contains("deadlock"))
            }
            let spec = EvolvingDatabase.spec([
                .createIndex(CreateIndex(table: "orders", name: "by_code", columns: [.init(column: "code")]))
            ])
            let second = EvolvingDatabase(url: database.url, engine: try EvolvingDatabase.engine(on: database.url))
            async let first: Void = Walker(database: database, spec: spec).walk(to: .backfill)
            async let other: Void = Walker(database: second, spec: spec).walk(to: .backfill)
            _ = try await (first, other)
            #expect(
                try await database.sql("SELECT indisvalid FROM pg_index WHERE indexrelid = 'by_code'::regclass") == "t")
        }
    }

    @Test("4: the lock of a killed migrator is nobody's for ever; ours is another's within seconds")
    func lockOfTheDead() async throws {
        try await EvolvingDatabase.with(Self.orders + "CREATE TABLE migration_lock (is_locked bool);") { database in
            // As migrators with a table of their own do, and SIGKILL in the middle.
            try await database.sql("INSERT INTO migration_lock VALUES (true)")
            #expect(try await database.sql("SELECT is_locked FROM migration_lock") == "t")
            let walker = Walker(database: database, spec: EvolvingDatabase.spec([Self.reference]))
            try await whileOpen(database, "UPDATE orders SET code = code WHERE id = 1000") { _ in
                try await walker.killProcess(onTheWayTo: .backfill, after: 1)
            }
            let began = ContinuousClock.now
            try await walker.walk(to: .backfill)
            #expect(ContinuousClock.now - began < .seconds(15))
        }
    }

    @Test("6: one transaction over all rows is killed, and all of it was for nothing; ours keeps what it has done")
    func oneTransaction() async throws {
        try await withTestDatabase { url in
            let database = try await EvolvedDatabase.withItems(url, rows: 60_000, chunkDuration: "2ms")
            let size = "SELECT pg_relation_size('items')"
            let before = try #require(Int(try await database.sql(size)))
            try await withConnection(url, name: "one-transaction") { session in
                let naive = Task {
                    try await session.query(
                        "UPDATE items SET label = upper(label) WHERE pg_sleep(0.00005) IS NOT NULL")
                }
                try await eventually("a part of it", within: .seconds(30)) {
                    try await database.sql("SELECT pg_relation_size('items') > 1.2 * \(before)") == "t" ? true : nil
                }
                try await database.sql(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'one-transaction'")
                await #expect(throws: PostgresError.self) { _ = try await naive.value }
            }
            let done = try await database.sql("SELECT count(*) FROM items WHERE label ~ '^ITEM'")
            #expect(done == "0")

            try await database.reach("DualWrite")
            try await database.running { process in
                try await process.chunksLogged(20, of: "backfill")
                try await process.kill()
            }
            try await database.sql(
                "CREATE TABLE kept AS SELECT id, xmin::text AS version FROM items WHERE cents IS NOT NULL")
            #expect(try await database.sql("SELECT count(*) > 0 FROM kept") == "t")
            try await database.reach("Backfill")
            let again = "SELECT count(*) FROM items JOIN kept USING (id) WHERE items.xmin::text <> kept.version"
            #expect(try await database.sql(again) == "0")
        }
    }

    @Test("9: another type for a column rewrites the table while nobody may read it; ours leaves its file as it is")
    func rewrite() async throws {
        try await EvolvingDatabase.with(Self.orders) { database in
            let file = "SELECT pg_relation_filenode('orders')"
            let before = try await database.sql(file)
            try await database.sql("BEGIN; ALTER TABLE orders ALTER customer TYPE bigint; COMMIT")
            #expect(try await database.sql(file) != before, "rewritten")
            try await database.sql("ALTER TABLE orders ALTER customer TYPE int")
            let now = try await database.sql(file)
            try await database.walk(
                EvolvingDatabase.spec([.alterColumn(AlterColumn(table: "orders", column: "customer", type: "bigint"))]),
                to: .contract)
            #expect(try await database.sql("SELECT pg_typeof(customer) FROM orders WHERE id = 1") == "bigint")
            #expect(try await database.sql(file) == now)
        }
    }

    @Test("10: statements that a pool has prepared fail after DDL; with ours the old version's work until it is gone")
    func preparedStatements() async throws {
        try await EvolvingDatabase.with(Self.orders) { database in
            let prepare = "PREPARE read AS SELECT id, customer, code FROM orders WHERE id = 1; EXECUTE read"
            try await withConnection(database.url, name: "shop-v1") { pooled in
                try await pooled.execute(prepare)
                try await database.sql("ALTER TABLE orders ALTER code TYPE varchar(40)")
                await #expect(throws: PostgresError.self) { try await pooled.execute("EXECUTE read") }
            }
            try await withConnection(database.url, name: "shop-v1") { pooled in
                try await pooled.execute(prepare)
                let spec = MigrationSpec(
                    changes: [.alterColumn(AlterColumn(table: "orders", column: "code", type: "text"))],
                    contract: ContractSettings(
                        soak: SpecDuration(.zero), withoutRollouts: true, oldSessions: ["shop-v1"]))
                for phase in [Phase.expand, .dualWrite, .backfill] {
                    try await database.walk(spec, to: phase)
                    try await pooled.execute("EXECUTE read")
                }
                #expect(try await database.obstacle(spec, to: .contract).hasPrefix("WaitingForSessions: "))
                try await pooled.execute("EXECUTE read")
            }
        }
    }
}
