import Foundation
import MigrationEngine
import PostgreSQL
import SchemaChange
import Synchronization
import TestSupport
import Testing

/// Each kind of change by each move on each PostgreSQL, while both versions of the application read and write.
@Suite("The matrix of kinds and moves")
struct MatrixTests {
    /// To a phase and back to Initial.
    struct RoundTrip: Sendable, CustomTestStringConvertible {
        let number: Int
        let scenario: Scenario
        let target: Phase
        let up: Kill
        let down: Kill
        let server: PostgresVersion

        var testDescription: String {
            "\(scenario) to \(target.rawValue) (\(up.rawValue)) and back (\(down.rawValue)) on \(server)"
        }
    }

    /// In its long form every combination, else every two things together.
    static let roundTrips: [RoundTrip] = {
        let targets = Phase.allCases.filter { $0 > .initial }
        let levels = [
            Scenario.all.count, targets.count, Kill.allCases.count, Kill.allCases.count, PostgresVersion.allCases.count,
        ]
        let combinations = TestServers.isSoak ? Pairwise.all(levels) : Pairwise.combinations(levels)
        return combinations.enumerated().map { number, values in
            RoundTrip(
                number: number, scenario: Scenario.all[values[0]], target: targets[values[1]],
                up: Kill.allCases[values[2]], down: Kill.allCases[values[3]],
                server: PostgresVersion.allCases[values[4]])
        }
    }()

    /// The longest that a lock of ours may stall the application.
    private static let limit = Duration.milliseconds(500)

    private struct Tally {
        var done = 0
        var stalls = StallLog.Summary()
    }

    private static let tally = Mutex(Tally())

    @Test("a change goes to a phase and back, killed on the way, and nothing is lost", arguments: roundTrips)
    func goesAndComesBack(_ trip: RoundTrip) async throws {
        defer {
            Self.tally.withLock { tally in
                tally.done += 1
                if tally.done == Self.roundTrips.count {
                    print("matrix: \(tally.done) round trips, \(Walker.kills.withLock { $0 }) killed; \(tally.stalls)")
                }
            }
        }
        let scenario = trip.scenario
        let setUp =
            scenario.setUp + "ALTER TABLE items ADD meant_old text, ADD meant_new text;"
            + scenario.old.insert.fill(rows: VersionLoad.rows) + "; ANALYZE items; CREATE SCHEMA sluice"
        try await withTestDatabase(on: trip.server.url) { url in
            try await EvolvingDatabase.on(url, setUp) { database in
                let before = try await database.structure()
                let load = VersionLoad(scenario, url: url, seed: UInt64(trip.number))
                try await load.run {
                    var journey = Journey(database, load, trip)
                    try await journey.make()
                }
                #expect(try await database.structure() == before)
                #expect(try await database.traces() == "")
                let stalls = load.stalls.summary
                #expect(stalls.ours < Self.limit, "\(stalls)")
                Self.tally.withLock { $0.stalls.add(stalls) }
            }
        }
    }

    @Test("every two values of different factors come together, in far fewer combinations than there are")
    func pairwise() {
        let levels = [7, 4, 3, 3, 2]
        let combinations = Pairwise.combinations(levels)
        for first in levels.indices {
            for second in levels.indices where second > first {
                let pairs = Set(combinations.map { [$0[first], $0[second]] })
                #expect(pairs.count == levels[first] * levels[second])
            }
        }
        #expect(combinations.count < 40)
        #expect(Pairwise.all(levels).count == 504)
    }
}
