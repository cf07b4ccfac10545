/// What is a matter of taste in the protocol, or of settings: how requests are judged, and how often things are repeated.
public struct PromiseRules: Sendable, Hashable {
    /// Refuses what the reference model refuses, though clients in the field send it: a timer with a target, a heartbeat
    /// for tasks of several origins.
    public var isStrict: Bool

    /// After how many milliseconds a task that was offered and not taken is offered again.
    public var retryInterval: Int64

    /// The longest pause, in milliseconds, before a task is offered again that is given back each time it is taken.
    public var maximumBackoff: Int64

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
}
