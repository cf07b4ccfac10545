import TestSupport
import Testing

/// A backfill that goes through a schedule of faults, by as many processes as it takes.
final class FaultedBackfill {
    private let scenario: OracleScenario
    private let servers: ServerPair
    private let schedule: FaultSchedule
    private var left: ArraySlice<FaultSchedule.Moment>

    /// The chunks that were begun in each stretch in which a walk goes on where it was: from its beginning, or from a failover.
    private(set) var stretches: [[ChunkAttempt]] = [[]]
    /// Bytes of WAL that the failovers have lost.
    private(set) var lostWAL = 0
    /// How often it was at its end and had to be sent round again, for there were faults left.
    private(set) var rounds = 1

    init(_ scenario: OracleScenario, on servers: ServerPair, through schedule: FaultSchedule) {
        self.scenario = scenario
        self.servers = servers
        self.schedule = schedule
        left = schedule.moments[...]
    }

    var chunks: Int { stretches.reduce(0) { $0 + $1.count } }

    /// Workers that have begun chunks.
    var epochs: Int { stretches.reduce(0) { $0 + Set($1.map(\.epoch)).count } }

    /// Walks it to Backfill through all faults.
    func run() async throws {
        while true {
            let isAtEnd = try await scenario.database.running(leaseSeconds: 1) { try await walk(with: $0) }
            if isAtEnd, left.isEmpty { return }
            if isAtEnd {
                try await scenario.database.reach("DualWrite")
                stretches.append([])
                rounds += 1
            }
        }
    }

    /// Lets the process work to its end, or until it is killed: then false.
    private func walk(with process: SluiceProcess) async throws -> Bool {
        // How many of its chunks are of stretches that are over.
        var over = 0
        func note() {
            let attempts = ChunkAttempt.all(in: process.standardError)
            stretches[stretches.count - 1] += attempts.dropFirst(over)
            over = attempts.count
        }
        var begun = 0
        while let next = left.first, try await process.hasBegun(begun + next.chunks) {
            try await Task.sleep(for: next.delay)
            left.removeFirst()
            switch next.fault {
            case .worker:
                try await process.kill()
                note()
                return false
            case .server:
                let server =
                    schedule.moments.prefix(left.startIndex).contains { $0.fault == .failover }
                    ? servers.standby : servers.primary
                try await server.kill()
                try await Task.sleep(for: next.away)
                try await server.restart()
            case .failover:
                if servers.replication == .lossy {
                    try await servers.stopReceiving()
                    try await Task.sleep(for: .milliseconds(300))
                }
                lostWAL += try await servers.failOver(away: next.away) {
                    note()
                    stretches.append([])
                }
            }
            begun = ChunkAttempt.all(in: process.standardError).count
        }
        let status = try await process.waitForExit(within: .seconds(120))
        note()
        let said = process.standardOutput
        guard status == 0, said.contains("mismatches: 0") else {
            throw TestFailure("it ended with \(status):\n\(said)\(process.standardError.suffix(2000))")
        }
        return true
    }
}

extension SluiceProcess {
    /// Waits until it has begun so many chunks; false when it has come to its end before.
    fileprivate func hasBegun(_ count: Int) async throws -> Bool {
        try await eventually("chunk \(count), or the end", within: .seconds(120), every: .milliseconds(5)) {
            let isOver = exitStatus != nil
            if ChunkAttempt.all(in: standardError).count >= count { return true }
            return isOver ? false : nil
        }
    }
}
