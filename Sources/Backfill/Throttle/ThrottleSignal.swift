internal import PostgreSQL

/// Something that PostgreSQL tells of itself, and for which a backfill holds.
protocol ThrottleSignal: Sendable {
    /// One word in CamelCase: the reason of a condition, and a label of a metric.
    var reason: String { get }
    /// Under `spec.backfill.throttle`.
    var setting: String { get }
    /// Whether it is of no concern to who only reads.
    var isOfWrites: Bool { get }
    var statement: PostgresStatement { get }

    /// What is too much, for people; nil where nothing is.
    ///
    /// - Throws: ``Unreadable`` where the answer says that the role may not see it.
    mutating func finding(in rows: [PostgresRow], at now: ContinuousClock.Instant) throws -> String?
}

extension ThrottleSignal {
    var isOfWrites: Bool { true }
}

/// The role may not see what it would have to.
struct Unreadable: Error {
    /// What it is that cannot be seen.
    let what: String
}

extension Duration {
    /// For people: `40 ms`, `12 s`, `3 min`, `2 h`.
    var rounded: String {
        let seconds = self / .seconds(1)
        switch seconds {
        case ..<1: return "\(Int((seconds * 1000).rounded())) ms"
        case ..<120: return "\(Int(seconds.rounded())) s"
        case ..<7200: return "\(Int((seconds / 60).rounded())) min"
        default: return "\(Int((seconds / 3600).rounded())) h"
        }
    }
}

extension [String] {
    /// The first few, and how many there are besides; nil when there are none.
    var told: String? {
        guard !isEmpty else { return nil }
        let few = prefix(3).joined(separator: ", ")
        return count > 3 ? "\(few) and \(count - 3) more" : few
    }
}
