import TestSupport
import Testing

/// What befalls a table while it is walked by its pages.
@Suite("The backfill by pages", .serialized)
struct PagesTests {
    private static let rows = 60_000

    /// `disturb` is run in the middle of the fill; all must end right.
    private func disturbed(_ disturb: (EvolvedDatabase) async throws -> Void) async throws -> String {
        try await withTestDatabase { url in
            let database = try await EvolvedDatabase.withItems(url, rows: Self.rows, chunkDuration: "2ms")
            try await database.reach("DualWrite")
            return try await database.running { process in
                try await process.chunksLogged(20, of: "backfill")
                try await disturb(database)
                #expect(try await process.waitForExit(within: .seconds(90)) == 0)
                #expect(
                    process.standardOutput.contains(
                        "verified: \(Self.rows) rows compared (\(Self.rows) written last by"),
                    "\(process.standardOutput)")
                #expect(
                    try await database.sql("SELECT count(*) FROM items WHERE cents IS DISTINCT FROM amount * 100")
                        == "0")
                return process.standardError
            }
        }
    }

    @Test("a table that is written anew in the middle is walked again from its beginning")
    func rewritten() async throws {
        let log = try await disturbed { database in
            // What is filled has new versions at the end, so what is not comes to where the walk has been.
            try await database.sql("VACUUM FULL items")
        }
        #expect(log.contains("the table was written anew"))
    }

    @Test(
        "a checkpoint that somebody deletes is made anew, and what it was of is walked again", arguments: [true, false])
    func deleted(isAll: Bool) async throws {
        let log = try await disturbed { database in
            let one =
                "(SELECT max(range) FROM sluice.checkpoint c WHERE c.step = sluice.checkpoint.step AND NOT c.done)"
            try await database.sql("DELETE FROM sluice.checkpoint" + (isAll ? "" : " WHERE range = \(one)"))
        }
        if isAll { #expect(log.contains("a checkpoint was deleted")) }
    }
}
