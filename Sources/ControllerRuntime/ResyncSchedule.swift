/// When each key is to be looked at again although nothing happened, as a value that reads no clock.
///
/// The times of keys that came together are spread over a fifth of the period, and so they stay.
struct ResyncSchedule<Key: Hashable & Sendable> {
    /// A key's time is off the period by up to this part of it, either way.
    static var jitter: Double { 0.1 }

    private let period: Duration
    private let random: RandomSource
    private var times: [Key: ContinuousClock.Instant] = [:]

    init(period: Duration, random: RandomSource) {
        self.period = period
        self.random = random
    }

    /// The key is there from `now` on. Nothing changes for one that was.
    mutating func add(_ key: Key, at now: ContinuousClock.Instant) {
        if times[key] == nil { times[key] = next(after: now) }
    }

    mutating func remove(_ key: Key) {
        times[key] = nil
    }

    /// The keys whose time has come, each once. Their next time is set.
    mutating func due(at now: ContinuousClock.Instant) -> [Key] {
        let due = times.filter { $0.value <= now }.map(\.key)
        for key in due { times[key] = next(after: now) }
        return due
    }

    /// When to look again: no key that is there, or comes from `now` on, is due before.
    func nextLook(after now: ContinuousClock.Instant) -> ContinuousClock.Instant {
        let earliest = now + period * (1 - Self.jitter)
        return min(times.values.min() ?? earliest, earliest)
    }

    private func next(after now: ContinuousClock.Instant) -> ContinuousClock.Instant {
        now + random.jitter(period * (1 - Self.jitter), by: 2 * Self.jitter / (1 - Self.jitter))
    }
}
