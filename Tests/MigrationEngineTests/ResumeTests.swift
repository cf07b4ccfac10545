import Foundation
import PostgreSQL
import TestSupport
import Testing

@Suite("The backfill, when its worker is killed", .serialized)
struct ResumeTests {
    private static let rows = 150_000

    @Test(
        "goes on at the checkpoint: a worker does at most one chunk twice for each kill", arguments: ["Pages", "Keys"])
    func resumes(_ by: String) async throws {
        let kills = TestServers.isSoak ? 20 : 4
        try await withTestDatabase { url in
            let database = try await EvolvedDatabase.withItems(
                url, rows: Self.rows, chunkDuration: "5ms", by: by)
            try await database.reach("DualWrite")
            var random = SplitMix(seed: 42)
            var attempts: [ChunkAttempt] = []
            for _ in 0..<kills {
                // A moment between the first chunk and one that all kills together do not exhaust.
                let moment = Int.random(in: 1...(160 / kills), using: &random)
                try await database.running { process in
                    try await process.chunksLogged(moment)
                    try await process.kill()
                    attempts += ChunkAttempt.all(in: process.standardError)
                }
            }
            try await database.running { process in
                let status = try await process.waitForExit(within: .seconds(90))
                #expect(status == 0)
                attempts += ChunkAttempt.all(in: process.standardError)
                #expect(process.standardOutput.contains("verified: \(Self.rows) rows compared"))
                #expect(process.standardOutput.contains("mismatches: 0"))
            }
            let epochs = Set(attempts.map(\.epoch)).count
            #expect(epochs == kills + 1)
            let repeated = requireResumed(attempts)
            #expect(repeated <= kills * 2)
            try await requireWhole(attempts, in: database)
            print("\(attempts.count) chunks in \(epochs) epochs, \(repeated) attempted again after \(kills) kills")
        }
    }

    /// A key of each kind, as SQL for the table's key columns and for row `i`.
    struct Key: Sendable, CustomTestStringConvertible {
        let testDescription: String
        let columns: String
        let key: String
        let values: String
    }

    static let keys = [
        Key(
            testDescription: "text",
            columns: "k text",
            key: "k",
            // Text that means something in arrays, in SQL, and to no collation.
            values: #"CASE i % 4 WHEN 0 THEN '' WHEN 1 THEN '{"a\,' WHEN 2 THEN '''é ' ELSE 'NULL' END || i"#
        ),
        Key(testDescription: "uuid", columns: "k uuid", key: "k", values: "md5(i::text)::uuid"),
        Key(
            testDescription: "int and text",
            columns: "a int, b text",
            key: "a, b",
            values: "i / 100, CASE WHEN i % 100 = 0 THEN '' ELSE chr(32 + i % 100) END"
        ),
        // 9 < 10 < 100, and negative ones: as text they are in another order.
        Key(testDescription: "integer", columns: "k int", key: "k", values: "i - 6000"),
        Key(testDescription: "numeric", columns: "k numeric", key: "k", values: "i / 8.0"),
    ]

    @Test("passes every row once, whatever its key is", arguments: keys)
    func walks(_ key: Key) async throws {
        let rows = 12_000
        try await withTestDatabase { url in
            let database = EvolvedDatabase(
                url, chunkDuration: "2ms", by: "Keys", changes: EvolvedDatabase.amountToCents)
            try await database.sql(
                """
                CREATE TABLE items (\(key.columns), amount integer, PRIMARY KEY (\(key.key)));
                INSERT INTO items SELECT \(key.values), i % 1000 FROM generate_series(1, \(rows)) i;
                ANALYZE items;
                """
            )
            try await database.running { process in
                #expect(try await process.waitForExit(within: .seconds(60)) == 0)
                #expect(
                    process.standardOutput.contains("verified: \(rows) rows compared (\(rows) written last by the old"))
                #expect(process.standardOutput.contains("mismatches: 0"))
                let attempts = ChunkAttempt.all(in: process.standardError)
                #expect(Set(attempts.map(\.place.range)).count == 2)
                #expect(requireResumed(attempts) == 0)
                try await requireWhole(attempts, in: database)
            }
            #expect(
                try await database.sql("SELECT sum(rows) FROM sluice.checkpoint WHERE step LIKE '%/fill'") == "\(rows)")
            #expect(
                try await database.sql("SELECT count(*) FROM items WHERE cents IS DISTINCT FROM amount * 100") == "0")
        }
    }

    /// Nothing was sent twice by one worker, and by the next at most one chunk of each range that the one before began.
    /// Returns how many were.
    private func requireResumed(_ attempts: [ChunkAttempt]) -> Int {
        for (place, inPlace) in Dictionary(grouping: attempts, by: \.place) {
            for (epoch, inEpoch) in Dictionary(grouping: inPlace, by: \.epoch) {
                #expect(
                    Set(inEpoch.map(\.after)).count == inEpoch.count,
                    "\(place) in epoch \(epoch): a chunk was sent twice")
            }
        }
        let again = attempts.begunAgain
        for (place, epoch, starts) in again {
            #expect(starts.count <= 1, "\(place) in epoch \(epoch): sent again from \(starts)")
        }
        return again.reduce(0) { $0 + $1.starts.count }
    }

    /// In each range the last attempts follow one another from its beginning to its end, and leave nothing out.
    private func requireWhole(_ attempts: [ChunkAttempt], in database: EvolvedDatabase) async throws {
        let rows = try await withConnection(database.url) {
            try await $0.query(
                """
                SELECT step, range, coalesce(to_json(lower)::text, '[]') AS lower,
                    coalesce(to_json(upper)::text, '[]') AS upper, done
                FROM sluice.checkpoint
                """
            ).rows
        }
        #expect(rows.count == Set(attempts.map(\.place)).count)
        for row in rows {
            let place = ChunkAttempt.Place(step: try row.text("step"), range: Int(try row.integer("range")))
            let last = Dictionary(attempts.filter { $0.place == place }.map { ($0.after, $0.upTo) }) { $1 }
            var position = try logged(row.text("lower"))
            var links = 0
            while let next = last[position] {
                links += 1
                let isAtEnd = next == position || next == "[]"
                position = next
                if isAtEnd { break }
            }
            let isDone = try row.boolean("done")
            #expect(isDone)
            #expect(links == last.count, "\(place): \(links) of \(last.count) chunks follow one another")
            let upper = try logged(row.text("upper"))
            // A range without an end ends with its table.
            #expect(position == upper || upper == "[]", "\(place)")
        }
    }

    /// A key as the log writes it.
    private func logged(_ json: String) throws -> String {
        try JSONDecoder().decode([String].self, from: Data(json.utf8)).description
    }
}
