import Backfill
import Foundation
import Logging
import MigrationEngine
import PostgreSQL
import SchemaChange
import TestSupport
import Testing

@Suite("The fence", .serialized)
struct FenceTests {
    @Test("keeps a stalled worker, which another one took over from, from changing anything when it wakes")
    func stalled() async throws {
        try await withTestDatabase { url in
            let database = try await EvolvedDatabase.withItems(url, rows: 40_000)
            try await database.reach("DualWrite")
            // Which version of each row there is, and which of the ledger.
            let image = """
                SELECT md5(string_agg(concat(ctid, xmin, i), ',' ORDER BY id)) FROM items i
                UNION ALL SELECT concat(xmin, m) FROM sluice.migration m
                UNION ALL SELECT md5(string_agg(concat(xmin, c), ',' ORDER BY c.step, c.range)) FROM sluice.checkpoint c
                """
            try await database.running { stalled in
                try await stalled.chunksLogged(4)
                stalled.send(SIGSTOP)
                let attempts = ChunkAttempt.all(in: stalled.standardError).count
                let other = try await database.run(to: "Backfill", logLevel: "debug")
                #expect(other.status == 0)
                #expect(other.standardError.contains("waiting (HeldByAnotherWorker)"))
                #expect(other.standardOutput.contains("mismatches: 0"))
                let epochs = ChunkAttempt.all(in: other.standardError).map(\.epoch)
                #expect(Set(epochs) == [3], "Expand and DualWrite were the walk before")
                let before = try await database.sql(image)

                stalled.send(SIGCONT)
                #expect(try await stalled.waitForExit(within: .seconds(60)) == 0, "it finds the work done")
                #expect(stalled.standardError.contains("waiting ("), "it was told so at its first statement")
                // Each of its two ranges may have announced a chunk, which then was refused.
                #expect(ChunkAttempt.all(in: stalled.standardError).count <= attempts + 2)
                #expect(try await database.sql(image) == before)
            }
            #expect(try await database.verify().status == 0)
        }
    }

    @Test("refuses a chunk of an older epoch, even from a session that nobody ended")
    func refuses() async throws {
        try await withTestDatabase { url in
            let database = try await EvolvedDatabase.withItems(url, rows: 1000)
            let fill = try await Self.filler(of: database)
            try await database.reach("DualWrite")
            let epoch = try #require(Int64(try await database.sql("SELECT fence FROM sluice.migration")))
            await #expect(throws: FenceLost.self) { try await fill(epoch - 1) }
            // The ranges are there now: what refuses is the chunk itself.
            try await database.sql(
                "INSERT INTO sluice.checkpoint (migration, walk, step, range) VALUES ('default/items', 1, 'a test''s', 0)"
            )
            await #expect(throws: FenceLost.self) { try await fill(epoch - 1) }
            #expect(try await database.sql("SELECT count(cents) FROM items") == "0")
            #expect(try await database.sql("SELECT count(position) FROM sluice.checkpoint") == "0")
            #expect(try await fill(epoch).rows == 1000)
            #expect(try await database.sql("SELECT count(cents) FROM items") == "1000")
        }
    }

    @Test("is not raised while a chunk of the present epoch is under way, or that would end behind its back")
    func holds() async throws {
        try await withTestDatabase { url in
            let database = try await EvolvedDatabase.withItems(url, rows: 1000)
            let fill = try await Self.filler(of: database)
            try await database.reach("DualWrite")
            let epoch = try #require(Int64(try await database.sql("SELECT fence FROM sluice.migration")))
            try await withConnection(url) { application in
                try await application.execute("BEGIN; UPDATE items SET label = 'held' WHERE id = 1000")
                async let filled = fill(epoch)
                try await eventually("the chunk waits for the row") {
                    try await database.sql(
                        """
                        SELECT count(*) FROM pg_stat_activity
                        WHERE datname = current_database() AND wait_event_type = 'Lock' AND query LIKE '%sluice.checkpoint%'
                        """) == "1"
                }
                let raise = "SET lock_timeout = '300ms'; UPDATE sluice.migration SET fence = fence + 1"
                await #expect(throws: TestFailure.self) { try await database.sql(raise) }
                try await application.execute("COMMIT")
                #expect(try await filled.rows >= 999)
                try await database.sql(raise)
            }
        }
    }

    /// Fills the items of a database as the worker of an epoch, once it is at DualWrite. Nothing of it is there yet.
    private static func filler(
        of database: EvolvedDatabase
    ) async throws -> @Sendable (_ epoch: Int64) async throws -> ChunkTally {
        let change = ReplaceColumns(
            table: "items",
            from: ["amount"],
            to: [NewColumn(name: "cents", type: "bigint")],
            forward: ["cents": "amount::bigint * 100"],
            backward: ["amount": "(cents / 100)::integer"]
        )
        let configuration = try PostgresConfiguration(
            url: database.url, origin: .operatorOwned, applicationName: "test")
        let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        let name = MigrationName(namespace: "default", name: "items")
        let engine = MigrationEngine(database: configuration, worker: "test", logger: logger)
        let plan = try await engine.plan(name, spec: MigrationSpec(changes: [.replaceColumns(change)]))
        let mapping = try #require(plan.mappings.first)
        return { epoch in
            let pool = PostgresPool(configuration, maximum: 3)
            defer { Task { await pool.close() } }
            return try await TableWalk(
                .fill(mapping),
                at: TableWalk.Place(
                    fence: Fence(migration: name.description, epoch: epoch), walk: 1, step: "a test's"),
                pool: pool,
                pace: TableWalk.Pace(chunkDuration: .milliseconds(20), workers: 1, method: .keys),
                logger: logger
            ).run { _ in }
        }
    }
}
