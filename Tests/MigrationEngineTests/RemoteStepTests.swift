import Foundation
import MigrationEngine
import PostgreSQL
import SchemaChange
import Synchronization
import TestSupport
import Testing

/// A change whose new columns a worker computes, on a real server, with a worker that takes tasks as any other does.
@Suite("A remote step", .serialized)
struct RemoteStepTests {
    private static func change(timeout: Duration = .seconds(60), nullable: Bool? = nil) -> Change {
        .replaceColumns(
            ReplaceColumns(
                table: "customers",
                from: ["full_name"],
                to: [
                    NewColumn(name: "first_name", type: "varchar(20)", nullable: nullable),
                    NewColumn(name: "last_name", type: "text"),
                ],
                forwardBy: RemoteForward(
                    target: "poll://any@names", function: "split_name", timeout: SpecDuration(timeout)),
                backward: ["full_name": "first_name || coalesce(' ' || last_name, '')"]
            )
        )
    }

    private static let spec = EvolvingDatabase.spec([change()])

    private static func customers(_ rows: Int) -> String {
        """
        CREATE TABLE customers (id bigint PRIMARY KEY, full_name text, note text);
        INSERT INTO customers SELECT i, 'Ada' || i || CASE WHEN i % 3 = 0 THEN '' ELSE ' van der Berg' END
            FROM generate_series(1, \(rows)) i;
        ANALYZE customers;
        """
    }

    /// Rows that are not what the worker or `backward` makes of their side. The test's own SQL is the oracle.
    private static let wrong = """
        SELECT count(*) FROM customers WHERE (
            first_name IS DISTINCT FROM split_part(full_name, ' ', 1)
            OR last_name IS DISTINCT FROM nullif(substr(full_name, strpos(full_name || ' ', ' ') + 1), ''))
        """

    private static func marker(_ database: EvolvingDatabase) async throws -> String {
        try await database.sql(
            "SELECT attname FROM pg_attribute WHERE attname LIKE 'sluice\\_side\\_%' AND NOT attisdropped")
    }

    @Test("fills, proves, and goes back to what was before")
    func roundTrip() async throws {
        try await EvolvingDatabase.with(Self.customers(2500)) { database in
            let before = try await database.structure()
            let spec = EvolvingDatabase.spec([Self.change(nullable: false)])
            try await RemoteWorker.serving(database.url) {
                let report = try await database.walk(spec, to: .backfill)
                #expect(report.certificate?.rowsCompared == 2500)
                #expect(report.certificate?.oldSide == 2500)
                #expect(report.certificate?.mismatches == 0)
                #expect(try await database.sql(Self.wrong) == "0")
                try await database.sql("UPDATE customers SET first_name = 'Eve', last_name = 'Doe' WHERE id = 7")
                #expect(try await database.sql("SELECT full_name FROM customers WHERE id = 7") == "Eve Doe")
                try await database.walk(spec, to: .initial)
            }
            #expect(try await database.structure() == before)
            #expect(try await database.traces() == "")
            #expect(
                try await database.sql("SELECT full_name FROM customers WHERE id IN (7, 8) ORDER BY id")
                    == "Eve Doe\nAda8 van der Berg")
        }
    }

    @Test("adds a column from the columns that it names: they make it unfilled again, until somebody has written it")
    func addedColumn() async throws {
        try await EvolvingDatabase.with(Self.customers(300)) { database in
            let before = try await database.structure()
            let spec = EvolvingDatabase.spec([
                .addColumn(
                    AddColumn(
                        table: "customers", column: NewColumn(name: "first_name", type: "varchar(20)", nullable: false),
                        from: ["full_name", "id"],
                        forwardBy: RemoteForward(target: "poll://any@names", function: "split_name")))
            ])
            let wrong = """
                SELECT count(*) FROM customers
                WHERE first_name IS DISTINCT FROM split_part(full_name, ' ', 1) AND id <> 2
                """
            let asked = Mutex<[String]>([])
            try await RemoteWorker.serving(database.url) { rows, _ in
                asked.withLock { $0 += rows.map(\.key) }
                return .rows(RemoteWorker.split(rows).map { ["first_name": $0["first_name"] ?? nil] })
            } while: {
                let report = try await database.walk(spec, to: .backfill)
                #expect(report.certificate?.rowsCompared == 300 && report.certificate?.oldSide == 300)
                #expect(try await database.sql(wrong) == "0")
                asked.withLock { $0 = [] }
                try await database.sql(
                    """
                    UPDATE customers SET first_name = 'Eve' WHERE id = 2;
                    UPDATE customers SET full_name = 'Cher' WHERE id IN (1, 2);
                    UPDATE customers SET note = 'x' WHERE id = 3;
                    INSERT INTO customers (id, full_name) VALUES (1000, 'Mei Lin');
                    INSERT INTO customers (id, full_name, first_name) VALUES (1001, 'Bo Li', 'Bo');
                    """)
                #expect(
                    try await database.sql("SELECT id FROM customers WHERE first_name IS NULL ORDER BY id") == "1\n1000"
                )
                try await database.walk(spec, to: .backfill)
                #expect(asked.withLock { $0 } == ["1", "1000"])
                #expect(try await database.sql(wrong) == "0")
                #expect(try await database.sql("SELECT first_name FROM customers WHERE id = 2") == "Eve")
                try await database.walk(spec, to: .contract)
                try await database.walk(spec, to: .initial)
            }
            #expect(try await database.structure() == before)
            #expect(try await database.traces() == "")
        }
    }

    @Test("a write of the old version makes a row unfilled; the next run fills it, and Contract leaves none")
    func unfilled() async throws {
        try await EvolvingDatabase.with(Self.customers(300)) { database in
            try await RemoteWorker.serving(database.url) {
                let spec = EvolvingDatabase.spec([Self.change(nullable: false)])
                try await database.walk(spec, to: .backfill)
                try await database.sql("UPDATE customers SET first_name = 'Eve', last_name = 'Doe' WHERE id = 4")
                try await database.sql(
                    """
                    UPDATE customers SET full_name = 'Cher' WHERE id = 1;
                    UPDATE customers SET full_name = 'Tomáš Nguyen' WHERE id = 4;
                    INSERT INTO customers (id, full_name) VALUES (1000, 'Mei Lin');
                    UPDATE customers SET full_name = full_name WHERE id = 2;
                    UPDATE customers SET note = 'x' WHERE id = 3;
                    """)
                let marker = try await Self.marker(database)
                #expect(
                    try await database.sql(
                        "SELECT id, first_name, last_name FROM customers WHERE \(marker) IS NULL ORDER BY id")
                        == "1||\n4||\n1000||")
                // Of a row that is not filled nobody knows the first name yet.
                #expect(
                    try await database.refusal(of: "UPDATE customers SET last_name = 'B' WHERE id = 1").contains(
                        "40001"))
                #expect(try await database.engine.needsFilling(MigrationName(namespace: "shop", name: "a")))
                try await database.walk(spec, to: .backfill)
                #expect(try await !database.engine.needsFilling(MigrationName(namespace: "shop", name: "a")))
                #expect(try await database.sql(Self.wrong) == "0")
                #expect(
                    try await database.sql("SELECT full_name, last_name FROM customers WHERE id = 4")
                        == "Tomáš Nguyen|Nguyen")
                try await database.sql("UPDATE customers SET full_name = 'Bo Li' WHERE id = 5")
                try await database.walk(spec, to: .contract)
                #expect(
                    try await database.sql("SELECT first_name, last_name FROM customers WHERE id IN (1, 5) ORDER BY id")
                        == "Cher|\nBo|Li")
                #expect(
                    try await database.refusal(of: "UPDATE customers SET first_name = NULL WHERE id = 1").contains(
                        "23502"))
                try await database.walk(spec, to: .backfill)
                try await database.walk(spec, to: .initial)
                #expect(try await database.traces() == "")
            }
        }
    }

    @Test("waits for a worker by name and promise, and goes on when there is one")
    func absent() async throws {
        try await EvolvingDatabase.with(Self.customers(20)) { database in
            let spec = EvolvingDatabase.spec([Self.change(timeout: .seconds(2))])
            let obstacle = try await database.obstacle(spec, to: .backfill)
            #expect(obstacle.hasPrefix("WaitingForWorker: "))
            #expect(obstacle.contains("poll://any@names") && obstacle.contains("w1:backfill/0/fill.0.0"))
            try await RemoteWorker.serving(database.url) {
                try await database.walk(spec, to: .backfill)
            }
            #expect(try await database.sql(Self.wrong) == "0")
        }
    }

    @Test("stalls with the keys when the worker rejects or answers wrongly, and goes on when it is mended")
    func wrongAnswers() async throws {
        let cases: [(RemoteWorker.Reply, String, String)] = [
            (.rejected("no such name"), "WorkerFailed", "rejected rows (1) to (3) of public.customers: no such name"),
            (.rows([["first_name": "a", "last_name": nil]]), "WorkerAnswer", "it has 1 rows, and 3 were asked for"),
            (.json(#"{"first_name": 1}"#), "WorkerAnswer", "it is not a list"),
            (.json(#"[{"first_name": "a"}, {}, {}]"#), "WorkerAnswer", "key (1) has no \"last_name\""),
            (
                .json(#"[{"first_name": "a", "last_name": "b", "x": 1}, {}, {}]"#), "WorkerAnswer",
                "names a column that is not one of first_name, last_name"
            ),
            (
                .rows(Array(repeating: ["first_name": String(repeating: "x", count: 21), "last_name": ""], count: 3)),
                "WorkerAnswer", "value too long for type character varying(20) (22001)"
            ),
        ]
        try await EvolvingDatabase.with(Self.customers(3)) { database in
            for (reply, reason, message) in cases {
                let obstacle = try await RemoteWorker.serving(database.url) { _, _ in
                    reply
                } while: {
                    try await database.obstacle(Self.spec, to: .backfill)
                }
                #expect(obstacle.hasPrefix("\(reason): ") && obstacle.contains(message), "\(obstacle)")
                #expect(!obstacle.contains("Ada"))
            }
            try await RemoteWorker.serving(database.url) { try await database.walk(Self.spec, to: .backfill) }
            #expect(try await database.sql(Self.wrong) == "0")
        }
    }

    @Test("a row that is written while the worker thinks is not overwritten with what it says, and done again")
    func changedMeanwhile() async throws {
        try await EvolvingDatabase.with(Self.customers(50)) { database in
            try await RemoteWorker.serving(database.url) { rows, call in
                if call == 1 {
                    try await database.sql(
                        """
                        UPDATE customers SET full_name = 'Grace Hopper' WHERE id = 1;
                        UPDATE customers SET first_name = 'Cy', last_name = 'Young' WHERE id = 2;
                        DELETE FROM customers WHERE id = 3;
                        """)
                }
                return .rows(RemoteWorker.split(rows))
            } while: {
                let report = try await database.walk(Self.spec, to: .backfill)
                #expect(report.certificate?.rowsCompared == 49)
                #expect(report.certificate?.newSide == 1)
            }
            #expect(
                try await database.sql("SELECT full_name, first_name FROM customers WHERE id < 3 ORDER BY id")
                    == "Grace Hopper|Grace\nCy Young|Cy")
            #expect(try await database.sql(Self.wrong) == "0")
        }
    }

    @Test("a worker that is killed with a task in its hands is followed by another one")
    func killedWorker() async throws {
        try await EvolvingDatabase.with(Self.customers(50)) { database in
            let calls = Atomic(0)
            try await RemoteWorker.serving(database.url, lease: 500) { rows, call in
                calls.add(1, ordering: .relaxed)
                return call == 1 ? .nothing : .rows(RemoteWorker.split(rows))
            } while: {
                try await database.walk(Self.spec, to: .backfill)
            }
            #expect(calls.load(ordering: .relaxed) == 3, "one of them twice, and the proof")
            #expect(try await database.sql(Self.wrong) == "0")
        }
    }

    @Test("the answer that an engine gets which was taken over from meanwhile changes nothing")
    func fenced() async throws {
        try await EvolvingDatabase.with(Self.customers(600)) { database in
            try await RemoteWorker.serving(database.url, lease: 60_000) { rows, call in
                if call == 2 { try await database.sql("UPDATE sluice.migration SET fence = fence + 1") }
                return .rows(RemoteWorker.split(rows))
            } while: {
                #expect(try await database.obstacle(Self.spec, to: .backfill).hasPrefix("HeldByAnotherWorker: "))
                #expect(try await database.sql("SELECT count(first_name) FROM customers") == "100")
                #expect(try await database.sql("SELECT rows, calls FROM sluice.checkpoint") == "100|1")
                try await database.walk(Self.spec, to: .backfill)
            }
            #expect(try await database.sql(Self.wrong) == "0")
        }
    }

    @Test("a write of the old version that commits while Contract waits for its lock is filled before the archive")
    func underTheLock() async throws {
        try await EvolvingDatabase.with(Self.customers(20)) { database in
            try await RemoteWorker.serving(database.url) {
                try await database.walk(Self.spec, to: .backfill)
                try await withConnection(database.url, name: "version 1") { old in
                    try await old.execute("BEGIN; UPDATE customers SET full_name = 'Mei Lin' WHERE id = 7")
                    async let contracted = database.walk(Self.spec, to: .contract)
                    // As soon as the lock is asked for, so that it is there when the row is written.
                    try await eventually("Contract waits for the lock", within: .seconds(20), every: .milliseconds(2)) {
                        try await database.sql(
                            "SELECT count(*) FROM pg_locks WHERE NOT granted AND relation IS NOT NULL")
                            != "0"
                    }
                    try await old.execute("COMMIT")
                    _ = try await contracted
                }
            }
            #expect(try await database.sql("SELECT first_name, last_name FROM customers WHERE id = 7") == "Mei|Lin")
        }
    }

    @Test("the engine, stopped in the middle of a call, finds the same promise again, and the rows it was about")
    func killedEngine() async throws {
        try await EvolvingDatabase.with(Self.customers(600)) { database in
            let halt = Halt()
            let keys = Mutex<[String: Int]>([:])
            try await RemoteWorker.serving(database.url, lease: 60_000) { rows, call in
                keys.withLock { keys in
                    for row in rows { keys[row.key, default: 0] += 1 }
                }
                if call == 2 {
                    await halt.stop()
                }
                return .rows(RemoteWorker.split(rows))
            } while: {
                let run = Task { try await database.run(Self.spec, to: .backfill) }
                await halt.reached()
                run.cancel()
                _ = await run.result
                let filled = try await database.sql("SELECT rows FROM sluice.checkpoint WHERE step = 'backfill/0/fill'")
                #expect(filled == "100")
                // Whoever reads the rows anew gets others than the worker has in its hands.
                try await database.sql("DELETE FROM customers WHERE id = 110")
                halt.release()
                try await database.walk(Self.spec, to: .backfill)
            }
            #expect(try await database.sql(Self.wrong) == "0")
            let times = keys.withLock { $0 }
            #expect(times.count == 600 && times["110"] == 1)
            #expect(
                times.allSatisfy { $0.value == 2 || $0.key == "110" }, "each row once to fill it, and once to prove it")
        }
    }

    @Test("the proof finds a row of the old side that is not what the worker says")
    func corruption() async throws {
        try await EvolvingDatabase.with(Self.customers(300)) { database in
            try await RemoteWorker.serving(database.url) {
                try await database.walk(Self.spec, to: .backfill)
                try await database.walk(Self.spec, to: .dualWrite)
                try await database.sql(
                    """
                    ALTER TABLE customers DISABLE TRIGGER USER;
                    UPDATE customers SET last_name = 'Nobody' WHERE id = 42;
                    UPDATE customers SET full_name = 'Nobody' WHERE id = 43;
                    ALTER TABLE customers ENABLE TRIGGER USER;
                    """)
                try await database.walk(Self.spec, to: .dualWrite)
                let obstacle = try await database.obstacle(Self.spec, to: .backfill)
                #expect(
                    obstacle.hasPrefix("Mismatch: 2 of 300 rows") && obstacle.contains("keys (42), (43)"), "\(obstacle)"
                )
                try await database.sql("UPDATE customers SET full_name = 'Cleo' WHERE id IN (42, 43)")
                try await database.walk(Self.spec, to: .backfill)
                #expect(try await database.sql(Self.wrong) == "0")
            }
        }
    }

    @Test("loses no write while both versions work during the backfill")
    func bothWrite() async throws {
        try await EvolvingDatabase.with(
            Self.customers(1500) + "ALTER TABLE customers ADD meant text; UPDATE customers SET meant = full_name;"
        ) {
            database in
            try await database.walk(Self.spec, to: .dualWrite)
            try await RemoteWorker.serving(database.url) {
                try await withThrowingTaskGroup(of: Void.self) { group in
                    for writer in 0..<3 {
                        group.addTask {
                            var random = SplitMix(seed: UInt64(writer))
                            while !Task.isCancelled {
                                let id = Int.random(in: 1...1500, using: &random)
                                let word = "N\(Int.random(in: 0...999, using: &random))"
                                let statement =
                                    writer == 0
                                    ? "first_name = '\(word)', last_name = 'New', meant = '\(word) New'"
                                    : "full_name = '\(word) Old', meant = '\(word) Old'"
                                try await database.sql("UPDATE customers SET \(statement) WHERE id = \(id)")
                            }
                        }
                    }
                    try await database.walk(Self.spec, to: .backfill)
                    group.cancelAll()
                    while let result = await group.nextResult() { _ = result }
                }
                try await database.walk(Self.spec, to: .backfill)
            }
            #expect(try await database.sql(Self.wrong) == "0")
            #expect(
                try await database.sql("SELECT count(*) FROM customers WHERE full_name IS DISTINCT FROM meant") == "0")
            #expect(try await database.sql("SELECT count(*) > 20 FROM customers WHERE meant LIKE 'N%'") == "t")
        }
    }
}
