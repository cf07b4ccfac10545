import TestSupport
import Testing

/// 500 kills of the worker, 50 of PostgreSQL and 10 failovers in `make soak`, by ten seeds; six, one and one by two of them in
/// `make test`.
@Suite("The backfill, while everything is killed")
struct BackfillKillTests {
    struct Run: Sendable, CustomTestStringConvertible {
        let seed: UInt64
        let faults: FaultSchedule.Counts
        let rows: Int

        var testDescription: String { "seed \(seed)" }
        /// Both ways to walk, and both ways to fail over.
        var by: String { seed % 4 < 2 ? "Pages" : "Keys" }
        var replication: ServerPair.Replication { seed % 2 == 0 ? .lossy : .synchronous }
    }

    static let runs =
        TestServers.isSoak
        ? (1...10).map { Run(seed: $0, faults: .init(workers: 50, servers: 5, failovers: 1), rows: 60_000) }
        : [
            Run(seed: 1, faults: .init(workers: 3, servers: 1, failovers: 0), rows: 12_000),
            Run(seed: 2, faults: .init(workers: 3, servers: 0, failovers: 1), rows: 12_000),
        ]
    /// Each has two servers and four writers.
    private static let places = Places(2)

    @Test(
        "ends verified: nothing that was written is lost, no row is filled twice, at most a chunk of it for each kill is done again",
        .timeLimit(.minutes(60)), arguments: runs)
    func endsVerified(_ run: Run) async throws {
        let schedule = FaultSchedule(seed: run.seed, run.faults)
        try await Self.places.with {
            try await withServerPair(run.replication) { servers in
                do {
                    try await go(run, on: servers, through: schedule)
                } catch {
                    throw TestFailure("seed \(run.seed): \(schedule)\n\(error)")
                }
            }
        }
    }

    private func go(_ run: Run, on servers: ServerPair, through schedule: FaultSchedule) async throws {
        let scenario = try await OracleScenario(
            servers.url, rows: run.rows, seed: run.seed, by: run.by, hasOutages: true, rest: .milliseconds(10))
        let database = scenario.database
        try await database.reach("DualWrite")
        try await FillAudit.begin(on: database)
        let backfill = FaultedBackfill(scenario, on: servers, through: schedule)
        try await scenario.underLoad { start in
            start(.new)
            try await scenario.writes(50, by: .new)
            try await backfill.run()
            for version in ApplicationVersion.allCases { try await scenario.writes(50, by: version) }
        }

        let audit = try await scenario.audit()
        #expect(audit.lost == 0 && audit.wrong == 0, "\(audit)")
        #expect(audit.newSide > 50)
        let verified = try await database.verify()
        #expect(verified.standardOutput.contains("compared again: \(audit.rows * 3) rows, mismatches: 0"))

        let fills = try await FillAudit.read(from: database)
        // What writes a row gives it all of its sides, so many are the writers'.
        #expect(fills.fills > run.rows / 8, "\(fills)")
        #expect(fills.twice == 0 && fills.written == 0 && fills.stale == 0, "\(fills)")

        let again = backfill.stretches.flatMap(\.begunAgain)
        for (place, epoch, starts) in again {
            #expect(starts.count <= 1, "\(place) in epoch \(epoch): begun again from \(starts)")
        }
        let repeated = again.reduce(0) { $0 + $1.starts.count }
        #expect(repeated <= 2 * schedule.moments.count)
        #expect(backfill.lostWAL > 0 || run.replication == .synchronous || schedule.count(of: .failover) == 0)
        print(
            """
            seed \(run.seed), by \(run.by), \(run.replication): killed \(schedule.count(of: .worker)) workers and \
            \(schedule.count(of: .server)) servers, \(schedule.count(of: .failover)) failovers with \(backfill.lostWAL) bytes \
            of WAL lost; \(backfill.chunks) chunks of \(backfill.epochs) workers in \(backfill.rounds) rounds, \(repeated) begun \
            again; \(fills); \(audit)
            """)
    }
}
