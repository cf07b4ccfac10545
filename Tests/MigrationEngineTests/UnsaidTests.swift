import Foundation
import Logging
import MigrationEngine
import PostgreSQL
import TestSupport
import Testing

@Suite("A worker that is killed in a step, or when it has done it and not said so", .serialized)
struct UnsaidTests {
    /// What no worker has settled.
    private static let left = """
        SELECT substring(id FROM '/(w[0-9]+.*)$') FROM sluice.promise WHERE state = 'pending'
        UNION SELECT 'task ' || id FROM sluice.task WHERE state <> 'fulfilled' ORDER BY 1
        """

    /// What `sluice operator` would find after a restart.
    private func activity(in database: EvolvedDatabase) async throws -> MigrationReport.Activity? {
        let configuration = try PostgresConfiguration(
            url: database.url, origin: .operatorOwned, applicationName: "test")
        let engine = MigrationEngine(database: configuration, worker: "nobody", logger: Logger(label: "test"))
        return try await engine.observe(MigrationName(namespace: "default", name: "items"))?.activity
    }

    /// A run to `phase`, killed in the step whose promise is like `promise`: a lock of `table` keeps it there. Where
    /// `done` is given, when that is true of the database: the worker is let do the step and not say so.
    private func kill(
        _ database: EvolvedDatabase, to phase: String, locking table: String, in promise: String,
        when done: String? = nil
    ) async throws {
        try await withConnection(database.url) { keeper in
            try await withConnection(database.url) { reader in
                try await reader.execute("BEGIN; LOCK TABLE \(table) IN ACCESS SHARE MODE")
                try await database.running(to: phase) { process in
                    let id = try await eventually("it begins the step", within: .seconds(30)) { () -> String? in
                        let query = "SELECT id FROM sluice.promise WHERE state = 'pending' AND id LIKE '\(promise)'"
                        let found = try await database.sql(query)
                        return found.isEmpty || !process.standardError.contains("waiting for a lock") ? nil : found
                    }
                    if let done {
                        try await keeper.execute("BEGIN")
                        _ = try await keeper.query("SELECT FROM sluice.promise WHERE id = $1 FOR UPDATE", [.text(id)])
                        try await reader.execute("ROLLBACK")
                        try await eventually("it has done it", within: .seconds(30)) {
                            try await database.sql("SELECT \(done) FROM sluice.migration") == "t"
                        }
                    }
                    try await process.kill()
                }
                // The server would go on with what it was sent.
                try await eventually("its sessions are gone", within: .seconds(30)) {
                    try await database.sql(
                        """
                        SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity
                        WHERE datname = current_database() AND application_name LIKE 'sluice/%'
                        """) == "0"
                }
            }
            if done != nil { try await keeper.execute("ROLLBACK") }
        }
        #expect(try await database.sql(Self.left) != "")
    }

    @Test("the triggers of all tables are made again by the next, and nothing stays pending", arguments: [false, true])
    func repair(isDone: Bool) async throws {
        try await withTestDatabase { url in
            let database = EvolvedDatabase(
                url,
                changes: EvolvedDatabase.amountToCents + "\n"
                    + EvolvedDatabase.amountToCents.replacingOccurrences(of: "items", with: "others"))
            let tables = ["items", "others"]
            for table in tables {
                try await database.sql(
                    "CREATE TABLE \(table) (id bigint PRIMARY KEY, amount integer); INSERT INTO \(table) VALUES (1, 1)")
            }
            try await database.reach("Backfill")
            let count = "SELECT count(*) FROM pg_trigger WHERE tgname LIKE '%sluice%'"
            let triggers = try await database.sql(count)
            for table in tables {
                let last = """
                    SELECT tgname FROM pg_trigger
                    WHERE tgname LIKE '~sluice%' AND tgtype & 16 > 0 AND tgrelid = '\(table)'::regclass
                    """
                try await database.sql("DROP TRIGGER \"\(try await database.sql(last))\" ON \(table)")
            }
            let known = try await database.sql("SELECT triggers FROM sluice.migration")
            try await kill(
                database, to: "DualWrite", locking: "others", in: "%:repair%",
                when: isDone ? "triggers <> '\(known)'" : nil)

            try await database.reach("DualWrite")
            #expect(try await database.sql(Self.left) == "")
            #expect(try await database.sql(count) == triggers)
            for table in tables {
                try await database.sql("UPDATE \(table) SET amount = 7")
                #expect(try await database.sql("SELECT cents FROM \(table)") == "700")
            }
            #expect(try await database.reach("Backfill").contains("mismatches: 0"))
            #expect(try await database.sql(Self.left) == "")
        }
    }

    @Test("an archive that is gone is said to be gone by the next, and a look says that there is something to do")
    func purge() async throws {
        try await withTestDatabase { url in
            let database = EvolvedDatabase(
                url, fields: "contract: {soak: 0s, keepFor: 1s, withoutRollouts: true}",
                changes: EvolvedDatabase.amountToCents)
            try await database.sql(
                "CREATE TABLE items (id bigint PRIMARY KEY, amount integer); INSERT INTO items VALUES (1, 1)")
            try await database.reach("Contract")
            #expect(try await activity(in: database) == .reached)
            try await eventually("it is kept long enough", within: .seconds(10)) {
                try await database.sql("SELECT kept_until < clock_timestamp() FROM sluice.migration") == "t"
            }
            try await kill(database, to: "Contract", locking: "items", in: "%-purge", when: "purged")
            #expect(try await database.sql(Self.left).contains("-purge"))
            // Whoever only looks, as after a restart, must not take it for settled.
            #expect(try await activity(in: database) != .reached)

            try await database.reach("Contract")
            #expect(try await database.sql(Self.left) == "")
            #expect(try await activity(in: database) == .reached)
        }
    }

    @Test("a phase that is complete is said to be by the next, and a look says that there is something to do")
    func arrival() async throws {
        try await withTestDatabase { url in
            let database = try await EvolvedDatabase.withItems(url, rows: 10)
            try await kill(database, to: "Expand", locking: "items", in: "%/w1", when: "phase = 'Expand'")
            #expect(try await activity(in: database) != .reached)
            try await database.reach("Expand")
            #expect(try await database.sql(Self.left) == "")
            #expect(try await activity(in: database) == .reached)
        }
    }
}
