import Foundation
import TestSupport
import Testing

/// What befalls a table while it is walked by its pages.
@Suite("The backfill by pages", .serialized)
struct PagesTests {
    private static let rows = 60_000

    /// `disturb` is run in the middle of the fill; all must end right.
    private func disturbed(
        rows: Int = rows, _ disturb: (EvolvedDatabase) async throws -> Void
    ) async throws -> String {
        try await withTestDatabase { url in
            let database = try await EvolvedDatabase.withItems(url, rows: rows, chunkDuration: "2ms")
            try await database.reach("DualWrite")
            return try await database.running { process in
                try await process.chunksLogged(20, of: "backfill")
                try await disturb(database)
                #expect(try await process.waitForExit(within: .seconds(90)) == 0)
                #expect(
                    process.standardOutput.contains(
                        "verified: \(rows) rows compared (\(rows) written last by"),
                    "\(process.standardOutput)")
                #expect(
                    try await database.sql("SELECT count(*) FROM items WHERE cents IS DISTINCT FROM amount * 100")
                        == "0")
                return process.standardError
            }
        }
    }

    @Test("about half of the rows stay on their page though it is full, and how many is told")
    func heapOnly() async throws {
        // A long transaction that writes, of any database of the server, lets nothing be cleaned up meanwhile.
        try await withPrivatePostgres { server in
            let database = try await EvolvedDatabase.withItems(server.url, rows: Self.rows)
            try await database.reach("DualWrite")
            let (status, log) = try await database.running { process in
                (try await process.waitForExit(within: .seconds(90)), process.standardError)
            }
            #expect(status == 0)
            let told = try #require(log.firstMatch(of: /heapOnlyPercent=(\d+)/).flatMap { Int($0.1) })
            #expect((20...80).contains(told))
            // Nobody else has updated rows of it.
            let counted =
                "SELECT round(n_tup_hot_upd * 100.0 / n_tup_upd) FROM pg_stat_user_tables WHERE relname = 'items'"
            try await eventually("PostgreSQL has counted the same", within: .seconds(5)) {
                try await database.sql(counted) == String(told)
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

    /// It copies the rows to another file while they are written, and then swaps the files: `VACUUM FULL` for people in a hurry.
    @Test("so is one that pg_repack writes anew while it is filled")
    func repacked() async throws {
        let log = try await disturbed(rows: 200_000) { database in
            try await database.sql("CREATE EXTENSION pg_repack")
            let program = try await Program.output(
                "bash", ["-c", "printf '%s\\n' /usr/lib/postgresql/*/bin/pg_repack | sort -V | tail -n 1"])
            // It makes further connections of its own, which know of no URL.
            let url = try #require(URLComponents(string: database.url))
            let server = [
                "PGHOST": url.host ?? "", "PGPORT": "\(url.port ?? 5432)", "PGUSER": url.user ?? "",
                "PGPASSWORD": url.password ?? "",
            ]
            try await Program.output(
                program, ["--dbname", String(url.path.dropFirst()), "--table", "items", "--no-order"],
                environment: server)
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
