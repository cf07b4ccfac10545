import Foundation
import MigrationEngine
import PostgreSQL
import TestSupport
import Testing

@testable import Backfill

/// How rows are compared by pages.
@Suite("Comparing in one snapshot")
struct SnapshotWalkTests {
    private static let rows = 60_000

    @Test(
        "counts each row once, though all of them are written anew meanwhile, and go to other pages",
        .timeLimit(.minutes(2)))
    func once() async throws {
        try await withTestDatabase { url in
            let database = try await EvolvedDatabase.withItems(url, rows: Self.rows, chunkDuration: "1ms")
            try await database.reach("DualWrite")
            try await database.running(leaseSeconds: 60) { process in
                try await database.comparing("WHERE done")
                process.send(SIGSTOP)
                #expect(try await database.sql("SELECT count(certificate) FROM sluice.migration") == "0")
                // Those that were passed come again, behind all others.
                try await database.sql("UPDATE items SET label = label || '.'")
                process.send(SIGCONT)
                #expect(try await process.waitForExit(within: .seconds(60)) == 0)
                #expect(
                    process.standardOutput.contains("verified: \(Self.rows) rows compared"), "\(process.standardOutput)"
                )
                #expect(!process.standardError.contains("comparing by keys"))
            }
            #expect(try await database.sql(Self.files) == "t")
        }
    }

    @Test("begins again by keys where the table is written anew meanwhile", .timeLimit(.minutes(2)))
    func rewritten() async throws {
        let rows = 200_000
        try await withTestDatabase { url in
            let database = try await EvolvedDatabase.withItems(url, rows: rows, chunkDuration: "1ms")
            try await database.reach("DualWrite")
            try await database.running { process in
                try await database.comparing()
                // Leaves nothing that an older snapshot would see.
                try await database.sql("ALTER TABLE items ALTER label TYPE text USING lower(label)")
                #expect(try await process.waitForExit(within: .seconds(60)) == 0)
                #expect(
                    process.standardOutput.contains("verified: \(rows) rows compared"), "\(process.standardOutput)")
                #expect(
                    process.standardError.contains("reason=the table was written anew"),
                    "\(process.standardError.split(separator: "\n").filter { !$0.hasSuffix(" chunk") })")
            }
            #expect(try await database.sql(Self.files) == "f")
        }
    }

    @Test("finds functions and types where the run found them, when it is done again")
    func schema() async throws {
        try await withTestDatabase { url in
            let change = """
                - replaceColumns:
                    table: items
                    from: [name]
                    to: [{name: code, type: letters}]
                    forward: {code: "mapped(name)"}
                    backward: {name: "named(code)"}
                """
            let database = EvolvedDatabase(url, fields: "database: {schema: app}", changes: change)
            try await database.sql(
                """
                CREATE SCHEMA app; CREATE TYPE app.letters AS ENUM ('a', 'b');
                CREATE TABLE app.items (id bigint PRIMARY KEY, name text);
                INSERT INTO app.items SELECT i, (ARRAY['a', 'b'])[1 + i % 2] FROM generate_series(1, 1000) i;
                CREATE FUNCTION app.mapped(text) RETURNS app.letters IMMUTABLE LANGUAGE sql
                    AS 'SELECT CASE $1 WHEN ''a'' THEN ''a''::app.letters ELSE ''b'' END';
                CREATE FUNCTION app.named(app.letters) RETURNS text IMMUTABLE LANGUAGE sql
                    AS 'SELECT CASE $1 WHEN ''a'' THEN ''a'' ELSE ''b'' END';
                """)
            try await database.reach("Backfill")
            let again = try await database.verify()
            #expect(
                again.status == 0 && again.standardOutput.contains("compared again: 1000 rows, mismatches: 0"),
                "\(again)")
        }
    }

    @Test("is gone on with by keys after a kill, and all rows are counted", .timeLimit(.minutes(2)))
    func killed() async throws {
        try await withTestDatabase { url in
            let database = try await EvolvedDatabase.withItems(url, rows: Self.rows, chunkDuration: "1ms")
            try await database.reach("DualWrite")
            try await database.running { process in
                try await database.comparing("WHERE done")
                try await process.kill()
            }
            #expect(try await database.reach("Backfill").contains("verified: \(Self.rows) rows compared"))
            #expect(try await database.sql(Self.files) == "f")
        }
    }

    @Test(
        "is made anew where somebody deletes a part of what it says, before there is a proof", .timeLimit(.minutes(2)),
        arguments: ["range = (SELECT max(range) FROM sluice.checkpoint)", "relation = 'items_2'::regclass"])
    func deleted(which: String) async throws {
        try await withTestDatabase { url in
            let database = EvolvedDatabase(url, chunkDuration: "1ms", changes: EvolvedDatabase.amountToCents)
            try await database.sql(
                """
                CREATE TABLE items (id bigint PRIMARY KEY, amount integer) PARTITION BY RANGE (id);
                CREATE TABLE items_1 PARTITION OF items FOR VALUES FROM (1) TO (30001);
                CREATE TABLE items_2 PARTITION OF items FOR VALUES FROM (30001) TO (60001);
                INSERT INTO items SELECT i, i % 1000 FROM generate_series(1, 60000) i;
                ANALYZE items
                """)
            try await database.reach("DualWrite")
            // Keeps the proof from being given for as long as the test wants.
            try await database.sql(
                """
                CREATE FUNCTION hold() RETURNS trigger LANGUAGE plpgsql AS
                    'BEGIN PERFORM pg_advisory_xact_lock(4711); RETURN NEW; END';
                CREATE TRIGGER hold BEFORE UPDATE OF certificate ON sluice.migration FOR EACH ROW EXECUTE FUNCTION hold()
                """)
            try await withConnection(url) { session in
                try await session.execute("SELECT pg_advisory_lock(4711)")
                try await database.running { process in
                    try await database.comparing()
                    try await eventually("all is compared", within: .seconds(30)) {
                        try await database.sql(
                            "SELECT bool_and(done) FROM sluice.checkpoint WHERE step LIKE 'backfill/verify%'") == "t"
                    }
                    try await process.kill()
                }
            }
            try await database.sql("DROP TRIGGER hold ON sluice.migration")
            #expect(try await database.sql("SELECT count(certificate) FROM sluice.migration") == "0")
            try await database.sql("DELETE FROM sluice.checkpoint WHERE step LIKE 'backfill/verify%' AND \(which)")
            #expect(try await database.reach("Backfill").contains("verified: 60000 rows compared"))
            #expect(try await database.verify().status == 0)
        }
    }

    @Test("leads to a proof of pages: what is changed in them is told, and of a table that was written anew the whole")
    func comparedAgain() async throws {
        try await ProvenTable.with(rows: 30_000, by: .pages) { table in
            let ranges = try #require(try await table.certificate().ranges)
            #expect(ranges.count > 1 && ranges.allSatisfy { $0.file != nil })
            let first = try await table.compare()
            #expect(first.parts.map(\.span) == ranges.map(\.span))
            #expect(first.parts.allSatisfy { $0.isUnchanged == true } && first.isUnchanged == true)

            try await table.sql("VACUUM FULL t")
            #expect(try await table.flaw() == "")
            let moved = try await table.compare()
            #expect(moved.tally == first.tally && moved.isUnchanged == true)
            #expect(moved.parts.allSatisfy { $0.isUnchanged == nil })

            try await table.sql("UPDATE t SET y = 77 WHERE id = 3")
            let written = try await table.compare()
            #expect(written.isUnchanged == false && written.tally.mismatches == 0 && written.tally.rows == 30_000)
        }
    }

    @Test("finds a row that is not as its side says, and names its range, as by keys")
    func corrupted() async throws {
        try await ProvenTable.with(rows: 30_000, by: .pages) { table in
            try await table.behindTriggers("UPDATE t SET y = -1 WHERE id = 29000")
            let found = try await table.compare()
            #expect(found.tally.mismatches == 1 && found.tally.examples == ["29000"] && found.tally.rows == 30_000)
            #expect(found.parts.filter { $0.found.mismatches > 0 }.allSatisfy { $0.isUnchanged == false })
        }
    }

    /// Whether the proof is of pages.
    private static let files =
        "SELECT bool_and(r ? 'file') FROM sluice.migration, jsonb_array_elements(certificate::jsonb -> 'ranges') r"
}

extension EvolvedDatabase {
    /// Waits until a range is there to be compared, or one of which that is so.
    fileprivate func comparing(_ which: String = "WHERE true") async throws {
        try await eventually("a range that is compared", within: .seconds(60), every: .milliseconds(2)) {
            try await sql("SELECT 1 FROM sluice.checkpoint \(which) AND step LIKE 'backfill/verify%' LIMIT 1") == "1"
                ? true : nil
        }
    }
}
