import PostgreSQL
import SchemaChange
import Synchronization
import TestSupport
import Testing

@testable import MigrationEngine

/// What somebody else does to the partitions of a table that is proven, or on its way there.
@Suite("The proof of a partitioned table")
struct PartitionTests {
    private static let spec = EvolvingDatabase.spec([
        .replaceColumns(
            ReplaceColumns(
                table: "sales", from: ["price"], to: [NewColumn(name: "cents", type: "bigint")],
                forward: ["cents": "price::bigint * 100"], backward: ["price": "(cents / 100)::int"]))
    ])
    private static let last =
        "SELECT tgname FROM pg_trigger WHERE tgrelid = 'sales'::regclass AND tgname ~ '^~sluice_[0-9a-f]+$'"

    private func withSales(
        on version: PostgresVersion = .installed, _ body: (EvolvingDatabase) async throws -> Void
    ) async throws {
        try await withTestDatabase(on: version.url) { url in
            try await EvolvingDatabase.on(url, ChangeKindTests.sales, body)
        }
    }

    /// A table with rows that no trigger has seen, and that table as a partition.
    private static func attach(_ region: Int, _ columns: String, _ rows: String) -> String {
        """
        CREATE TABLE sales_\(region) (LIKE sales INCLUDING DEFAULTS INCLUDING CONSTRAINTS);
        INSERT INTO sales_\(region) (region, id, \(columns)) VALUES \(rows);
        ALTER TABLE sales ATTACH PARTITION sales_\(region) FOR VALUES IN (\(region));
        """
    }

    @Test(
        "a partition that comes empty changes nothing, and one that comes with rows breaks it until they are filled",
        arguments: PostgresVersion.allCases)
    func attached(on version: PostgresVersion) async throws {
        try await withSales(on: version) { database in
            try await database.walk(Self.spec, to: .backfill)
            try await database.sql(
                """
                CREATE TABLE sales_5 PARTITION OF sales FOR VALUES IN (5) PARTITION BY RANGE (id);
                CREATE TABLE sales_5a PARTITION OF sales_5 DEFAULT;
                """)
            #expect(try await database.holds())
            try await database.sql("INSERT INTO sales (region, id, price) VALUES (5, 1, 3), (5, 2, 4)")
            #expect(try await database.holds())
            #expect(try await database.isUnlooked(), "it is not looked at for ever")
            try await database.walk(Self.spec, to: .backfill)
            #expect(try await !database.isUnlooked())

            // One row of the old version, and one of the new: what it wrote is not lost.
            try await database.sql(Self.attach(6, "price, cents", "(6, 1, 5, NULL), (6, 2, 0, 450), (6, 3, 0, 650)"))
            #expect(try await database.flaw().contains("partition public.sales_6 was attached"))
            // Nor by a write that names neither side, before they are filled.
            try await database.sql("UPDATE sales SET note = 'x' WHERE region = 6 AND id = 3")
            #expect(try await database.isUnlooked())
            try await database.walk(Self.spec, to: .backfill)
            #expect(try await database.holds())
            #expect(try await !database.isUnlooked())
            let rows = "SELECT id, price, cents FROM sales WHERE region = 6 ORDER BY id"
            #expect(try await database.sql(rows) == "1|5|500\n2|4|450\n3|6|650")

            // Detached, written, and attached again it is as good as new.
            try await database.sql(
                """
                ALTER TABLE sales DETACH PARTITION sales_6;
                UPDATE sales_6 SET price = 77 WHERE id = 1;
                ALTER TABLE sales ATTACH PARTITION sales_6 FOR VALUES IN (6);
                """)
            #expect(try await database.flaw().contains("partition public.sales_6 was attached"))
            let obstacle = try await database.obstacle(Self.spec, to: .contract)
            #expect(obstacle.hasPrefix("Mismatch: 1 of 3 rows of public.sales_6"), "\(obstacle)")
            try await database.sql(
                """
                UPDATE sales SET price = 0 WHERE region = 6 AND id = 1; UPDATE sales SET price = 77 WHERE region = 6 AND id = 1
                """)
            try await database.walk(Self.spec, to: .contract)

            // What comes after Contract has no old side: it gets one before anybody reads it.
            let archived = try await database.sql(
                "SELECT attname FROM pg_attribute WHERE attrelid = 'sales'::regclass AND attname LIKE 'sluice_archive%'"
            )
            try await database.sql(
                "ALTER TABLE sales DETACH PARTITION sales_5;"
                    + Self.attach(7, "cents, \(archived)", "(7, 1, 990, 0)")
                    + "CREATE TABLE sales_8 PARTITION OF sales FOR VALUES IN (8); INSERT INTO sales (region, id, cents) VALUES (8, 1, 300)"
            )
            try await database.walk(Self.spec, to: .backfill)
            #expect(
                try await database.sql("SELECT region, price, cents FROM sales WHERE region > 6 ORDER BY region")
                    == "7|9|990\n8|3|300")
            #expect(try await database.holds())
        }
    }

    @Test("a partition that comes with rows while all are filled is filled as well")
    func attachedMeanwhile() async throws {
        try await withSales { database in
            try await database.walk(Self.spec, to: .dualWrite)
            let trigger = try await database.sql(Self.last)
            // Somebody's mistake stops it between the two passes.
            try await database.sql(
                """
                ALTER TABLE sales_1 DISABLE TRIGGER USER;
                UPDATE sales_1 SET cents = 1, sluice_side_\(trigger.suffix(8)) = 'o' WHERE id = 2;
                """)
            for name in try await database.sql("SELECT tgname FROM pg_trigger WHERE tgrelid = 'sales'::regclass")
                .split(separator: "\n")
            {
                try await database.sql("ALTER TABLE sales_1 ENABLE ALWAYS TRIGGER \"\(name)\"")
            }
            let obstacle = try await database.obstacle(Self.spec, to: .backfill)
            #expect(obstacle.hasPrefix("Mismatch: 1 of "), "\(obstacle)")
            try await database.sql(
                "UPDATE sales SET price = price + 1 WHERE id = 2; UPDATE sales SET price = price - 1 WHERE id = 2;"
                    + Self.attach(6, "price", "(6, 1, 5), (6, 2, 6)"))
            try await database.walk(Self.spec, to: .backfill)
            #expect(try await database.sql("SELECT sum(cents) FROM sales WHERE region = 6") == "1100")
            #expect(try await database.holds())
            #expect(try await !database.isUnlooked())
        }
    }

    @Test("one that comes just before Contract takes the old side away is waited for")
    func attachedAtContract() async throws {
        try await withSales { database in
            try await database.walk(Self.spec, to: .backfill)
            let guards = Attaching(database, Self.attach(6, "price", "(6, 1, 5)"))
            let report = try await database.run(Self.spec, to: .contract, guards: guards)
            guard case .waiting("WaitingForPartitions", let message) = report.activity else {
                Issue.record("\(report.activity)")
                return
            }
            #expect(message.hasPrefix("partition public.sales_6 has just come"))
            try await database.walk(Self.spec, to: .contract)
            #expect(try await database.sql("SELECT cents FROM sales WHERE region = 6") == "500")
        }
    }

    @Test("a trigger that is off on one partition breaks it", arguments: PostgresVersion.allCases)
    func disabled(on version: PostgresVersion) async throws {
        try await withSales(on: version) { database in
            try await database.walk(Self.spec, to: .backfill)
            let trigger = try await database.sql(Self.last)
            try await database.sql("ALTER TABLE sales_2 DISABLE TRIGGER \"\(trigger)\"")
            #expect(
                try await database.flaw().contains(
                    "a trigger that keeps both sides right was dropped, disabled or replaced"))
            for phase in [Phase.contract, .expand] {
                #expect(try await database.obstacle(Self.spec, to: phase).hasPrefix("ProofBroken: "))
            }
            try await database.sql("ALTER TABLE sales_2a ENABLE ALWAYS TRIGGER \"\(trigger)\"")
            #expect(try await !database.holds(), "it is still off on sales_2b")
            try await database.walk(Self.spec, to: .dualWrite)
            try await database.walk(Self.spec, to: .backfill)
            #expect(try await database.holds())

            // Off for a moment: all looks as before, but for a row.
            let setting = "ALTER TABLE sales_2b %s TRIGGER \"\(trigger)\";"
            try await database.sql(
                setting.replacing("%s", with: "DISABLE") + "UPDATE sales SET price = 77 WHERE region = 2 AND id = 101;"
                    + setting.replacing("%s", with: "ENABLE ALWAYS"))
            #expect(try await database.flaw().contains("a trigger of it changed"))
            #expect(try await database.obstacle(Self.spec, to: .backfill).contains("rows of public.sales_2b"))
            try await database.sql("UPDATE sales SET price = price WHERE region = 2 AND id = 101")
            try await database.walk(Self.spec, to: .backfill)
            #expect(try await database.holds())
        }
    }

    @Test("a user's trigger of one partition alone must not run before or after those that keep both sides right")
    func ownTrigger() async throws {
        try await withSales { database in
            let create = """
                CREATE FUNCTION late() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN RETURN NEW; END$$;
                CREATE TRIGGER "~~late" BEFORE UPDATE ON sales_2b FOR EACH ROW EXECUTE FUNCTION late();
                """
            try await database.walk(Self.spec, to: .backfill)
            try await database.sql(create)
            #expect(try await !database.holds())
            try await database.sql("DROP TRIGGER \"~~late\" ON sales_2b")
            #expect(try await database.holds())
            try await database.walk(Self.spec, to: .initial)
            try await database.sql(
                "CREATE TRIGGER \"~~late\" BEFORE UPDATE ON sales_2b FOR EACH ROW EXECUTE FUNCTION late()")
            let obstacle = try await database.obstacle(Self.spec, to: .expand)
            #expect(obstacle.hasPrefix("UnsupportedTable: ") && obstacle.contains("~~late"), "\(obstacle)")
        }
    }

    @Test(
        "an index that is not finished on all partitions is gone on with by the next worker, and cleared away by whoever turns round",
        arguments: ["Backfill", "Initial"])
    func killed(way: String) async throws {
        try await withSales { database in
            let before = try await database.structure()
            let evolved = EvolvedDatabase(
                database.url, changes: "- createIndex: {table: sales, name: by_price, columns: [{column: price}]}")
            let left = "SELECT count(*) FROM pg_class WHERE relname LIKE 'sluice\\_index\\_%'"
            try await evolved.reach("DualWrite")
            try await withConnection(database.url, name: "nightly-load") { writer in
                try await writer.query("BEGIN")
                try await writer.query("INSERT INTO sales_3 VALUES (3, 1, 1)")
                try await evolved.running { process in
                    // The table's, that of sales_2, one that is built, and one that waits for the writer.
                    try await eventually("it is half way", within: .seconds(30)) {
                        try await database.sql(left) == "4"
                    }
                    try await process.kill()
                }
                try await writer.query("COMMIT")
            }
            try await evolved.reach(way)
            #expect(try await database.sql(left) == "0")
            guard way == "Backfill" else { return }
            let built = """
                SELECT indisvalid, (SELECT count(*) FROM pg_partition_tree('by_price')) FROM pg_index
                WHERE indexrelid = 'by_price'::regclass
                """
            #expect(try await database.sql(built) == "t|7")
            try await evolved.reach("Initial")
            try await database.sql("DELETE FROM sales WHERE region = 3")
            #expect(try await database.structure() == before)
        }
    }

    @Test("the locks of all partitions together are not waited for any longer than one is")
    func locks() async throws {
        try await withSales { database in
            try await withConnection(database.url, name: "report") { report in
                try await report.query("BEGIN")
                try await report.query("LOCK TABLE sales_2b IN ACCESS SHARE MODE")
                try await withConnection(database.url) { session in
                    // Each by itself would be waited for without an end.
                    try await session.query("SET lock_timeout = 0")
                    let lock = try #require(
                        PartitionLock("ACCESS EXCLUSIVE", TableName(schema: "public", name: "sales")))
                    let began = ContinuousClock.now
                    await #expect(throws: PartitionLock.TakesTooLong.self) {
                        try await session.transaction { try await lock.take(on: $0) }
                    }
                    #expect(ContinuousClock.now - began < .seconds(5))
                    try await report.query("COMMIT")
                    let limit = try await session.transaction { session in
                        try await lock.take(on: session)
                        return try await session.query("SHOW statement_timeout").row()[0]
                    }
                    #expect(limit == "0", "what is done under it has no such limit")
                }
            }
            #expect(PartitionLock("SHARE UPDATE EXCLUSIVE", TableName(schema: "public", name: "sales")) == nil)
        }
    }

    /// Runs a script when it is asked whether Contract may begin, once.
    private final class Attaching: MigrationGuards {
        private let database: EvolvingDatabase
        private let script: Mutex<String>

        init(_ database: EvolvingDatabase, _ script: String) {
            self.database = database
            self.script = Mutex(script)
        }

        func mayContract() async throws -> GuardVerdict {
            let script = script.withLock { script in
                defer { script = "" }
                return script
            }
            try await database.sql(script)
            return .allowed
        }

        func mayGoBack(to phase: Phase) async throws -> GuardVerdict { .allowed }
    }
}

extension EvolvingDatabase {
    private static let name = MigrationName(namespace: "shop", name: "a")

    fileprivate func holds() async throws -> Bool {
        if case .holds = try await engine.checkProof(Self.name) { true } else { false }
    }

    fileprivate func flaw() async throws -> String {
        if case .broken(let reason) = try await engine.checkProof(Self.name) { reason } else { "" }
    }

    fileprivate func isUnlooked() async throws -> Bool {
        try await engine.needsFilling(Self.name)
    }
}
