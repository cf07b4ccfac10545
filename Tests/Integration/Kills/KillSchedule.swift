import TestSupport

/// Who is killed.
enum Victim: Hashable, Sendable, CustomStringConvertible {
    case server(Int)
    case worker(Int)
    case postgres

    var description: String {
        switch self {
        case .server(let number): "server \(number)"
        case .worker(let number): "worker \(number)"
        case .postgres: "PostgreSQL"
        }
    }
}

/// Who is killed when, and for how long it is away: the same for the same seed.
struct KillSchedule: Sendable, CustomStringConvertible {
    struct Kill: Sendable, Hashable {
        /// Since the start.
        var at: Duration
        var victim: Victim
        var away: Duration
    }

    private(set) var kills: [Kill] = []

    init(seed: UInt64, count: Int, servers: Int, workers: Int) {
        var random = SplitMix(seed: seed)
        var time = Duration.zero
        for _ in 0..<count {
            // At times before the one before is back.
            time += .milliseconds(Int.random(in: 100...1500, using: &random))
            let away = Duration.milliseconds(Int.random(in: 0...700, using: &random))
            let victim: Victim =
                switch Int.random(in: 0..<3, using: &random) {
                case 0: .server(Int.random(in: 0..<servers, using: &random))
                case 1: .worker(Int.random(in: 0..<workers, using: &random))
                default: .postgres
                }
            kills.append(Kill(at: time, victim: victim, away: away))
        }
    }

    /// By victim, each in order.
    var byVictim: [Victim: [Kill]] { Dictionary(grouping: kills, by: \.victim) }

    var description: String {
        kills.map { "\($0.victim) at \($0.at) for \($0.away)" }.joined(separator: ", ")
    }
}
