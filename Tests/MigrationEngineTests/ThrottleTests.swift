import Backfill
import Foundation
import MigrationEngine
import PostgreSQL
import SchemaChange
import Synchronization
import TestSupport
import Testing

/// What a run was held by, and when it was told.
private final class HoldLog: Sendable {
    private let state = Mutex<(hold: ThrottleHold?, reasons: [String])>((nil, []))

    var hold: ThrottleHold? { state.withLock { $0.hold } }
    var reasons: [String] { state.withLock { $0.reasons } }

    func hear(_ report: MigrationReport) {
        state.withLock { state in
            if let hold = report.hold, hold.reason != state.hold?.reason { state.reasons.append(hold.reason) }
            state.hold = report.hold
        }
    }
}

/// A backfill that goes on and on while something is made too much for the server.
private struct HeldBackfill: Sendable {
    let database: EvolvingDatabase
    let log = HoldLog()

    static let rows = 200_000
    /// What the issue of all this asks for is a second; a machine that does much else is given some more.
    private static let soon = Duration.seconds(TestServers.isSoak ? 1 : 5)

    /// - Parameter settings: besides a rate at which the table would take a minute and more.
    static func on(
        _ url: String, as role: String? = nil, _ settings: (inout ThrottleSettings) -> Void,
        _ body: @escaping @Sendable (HeldBackfill) async throws -> Void
    ) async throws {
        var throttle = ThrottleSettings()
        throttle.maxRowsPerSecond = 3000
        settings(&throttle)
        var spec = EvolvingDatabase.spec([
            .alterColumn(
                AlterColumn(
                    table: "items", column: "a", to: NewColumn(name: "b", type: "bigint"), forward: "a::bigint",
                    backward: "b::integer"))
        ])
        spec.backfill = BackfillSettings(chunkDuration: SpecDuration(.milliseconds(10)), throttle: throttle)
        let final = spec
        let setUp = """
            CREATE TABLE items (id bigint PRIMARY KEY, a integer NOT NULL) WITH (autovacuum_enabled = off);
            INSERT INTO items SELECT i, i FROM generate_series(1, \(rows)) i; ANALYZE items;
            """
        try await Psql.run(setUp, on: url)
        if let role { try await Psql.run("ALTER TABLE items OWNER TO \(role)", on: url) }
        let ours = role.map { url.replacing("postgres:sluice@", with: "\($0):x@") } ?? url
        let held = HeldBackfill(database: EvolvingDatabase(url: url, engine: try EvolvingDatabase.engine(on: ours)))
        try await withThrowingTaskGroup(of: MigrationReport?.self) { group in
            group.addTask {
                try await held.database.engine.run(
                    MigrationName(namespace: "shop", name: "a"), uid: nil, spec: final, to: .backfill,
                    guards: EvolvingDatabase.AllowingGuards(), report: { held.log.hear($0) })
            }
            group.addTask {
                try await body(held)
                return nil
            }
            let first = try await group.next()
            group.cancelAll()
            if case let report?? = first { throw TestFailure("the backfill ended: \(report.activity)") }
        }
    }

    func filled() async throws -> Int {
        let columns = try await database.sql(
            "SELECT attname FROM pg_attribute WHERE attrelid = 'items'::regclass AND attname LIKE 'sluice_side%'")
        guard !columns.isEmpty else { return 0 }
        return Int(try await database.sql("SELECT count(*) FROM items WHERE \(columns) IS NOT NULL")) ?? 0
    }

    func isUnderWay() async throws {
        let before = try await filled()
        try await eventually("rows are filled") { try await filled() > before }
    }

    /// Within a second it is held, and no row is filled any more.
    func isHeld(by reason: String, saying words: String) async throws {
        let began = ContinuousClock.now
        try await eventually("it is held by \(reason)", within: .seconds(20)) { log.hold?.reason == reason }
        let took = ContinuousClock.now - began
        #expect(took < Self.soon, "held after \(took)")
        #expect(log.hold?.message.contains(words) == true, "\(log.hold?.message ?? "")")
        // A chunk that was under way may still be committed.
        try await Task.sleep(for: .milliseconds(100))
        let before = try await filled()
        try await Task.sleep(for: .milliseconds(500))
        #expect(try await filled() == before)
    }

    func isReleased() async throws {
        let began = ContinuousClock.now
        try await eventually("nothing holds it", within: .seconds(20)) { log.hold == nil }
        let took = ContinuousClock.now - began
        #expect(took < Self.soon, "released after \(took)")
        try await isUnderWay()
    }

    /// Writes so much WAL.
    func writeWAL(megabytes: Int) async throws {
        try await database.sql(
            """
            CREATE TABLE IF NOT EXISTS filler (t text);
            INSERT INTO filler SELECT repeat(md5(i::text), 32) FROM generate_series(1, \(megabytes * 1024)) i;
            """)
    }
}

@Suite("What holds a backfill")
struct ThrottleTests {
    @Test("a standby that falls behind holds it, until it has caught up")
    func standby() async throws {
        try await withPrivatePostgres { primary in
            try await primary.withStandby("reader") { standby in
                try await HeldBackfill.on(primary.url) {
                    $0.maxReplicationLag = .at(SpecDuration(.seconds(2)))
                } _: { backfill in
                    try await backfill.isUnderWay()
                    try await Psql.run("SELECT pg_wal_replay_pause()", on: standby.url)
                    // That is how far it may fall behind.
                    try await Task.sleep(for: .seconds(2))
                    try await backfill.isHeld(by: "ReplicationLag", saying: "reader is ")
                    try await Psql.run("SELECT pg_wal_replay_resume()", on: standby.url)
                    try await backfill.isReleased()
                }
            }
        }
    }

    @Test("so does one that is behind by more bytes than it may be, whatever the time")
    func standbyBytes() async throws {
        try await withPrivatePostgres { primary in
            try await primary.withStandby("reader") { standby in
                try await HeldBackfill.on(primary.url) {
                    $0.maxReplicationLag = .off
                    $0.maxReplicationLagBytes = .at(SpecByteCount(4 << 20))
                } _: { backfill in
                    try await backfill.isUnderWay()
                    try await Psql.run("SELECT pg_wal_replay_pause()", on: standby.url)
                    try await backfill.writeWAL(megabytes: 6)
                    try await backfill.isHeld(by: "ReplicationLag", saying: "MiB behind (the limit is 4.0 MiB)")
                    try await Psql.run("SELECT pg_wal_replay_resume()", on: standby.url)
                    try await backfill.isReleased()
                }
            }
        }
    }

    @Test("incident 7: WAL that cannot be archived fills the disk; ours waits until the archive takes it")
    func archive() async throws {
        let settings = ["archive_mode=on", "archive_command=test ! -e full", "archive_timeout=1"]
        try await withPrivatePostgres(settings: settings) { server in
            try await HeldBackfill.on(server.url) {
                $0.maxArchiveBacklog = .at(SpecByteCount(40 << 20))
            } _: { backfill in
                try await backfill.database.sql("SELECT pg_switch_wal()")
                try await eventually("something is archived") {
                    try await backfill.database.sql("SELECT archived_count > 0 FROM pg_stat_archiver") == "t"
                }
                try await backfill.isUnderWay()
                // It is looked for in the folder of the data.
                _ = FileManager.default.createFile(atPath: server.folder + "/data/full", contents: nil)
                for _ in 0..<5 {
                    try await backfill.writeWAL(megabytes: 1)
                    try await backfill.database.sql("SELECT pg_switch_wal()")
                }
                try await backfill.isHeld(by: "ArchiveBacklog", saying: "of WAL wait to be archived")
                // The plain statement goes on, and adds what the disk has no room for.
                let written = try await backfill.database.sql(
                    """
                    SELECT pg_current_wal_lsn() AS before \\gset
                    UPDATE filler SET t = t || '.';
                    SELECT pg_wal_lsn_diff(pg_current_wal_lsn(), :'before') > 4000000
                    """)
                #expect(written == "t")
                try FileManager.default.removeItem(atPath: server.folder + "/data/full")
                try await eventually("the queue is empty", within: .seconds(60)) {
                    try await backfill.database.sql(
                        "SELECT last_archived_time > last_failed_time AND last_archived_time > now() - interval '3 s' "
                            + "FROM pg_stat_archiver") == "t"
                }
                try await eventually("nothing holds it", within: .seconds(20)) { backfill.log.hold == nil }
                try await backfill.isUnderWay()
            }
        }
    }

    @Test("a slot that nobody reads from holds it, until it is dropped")
    func slot() async throws {
        try await withPrivatePostgres { server in
            try await HeldBackfill.on(server.url) {
                $0.maxSlotWAL = .at(SpecByteCount(4 << 20))
            } _: { backfill in
                try await backfill.isUnderWay()
                try await backfill.database.sql("SELECT pg_create_physical_replication_slot('forgotten', true)")
                try await backfill.writeWAL(megabytes: 6)
                try await backfill.isHeld(by: "SlotWAL", saying: "slot forgotten keeps ")
                try await backfill.database.sql("SELECT pg_drop_replication_slot('forgotten')")
                try await backfill.isReleased()
            }
        }
    }

    @Test("a session that waits for a row of the backfill's holds it")
    func blocked() async throws {
        try await withTestDatabase { url in
            try await HeldBackfill.on(url) {
                $0.maxBlocked = .at(SpecDuration(.milliseconds(50)))
            } _: { backfill in
                try await backfill.isUnderWay()
                // Our session of a worker, as it were, which somebody else keeps from ending.
                let worker = try await backfill.database.sql(
                    "SELECT DISTINCT application_name FROM pg_stat_activity "
                        + "WHERE datname = current_database() AND application_name LIKE 'sluice/w/%'")
                try await withConnection(url, name: worker) { ours in
                    try await ours.execute("BEGIN; UPDATE items SET a = a WHERE id = 1")
                    async let waiter = Program.run(
                        "psql", ["--no-psqlrc", "-c", "UPDATE items SET a = a WHERE id = 1", url])
                    try await backfill.isHeld(by: "BlockedSessions", saying: "for a row or table of the backfill's")
                    try await ours.execute("COMMIT")
                    _ = try await waiter
                    try await backfill.isReleased()
                }
            }
        }
    }

    @Test("an old transaction holds it, and so does one that was prepared and forgotten")
    func transactions() async throws {
        try await withPrivatePostgres(settings: ["max_prepared_transactions=2"]) { server in
            try await HeldBackfill.on(server.url) {
                $0.maxTransactionAge = .at(SpecDuration(.seconds(1)))
            } _: { backfill in
                try await backfill.isUnderWay()
                try await withConnection(server.url, name: "report") { report in
                    try await report.execute("BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT count(*) FROM items")
                    try await Task.sleep(for: .seconds(1))
                    try await backfill.isHeld(by: "OldTransactions", saying: "(report) has been open for ")
                    try await report.execute("COMMIT")
                }
                try await backfill.isReleased()
                try await backfill.database.sql("BEGIN; CREATE TABLE p (); PREPARE TRANSACTION 'forgotten'")
                try await Task.sleep(for: .seconds(1))
                try await backfill.isHeld(by: "OldTransactions", saying: "prepared transaction 'forgotten'")
                try await backfill.database.sql("ROLLBACK PREPARED 'forgotten'")
                try await backfill.isReleased()
            }
        }
    }

    @Test("dead rows that wait for a vacuum hold it")
    func deadRows() async throws {
        try await withTestDatabase { url in
            try await HeldBackfill.on(url) {
                $0.maxDeadRows = .at(20)
            } _: { backfill in
                try await backfill.isUnderWay()
                // Statistics that begin anew know of no live row, and of few dead ones.
                try await backfill.database.sql(
                    "SELECT pg_stat_reset(); UPDATE items SET a = a WHERE id % 15 = 0; SELECT pg_stat_force_next_flush()"
                )
                try await Task.sleep(for: .seconds(1))
                #expect(!backfill.log.reasons.contains("DeadRows"))
                try await backfill.database.sql("UPDATE items SET a = a WHERE id % 2 = 0")
                try await eventually("the statistics have it") { backfill.log.hold?.reason == "DeadRows" }
                try await backfill.isHeld(by: "DeadRows", saying: "it needs a vacuum")
                try await backfill.database.sql("VACUUM items")
                try await eventually("nothing holds it", within: .seconds(20)) { backfill.log.hold == nil }
            }
        }
    }

    @Test("a vacuum of the table against wraparound holds it, and another one does not, unless any is to")
    func vacuum() async throws {
        try await withTestDatabase { url in
            let slowly = ["SET vacuum_cost_delay = 50", "SET vacuum_cost_limit = 1", "VACUUM (FREEZE) items"]
                .map { "--command=\($0)" }
            for policy in [AutovacuumPolicy.wraparound, .any] {
                try await Psql.run("DROP TABLE IF EXISTS items CASCADE; DROP SCHEMA IF EXISTS sluice CASCADE", on: url)
                try await HeldBackfill.on(url) {
                    $0.autovacuum = policy
                } _: { backfill in
                    try await backfill.isUnderWay()
                    let vacuum = Task { try await Program.run("psql", ["--no-psqlrc", url] + slowly) }
                    defer { vacuum.cancel() }
                    try await eventually("the vacuum runs") {
                        try await backfill.database.sql(
                            "SELECT count(*) FROM pg_stat_progress_vacuum v "
                                + "WHERE v.relid = 'items'::regclass") == "1"
                    }
                    if policy == .wraparound {
                        try await backfill.isUnderWay()
                        #expect(!backfill.log.reasons.contains("Vacuum"))
                        try await backfill.database.sql(
                            "SET lock_timeout = 0; SELECT pg_cancel_backend(pid) FROM pg_stat_progress_vacuum "
                                + "WHERE relid = 'items'::regclass")
                        // Numbers of transactions are used up until the table is so old.
                        try await backfill.database.sql(
                            """
                            ALTER TABLE items SET (autovacuum_freeze_max_age = 100000);
                            CREATE TABLE used (i int);
                            DO $$ BEGIN FOR i IN 1..100100 LOOP
                                BEGIN INSERT INTO used VALUES (1); EXCEPTION WHEN others THEN END;
                            END LOOP; END $$
                            """)
                        let again = Task { try await Program.run("psql", ["--no-psqlrc", url] + slowly) }
                        defer { again.cancel() }
                        try await eventually("it is held", within: .seconds(20)) {
                            backfill.log.hold?.reason == "Vacuum"
                        }
                        try await backfill.isHeld(
                            by: "Vacuum", saying: "items is being vacuumed against wraparound (pid ")
                    } else {
                        try await backfill.isHeld(by: "Vacuum", saying: "items is being vacuumed (pid ")
                    }
                    try await backfill.database.sql(
                        "SELECT pg_terminate_backend(pid) FROM pg_stat_progress_vacuum WHERE relid = 'items'::regclass")
                    try await backfill.isReleased()
                }
            }
        }
    }

    @Test("a disk that gets full holds it, as the query says that was given")
    func disk() async throws {
        try await withTestDatabase { url in
            try await Psql.run("CREATE TABLE disk (free bigint); INSERT INTO disk VALUES (30000000000)", on: url)
            try await HeldBackfill.on(url) {
                $0.disk = DiskProbe(query: "SELECT free FROM disk", minFree: SpecByteCount(10 << 30))
            } _: { backfill in
                try await backfill.isUnderWay()
                try await backfill.database.sql("UPDATE disk SET free = 3000000000")
                try await backfill.isHeld(by: "DiskSpace", saying: "2.7 GiB are left on disk (the limit is 10.0 GiB)")
                try await backfill.database.sql("UPDATE disk SET free = 30000000000")
                try await backfill.isReleased()
                try await backfill.database.sql("DROP TABLE disk")
                try await backfill.isHeld(by: "DiskSpace", saying: "it cannot be looked at: relation")
            }
        }
    }

    @Test("what a query of the user's writes is refused, and holds it")
    func readOnly() async throws {
        try await withTestDatabase { url in
            try await HeldBackfill.on(url) {
                $0.latency = LatencyProbe(query: "DELETE FROM items", max: SpecDuration(.seconds(1)))
            } _: { backfill in
                try await backfill.isHeld(by: "Latency", saying: "cannot execute DELETE in a read-only transaction")
                #expect(try await backfill.database.sql("SELECT count(*) FROM items") == "\(HeldBackfill.rows)")
            }
        }
    }

    @Test("a statement of the application's that takes too long slows it down, and holds it at last")
    func latency() async throws {
        try await withTestDatabase { url in
            try await Psql.run("CREATE TABLE pace (seconds float8); INSERT INTO pace VALUES (0)", on: url)
            try await HeldBackfill.on(url) {
                $0.latency = LatencyProbe(
                    query: "SELECT pg_sleep(seconds) FROM pace", max: SpecDuration(.milliseconds(150)))
            } _: { backfill in
                try await backfill.isUnderWay()
                try await backfill.database.sql("UPDATE pace SET seconds = 0.2")
                try await eventually("it is held", within: .seconds(20)) { backfill.log.hold?.reason == "Latency" }
                try await backfill.isHeld(by: "Latency", saying: "the application's statement takes 2")
                try await backfill.database.sql("UPDATE pace SET seconds = 0")
                try await backfill.isReleased()
            }
        }
    }

    @Test("outside of its windows it is held")
    func windows() async throws {
        try await withTestDatabase { url in
            // Two hours, that are over for an hour wherever it is this time of day.
            let now = try await Psql.run(
                "SELECT to_char(now() AT TIME ZONE 'Asia/Tokyo' - interval '3 h', 'HH24:MI'), "
                    + "to_char(now() AT TIME ZONE 'Asia/Tokyo' - interval '1 h', 'HH24:MI')", on: url)
            let times = now.split(separator: "|").compactMap { TimeOfDay(String($0)) }
            try await HeldBackfill.on(url) {
                $0.windows = [TimeWindow(from: times[0], to: times[1], timeZone: "Asia/Tokyo")]
            } _: { backfill in
                try await backfill.isHeld(by: "OutsideWindow", saying: "–\(times[1]) Asia/Tokyo only")
            }
            try await Psql.run("DROP TABLE items; DROP SCHEMA sluice CASCADE", on: url)
            try await HeldBackfill.on(url) {
                $0.windows = [TimeWindow(from: times[1], to: times[0], timeZone: "Asia/Tokyo")]
            } _: { backfill in
                try await backfill.isUnderWay()
            }
        }
    }

    @Test("what the role may not see holds it, and says what to grant; granted or switched off, it goes on")
    func unreadable() async throws {
        let role = uniqueName("role").replacing("-", with: "_")
        try await withTestDatabase { url in
            try await Psql.run(
                """
                CREATE ROLE \(role) LOGIN PASSWORD 'x'; GRANT CREATE, TEMPORARY ON DATABASE "\(databaseName(url))" TO \(role);
                GRANT CREATE ON SCHEMA public TO \(role);
                """, on: url)
            try await HeldBackfill.on(url, as: role, { _ in }) { backfill in
                try await withConnection(url, name: "another role's") { _ in
                    try await backfill.isHeld(
                        by: "OldTransactions",
                        saying: "other roles' transactions have been open cannot be read: grant pg_monitor to the role")
                    try await backfill.database.sql("GRANT pg_monitor TO \(role)")
                    try await backfill.isReleased()
                }
            }
            try await Psql.run("DROP OWNED BY \(role) CASCADE; DROP ROLE \(role)", on: url)
        }
    }

    private func databaseName(_ url: String) -> String {
        String(url.split(separator: "/").last?.prefix { $0 != "?" } ?? "")
    }
}
