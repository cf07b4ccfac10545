/// Delays that grow with each failure up to a bound, and begin anew after a time without any.
///
/// A value: it reads no clock, and its jitter comes from outside.
public struct Backoff: Sendable {
    public var first: Duration
    public var longest: Duration
    public var factor: Double
    /// Each delay is made longer by up to this part of itself.
    public var jitter: Double
    /// How long after the last failure the delays begin anew.
    public var resetAfter: Duration

    private var next: Duration?
    private var lastFailure: ContinuousClock.Instant?

    public init(
        first: Duration, longest: Duration, factor: Double = 2, jitter: Double = 1,
        resetAfter: Duration = .seconds(120)
    ) {
        self.first = first
        self.longest = longest
        self.factor = factor
        self.jitter = jitter
        self.resetAfter = resetAfter
    }

    /// What a reflector waits between tries.
    public static var reflector: Backoff { Backoff(first: .milliseconds(800), longest: .seconds(30)) }

    /// How long to wait after a failure at `now`.
    public mutating func delay(at now: ContinuousClock.Instant, random: RandomSource) -> Duration {
        if let lastFailure, now - lastFailure > resetAfter { next = nil }
        lastFailure = now
        let delay = next ?? first
        next = min(longest, delay * factor)
        return random.jitter(delay, by: jitter)
    }

    /// The next delay is the first one again.
    public mutating func reset() {
        next = nil
        lastFailure = nil
    }
}
