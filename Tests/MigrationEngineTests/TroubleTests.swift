import Foundation
import PostgreSQL
import TestSupport
import Testing

@Suite("A run in trouble", .serialized)
struct TroubleTests {
    @Test("waits for a database that is down when it starts, says so, and goes on once it is there")
    func downAtStart() async throws {
        try await withPrivatePostgres { server in
            let database = try await EvolvedDatabase.withItems(server.url, rows: 1000)
            try await server.stop()
            try await database.running { process in
                try await eventually("it says so") {
                    process.standardError.contains(
                        "waiting (DatabaseUnavailable): connecting: cannot connect to 127.0.0.1")
                }
                #expect(!process.standardError.contains("sluice@"), "no password is told")
                try await server.restart()
                #expect(try await process.waitForExit() == 0)
                #expect(process.standardOutput.contains("mismatches: 0"))
            }
        }
    }

    @Test("goes on in the unfinished chunk when the database crashed in the middle of the backfill")
    func crash() async throws {
        try await withPrivatePostgres { server in
            let database = try await EvolvedDatabase.withItems(server.url, rows: 60_000)
            try await database.running { process in
                try await process.chunksLogged(10)
                try await server.kill()
                try await eventually("it says so") { process.standardError.contains("waiting (DatabaseUnavailable)") }
                try await server.restart()
                #expect(try await process.waitForExit(within: .seconds(60)) == 0)
                #expect(process.standardOutput.contains("verified: 60000 rows compared"))
                let fills = ChunkAttempt.all(in: process.standardError).filter { $0.step.hasSuffix("/fill") }
                #expect(Set(fills.map(\.epoch)).count == 2)
                for (place, attempts) in Dictionary(grouping: fills, by: \.place) {
                    let starts = Set(attempts.map(\.after)).count
                    #expect(attempts.count - starts <= 1, "\(place) repeated \(attempts.count - starts) chunks")
                }
            }
            #expect(
                try await database.sql("SELECT count(*) FROM items WHERE cents IS DISTINCT FROM amount * 100") == "0")
            #expect(try await database.verify().status == 0)
        }
    }

    @Test("names who holds the lock that it needs, and for how long, and goes on when it is let go")
    func locked() async throws {
        try await withTestDatabase { url in
            let database = try await EvolvedDatabase.withItems(url, rows: 1000)
            try await withConnection(url, name: "nightly-report") { holder in
                try await holder.query("BEGIN")
                try await holder.query("SELECT count(*) FROM items")
                let name = "pid \(holder.processID) (nightly-report, user postgres, idle in transaction for "
                try await database.running(to: "Expand") { process in
                    try await eventually("two attempts, and a second") {
                        process.standardError.contains("public.items is locked by \(name)")
                            && process.standardError.contains("; attempt 2")
                            && process.standardError.contains(/idle in transaction for [1-9][0-9]* s\)/)
                    }
                    try await holder.query("COMMIT")
                    #expect(try await process.waitForExit() == 0)
                    #expect(process.standardOutput.contains("phase: Expand"))
                }
            }
        }
    }

    @Test("yields to a lock that comes in the middle of the backfill, says who holds it, and goes on")
    func lockedInBackfill() async throws {
        try await withTestDatabase { url in
            let database = try await EvolvedDatabase.withItems(url, rows: 30_000)
            try await withConnection(url, name: "maintenance") { holder in
                try await database.running { process in
                    try await process.chunksLogged(6)
                    try await holder.query("BEGIN")
                    try await holder.query("LOCK TABLE items")
                    try await eventually("it says so") {
                        process.standardError.contains(
                            "public.items is locked by pid \(holder.processID) (maintenance,")
                    }
                    try await holder.query("COMMIT")
                    #expect(try await process.waitForExit(within: .seconds(60)) == 0)
                    #expect(process.standardOutput.contains("mismatches: 0"))
                }
            }
        }
    }

    @Test("stops within ten seconds of SIGTERM and gives its lease back, so that the next goes on at once")
    func terminated() async throws {
        try await withTestDatabase { url in
            let database = try await EvolvedDatabase.withItems(url, rows: 60_000)
            try await database.running(leaseSeconds: 600) { process in
                try await process.chunksLogged(10)
                process.terminate()
                #expect(try await process.waitForExit(within: .seconds(10)) == 143)
                #expect(process.standardOutput.contains("stopped; run it again"))
            }
            #expect(try await database.sql("SELECT count(*) > 0 FROM items WHERE cents IS NULL") == "t")
            let next = try await database.run(to: "Backfill", leaseSeconds: 600)
            #expect(next.status == 0)
            #expect(!next.standardError.contains("HeldByAnotherWorker"))
            #expect(next.standardOutput.contains("verified: 60000 rows compared"))
        }
    }

    @Test("refuses a table whose rows row-level security hides from its role")
    func rowSecurity() async throws {
        try await withTestDatabase { url in
            let database = try await EvolvedDatabase.withItems(url, rows: 100)
            let role = uniqueName("role")
            try await database.sql(
                """
                CREATE ROLE "\(role)" LOGIN PASSWORD 'secret';
                GRANT ALL ON items TO "\(role)";
                DO $$ BEGIN EXECUTE format('GRANT ALL ON DATABASE %I TO "\(role)"', current_database()); END $$;
                ALTER TABLE items ENABLE ROW LEVEL SECURITY;
                CREATE POLICY few ON items USING (id < 50);
                """
            )
            let output: Program.Output
            do {
                output = try await run(database, as: role)
            } catch {
                try await database.sql(Self.drop(role))
                throw error
            }
            try await database.sql(Self.drop(role))
            #expect(output.status == 1)
            #expect(
                output.standardOutput.contains(
                    "stalled (RowSecurity): changes[0].replaceColumns.table: row-level security"))
            #expect(output.standardOutput.contains("use a role with BYPASSRLS"))
            #expect(!output.standardError.contains("secret"))
            // Whoever bypasses it may.
            try await database.reach("Backfill")
        }
    }

    private func run(_ database: EvolvedDatabase, as role: String) async throws -> Program.Output {
        var address = try #require(URLComponents(string: database.url))
        address.user = role
        address.password = "secret"
        let url = try #require(address.string)
        return try await EvolvedDatabase(url, changes: EvolvedDatabase.amountToCents).run(to: "Backfill")
    }

    /// A role belongs to the server, which other tests share.
    private static func drop(_ role: String) -> String {
        "DROP OWNED BY \"\(role)\"; DROP ROLE \"\(role)\""
    }

    @Test("stops at the row on which forward fails and names its key; the row mended, it goes on from there")
    func forwardFails() async throws {
        let change = """
            - replaceColumns:
                table: items
                from: [label]
                to: [{name: number, type: integer}]
                forward: {number: "substr(label, 6)::integer"}
                backward: {label: "'item ' || number"}
            """
        try await withTestDatabase { url in
            let items = try await EvolvedDatabase.withItems(url, rows: 5000)
            try await items.sql("UPDATE items SET label = 'item s3cret' WHERE id = 3210")
            let database = EvolvedDatabase(url, chunkDuration: "5ms", changes: change)
            let stalled = try await database.run(to: "Backfill", logLevel: "debug")
            #expect(stalled.status == 1)
            #expect(stalled.standardOutput.contains("stalled (RowFailed)"))
            #expect(stalled.standardOutput.contains("row (id) = (3210) of public.items"))
            #expect(stalled.standardOutput.contains("22P02"))
            #expect(!stalled.standardOutput.contains("s3cret"), "the row's values are not told")
            let page = try await database.sql("SELECT (ctid::text::point)[0]::int FROM items WHERE id = 3210")
            #expect(try await database.sql("SELECT count(number) FROM items WHERE id BETWEEN 3200 AND 3215") != "0")

            try await database.sql("UPDATE items SET label = 'item 3210' WHERE id = 3210")
            let mended = try await database.run(to: "Backfill", logLevel: "debug")
            #expect(mended.status == 0)
            #expect(mended.standardOutput.contains("mismatches: 0"))
            let resumed = ChunkAttempt.all(in: mended.standardError).first { $0.step.hasSuffix("/fill") }
            #expect(resumed?.after.hasPrefix(#"["\#(page)","#) == true, "\(resumed?.after ?? "")")
        }
    }

    @Test("leaves it to the application to see that backward cannot express what the new side writes")
    func backwardFails() async throws {
        try await withTestDatabase { url in
            let database = try await EvolvedDatabase.withItems(url, rows: 1000)
            try await database.reach("Backfill")
            let before = try await database.sql("SELECT items FROM items WHERE id = 5")
            try await withConnection(url) { session in
                let error = await #expect(throws: (any Error).self) {
                    try await session.query("UPDATE items SET cents = 300000000000, label = 'x' WHERE id = 5")
                }
                #expect(error.map { "\($0)".contains("22003") } == true)
                try await session.query("UPDATE items SET cents = 1234 WHERE id = 6")
            }
            #expect(try await database.sql("SELECT items FROM items WHERE id = 5") == before)
            #expect(try await database.sql("SELECT amount, cents FROM items WHERE id = 6") == "12|1234")
            #expect(try await database.verify().status == 0)
        }
    }
}
