/// What is a matter of taste in the protocol, or of settings: how requests are judged, and how often things are repeated.
public struct PromiseRules: Sendable, Hashable {
    /// Refuses what the reference model refuses, though clients in the field send it: a timer with a target, a heartbeat
    /// for tasks of several origins.
    public var isStrict: Bool

    /// After how many milliseconds a task that was offered and not taken is offered again, the first time. Each time after it
    /// rests twice as long.
    public var retryInterval: Int64

    /// The longest pause, in milliseconds, before a task is offered again that nobody takes, or that is given back each time
    /// it is taken.
    public var maximumBackoff: Int64

    /// How many promises of its branch a worker is told at most when it takes a task, by either way of separating ids. When
    /// it was told so many there may be more, for which it has to ask.
    public static let mostPreloaded = 1000

    public init(isStrict: Bool = false, retryInterval: Int64 = 5000, maximumBackoff: Int64 = 60_000) {
        self.isStrict = isStrict
        self.retryInterval = retryInterval
        self.maximumBackoff = maximumBackoff
    }

    /// How long a task rests that was given back `releases` times in a row: the first time not at all.
    func backoff(releases: Int) -> Int64 {
        guard releases > 1 else { return 0 }
        return min(maximumBackoff, 250 << Int64(min(releases - 2, 20)))
    }

    /// How long a task rests that was offered `offers` times, before it is offered again.
    ///
    /// Its message is kept until somebody is there to take it, so it is offered again only because a message may be lost with
    /// the worker that got it. Where there is more to do than workers, most tasks wait for long, and each would be in the way
    /// of all that is due, every few seconds.
    func pause(offers: Int) -> Int64 {
        let (pause, isOverflow) = retryInterval.multipliedReportingOverflow(by: 1 << Int64(min(max(offers, 1) - 1, 20)))
        let longest = max(maximumBackoff, retryInterval)
        return isOverflow ? longest : min(longest, pause)
    }
}
