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
        let scenario: Scenario
        let target: Phase
        let up: Kill
        let down: Kill
        let server: PostgresVersion

        /// The same in each run.
        var seed: UInt64 { testDescription.utf8.reduce(5381) { $0 &* 33 &+ UInt64($1) } }

        var testDescription: String {
            "\(scenario) to \(target.rawValue) (\(up.rawValue)) and back (\(down.rawValue)) on \(server)"
        }
    }

    /// In its long form every combination, else every two things together: of the scenarios that turn round at the same
    /// phases, whoever goes back is killed by its sessions alone, which takes no lease's time.
    static let roundTrips: [RoundTrip] = {
        func trips(_ scenarios: [Scenario], _ targets: [Phase], _ down: [Kill], _ combine: ([Int]) -> [[Int]])
            -> [RoundTrip]
        {
            let levels = [
                scenarios.count, targets.count, Kill.allCases.count, down.count, PostgresVersion.allCases.count,
            ]
            return combine(levels).map { values in
                RoundTrip(
                    scenario: scenarios[values[0]], target: targets[values[1]], up: Kill.allCases[values[2]],
                    down: down[values[3]], server: PostgresVersion.allCases[values[4]])
            }
        }
        let phases = Phase.allCases.filter { $0 > .initial }
        if TestServers.isSoak { return trips(Scenario.all, phases, Kill.allCases, Pairwise.all) }
        return Dictionary(grouping: Scenario.all, by: \.targets).sorted { $0.key.count > $1.key.count }
            .flatMap { trips($1, $0, [.none, .backend], Pairwise.combinations) }
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
                let load = VersionLoad(scenario, url: url, seed: trip.seed)
                try await load.run {
                    var journey = Journey(database, load, trip)
                    try await journey.make()
                }
                try await database.sql(scenario.cleanUp)
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
