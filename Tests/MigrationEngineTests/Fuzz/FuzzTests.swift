import MigrationEngine
import SchemaChange
import Synchronization
import TestSupport
import Testing

/// Random tables and random changes: what Contract leaves is what plain statements make of a copy, and what is left after
/// going back is what was there.
@Suite("Random changes of random tables")
struct FuzzTests {
    static let seeds: [UInt64] = TestServers.isSoak ? Array(1...500) : Array(1...50)

    private struct Tally {
        var done = 0
        var refused = 0
    }

    private static let tally = Mutex(Tally())

    @Test("up, down, killed: as plain statements on a copy, and as it was before", arguments: seeds)
    func upAndDown(seed: UInt64) async throws {
        let server: PostgresVersion = seed.isMultiple(of: 2) ? .installed : .newest
        var wasRefused = false
        defer {
            Self.tally.withLock { tally in
                tally.done += 1
                if wasRefused { tally.refused += 1 }
                if tally.done == Self.seeds.count {
                    print("fuzz: \(tally.done) seeds, of which PostgreSQL or the plan refused \(tally.refused)")
                    #expect(tally.refused * 2 < tally.done, "what is refused tests nothing")
                }
            }
        }
        wasRefused = try await withTestDatabase(on: server.url) { url in
            var run = FuzzRun(seed: seed, url: url)
            return try await run.run()
        }
    }
}
