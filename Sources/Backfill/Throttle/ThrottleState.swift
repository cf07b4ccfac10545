public import Foundation

/// Why a backfill does not go on, though nothing is wrong with it.
public struct ThrottleHold: Hashable, Sendable {
    /// One word in CamelCase.
    public let reason: String
    /// Says what is too much, by how much, and which setting has the limit.
    public let message: String
    /// Since when it is held, whatever for.
    public let since: Date

    public init(reason: String, message: String, since: Date) {
        self.reason = reason
        self.message = message
        self.since = since
    }
}

/// What is too much, by one signal.
struct ThrottleFinding: Hashable, Sendable {
    let reason: String
    let message: String
}

/// How much of a backfill may go on: decided from one look at the server after the other.
///
/// A finding holds it, all of it. The time that the application's statement takes, the budget of the server and the share that
/// it was given say how many of its workers may be at work: of 1.5, one all the time and one for half of it.
struct ThrottleState: Sendable {
    let rules: ThrottleRules
    let workers: Int
    private(set) var hold: ThrottleHold?
    private var lookedAt: ContinuousClock.Instant?
    private var foundAt: ContinuousClock.Instant?
    /// By the server's budget, and by the latency.
    private var budget: Double
    private var byLatency: Double
    /// The probe took too long, or failed, though next to nothing went on.
    private var latency: ThrottleFinding?
    /// Who has something to walk.
    private var present: Set<Int> = []
    /// When the rows are paid for that were done, where their number is limited.
    private var paidUntil: ContinuousClock.Instant?

    /// What was found holds for a while after it is gone, or a backfill would come and go with every chunk.
    static let shortest = Duration.milliseconds(500)
    /// After that long without a look nobody knows whether it may go on.
    static let blind = Duration.seconds(3)
    /// A worker never rests for longer after a chunk, however long that took.
    static let longestRest = Duration.seconds(10)
    /// The fewest workers that are let go on; below that it is held.
    static let fewest = 0.05

    init(_ rules: ThrottleRules, workers: Int) {
        self.rules = rules
        self.workers = workers
        budget = Double(workers)
        byLatency = Double(workers)
    }

    /// How many workers may be at work; a part of one is a part of the time.
    var capacity: Double { min(Double(workers) * rules.share, budget, byLatency) }

    // MARK: What is seen

    /// - Parameters:
    ///   - findings: of all signals, in their order.
    ///   - others: the workers of other migrations that are at work on the server.
    mutating func looked(
        _ findings: [ThrottleFinding], others: Int, at now: ContinuousClock.Instant, date: Date
    ) {
        lookedAt = now
        let total = workers + others
        let part: Double = Double(rules.serverWorkers * workers) / Double(total)
        budget = max(Self.fewest, min(Double(workers), part))
        let all = findings + [latency].compactMap(\.self)
        guard let first = all.first else {
            if let foundAt, foundAt.duration(to: now) < Self.shortest { return }
            hold = nil
            return
        }
        foundAt = now
        hold = ThrottleHold(
            reason: first.reason, message: all.map(\.message).joined(separator: "; "), since: hold?.since ?? date)
    }

    /// A statement of the application's took `duration`. Cut sharply and grown slowly, so that about nine of ten are within the
    /// limit.
    mutating func probed(_ duration: Duration, limit: Duration) {
        if duration <= limit {
            latency = nil
            byLatency = min(Double(workers), byLatency + 0.015 * Double(workers))
        } else if byLatency > Self.fewest {
            byLatency = max(Self.fewest, byLatency * 0.75)
        } else {
            latency = ThrottleFinding(
                reason: "Latency",
                message: "the application's statement takes \(duration.rounded) (the limit is \(limit.rounded), "
                    + "backfill.throttle.latency)")
        }
    }

    /// The statement of the application's could not be run.
    mutating func failedToProbe(_ message: String) {
        latency = ThrottleFinding(reason: "Latency", message: "\(message) (backfill.throttle.latency)")
    }

    // MARK: What follows

    /// A worker has something to walk, or nothing any more. What may be at work is shared among those that have.
    mutating func set(_ worker: Int, isPresent: Bool) {
        if isPresent { present.insert(worker) } else { present.remove(worker) }
    }

    /// Whether no worker may begin a chunk, since something is too much or nobody knows.
    func isHeld(at now: ContinuousClock.Instant) -> Bool {
        hold != nil || lookedAt.map { $0.duration(to: now) >= Self.blind } ?? true
    }

    /// Whether a worker may begin a chunk; else it asks again soon.
    func admits(_ worker: Int, at now: ContinuousClock.Instant) -> Bool {
        if isHeld(at: now) { return false }
        return unpaid(at: now) == nil && duty(of: worker) > 0
    }

    /// How long it takes until the rows are paid for that were done; nil where they are.
    func unpaid(at now: ContinuousClock.Instant) -> Duration? {
        guard let paidUntil, paidUntil > now else { return nil }
        return now.duration(to: paidUntil)
    }

    /// How long a worker rests after a chunk that took `duration`.
    mutating func rest(after duration: Duration, rows: Int64, of worker: Int, at now: ContinuousClock.Instant)
        -> Duration
    {
        if let most = rules.settings.maxRowsPerSecond, most > 0 {
            let price = Duration.seconds(Double(rows) / Double(most))
            let began = now.advanced(by: .zero - duration)
            paidUntil = max(paidUntil ?? began, began).advanced(by: price)
        }
        let duty = duty(of: worker)
        guard duty > 0, duty < 1 else { return .zero }
        let factor: Double = 1 / duty - 1
        return min(Self.longestRest, duration * factor)
    }

    private func duty(of worker: Int) -> Double {
        let before = present.filter { $0 < worker }.count
        let left: Double = capacity - Double(before)
        return min(1, max(0, left))
    }
}
