import TestSupport

/// What befalls a backfill, and when: the same for the same seed.
struct FaultSchedule: Sendable, CustomStringConvertible {
    enum Fault: Hashable, Sendable {
        /// SIGKILL of the process that fills.
        case worker
        /// SIGKILL of the whole PostgreSQL, which is started again.
        case server
        /// SIGKILL of the primary, and its standby takes its place.
        case failover
    }

    /// How often each is to happen.
    struct Counts: Sendable, Hashable {
        var workers: Int
        var servers: Int
        var failovers: Int
    }

    struct Moment: Sendable, Hashable {
        let fault: Fault
        /// After so many chunks since the fault before, or since the process began.
        let chunks: Int
        /// And so much later, in the middle of whatever is done then.
        let delay: Duration
        /// For how long a server is away.
        let away: Duration
    }

    let moments: [Moment]

    init(seed: UInt64, _ counts: Counts) {
        var random = SplitMix(seed: seed)
        let faults =
            Array(repeating: Fault.worker, count: counts.workers)
            + Array(repeating: .server, count: counts.servers) + Array(repeating: .failover, count: counts.failovers)
        moments = faults.shuffled(using: &random).map { fault in
            Moment(
                fault: fault, chunks: Int.random(in: 1...6, using: &random),
                delay: .microseconds(Int.random(in: 0...8000, using: &random)),
                away: .milliseconds(Int.random(in: 0...500, using: &random)))
        }
    }

    func count(of fault: Fault) -> Int { moments.count { $0.fault == fault } }

    var description: String {
        moments.map { "\($0.fault) after \($0.chunks) chunks and \($0.delay)" }.joined(separator: ", ")
    }
}
