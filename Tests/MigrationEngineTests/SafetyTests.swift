import Foundation
import TestSupport
import Testing

@Suite("What must not happen", .serialized)
struct SafetyTests {
    @Test("a worker that is alive is not pre-empted by one that walks the other way")
    func opposite() async throws {
        try await withTestDatabase { url in
            let database = try await EvolvedDatabase.withItems(url, rows: 60_000, chunkDuration: "2ms")
            try await database.running(leaseSeconds: 30) { forwards in
                try await eventually("the backfill is under way", within: .seconds(30)) {
                    Int(try await database.sql("SELECT coalesce(sum(rows), 0) FROM sluice.checkpoint").trimmed) ?? 0 > 0
                }
                try await database.running(to: "Initial") { backwards in
                    try await eventually("the second one waits", within: .seconds(30)) {
                        backwards.standardError.contains("HeldByAnotherWorker")
                    }
                    #expect(try await forwards.waitForExit(within: .seconds(60)) == 0)
                    #expect(forwards.standardOutput.contains("mismatches: 0"))
                    #expect(try await backwards.waitForExit(within: .seconds(60)) == 0)
                }
            }
            let columns = "SELECT count(*) FROM pg_attribute WHERE attrelid = 'items'::regclass AND attname = 'cents'"
            #expect(try await database.sql(columns).trimmed == "0")
        }
    }

    @Test("a domain that refuses NULL, old or new, does not break a write")
    func domains() async throws {
        try await withTestDatabase { url in
            let database = EvolvedDatabase(
                url,
                changes: """
                    - replaceColumns:
                        table: items
                        from: [amount]
                        to: [{name: cents, type: cents}]
                        forward: {cents: "(amount * 100)::bigint"}
                        backward: {amount: "(cents / 100)::integer"}
                    """
            )
            try await database.sql(
                """
                CREATE DOMAIN amount AS integer NOT NULL CHECK (VALUE >= 0);
                CREATE DOMAIN cents AS bigint CHECK (VALUE >= 0);
                CREATE TABLE items (id int PRIMARY KEY, amount amount);
                INSERT INTO items SELECT n, n FROM generate_series(1, 100) n;
                """
            )
            try await database.reach("Backfill")
            try await database.sql(
                "UPDATE items SET amount = 7 WHERE id = 1; UPDATE items SET cents = 900 WHERE id = 2;")
            try await database.sql("INSERT INTO items (id, amount) VALUES (101, 3), (102, 4);")
            let rows =
                "SELECT string_agg(amount || '/' || cents, ' ' ORDER BY id) FROM items WHERE id IN (1, 2, 101, 102)"
            #expect(try await database.sql(rows).trimmed == "7/700 9/900 3/300 4/400")
            #expect(try await database.verify().status == 0)
        }
    }

    @Test("of a chunk and the application that wait for each other, it is the chunk that gives way")
    func deadlock() async throws {
        try await withTestDatabase { url in
            let database = try await EvolvedDatabase.withItems(url, rows: 5000, chunkDuration: "60s")
            try await database.reach("DualWrite")
            // The application holds a row at the end, lets the chunk come to it, and then wants one at the beginning.
            async let application = Psql.run(
                """
                BEGIN;
                UPDATE items SET label = 'x' WHERE id = 900;
                SELECT pg_sleep(2);
                UPDATE items SET label = 'x' WHERE id = 1;
                COMMIT;
                """,
                on: url
            )
            try await eventually("the application has its row", within: .seconds(10)) {
                try await database.sql(
                    "SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'PgSleep' AND datname = current_database()"
                ).trimmed == "1"
            }
            try await database.reach("Backfill")
            // It would have failed with 40P01.
            _ = try await application
            #expect(try await database.verify().status == 0)
        }
    }

    @Test(
        "Contract waits for a session of the old version by its name, whenever it began, and whoever may not see that")
    func oldSessions() async throws {
        try await withTestDatabase { url in
            let plain = try await EvolvedDatabase.withItems(url, rows: 100)
            let guarded = plain.manifest.replacing(
                "  changes:",
                with: "  contract: {withoutRollouts: true, soak: 0s, oldSessions: [shop-v1]}\n  changes:"
            )
            let environment = ["SLUICE_DATABASE_URL": url]
            try await plain.reach("Backfill")
            async let old = Program.run(
                "psql", [url, "-c", "SELECT pg_sleep(5)"], environment: ["PGAPPNAME": "shop-v1"], within: .seconds(60)
            )
            try await eventually("the old version is there", within: .seconds(10)) {
                try await plain.sql("SELECT count(*) FROM pg_stat_activity WHERE application_name = 'shop-v1'").trimmed
                    == "1"
            }
            let contracted = try await runSluice(
                "run", "-f", "-", "--phase", "Contract", environment: environment, input: guarded
            )
            #expect(contracted.status == 0)
            #expect(contracted.standardError.contains("WaitingForSessions"))
            #expect(contracted.standardError.contains("shop-v1 (pid "))
            _ = try await old
        }
    }

    @Test("what a session of the new version may use is not taken away while it lives")
    func newSessions() async throws {
        try await withTestDatabase { url in
            let plain = try await EvolvedDatabase.withItems(url, rows: 100)
            try await plain.reach("Backfill")
            async let new = Program.run(
                "psql", [url, "-c", "SELECT pg_sleep(5); SELECT sum(cents) FROM items"],
                environment: ["PGAPPNAME": "shop-v2"], within: .seconds(60)
            )
            try await eventually("the new version is there", within: .seconds(10)) {
                try await plain.sql("SELECT count(*) FROM pg_stat_activity WHERE application_name = 'shop-v2'").trimmed
                    == "1"
            }
            let back = try await runSluice(
                "run", "-f", "-", "--phase", "Initial",
                environment: ["SLUICE_DATABASE_URL": url],
                input: plain.manifest.replacing("  changes:", with: "  contract: {newSessions: [shop-v2]}\n  changes:")
            )
            #expect(back.status == 0)
            #expect(back.standardError.contains("sessions of the new version are still open: shop-v2 (pid "))
            #expect(try await new.status == 0, "its column was gone")
        }
    }
}

extension String {
    fileprivate var trimmed: String {
        trimmingCharacters(in: .whitespacesAndNewlines)
    }
}
