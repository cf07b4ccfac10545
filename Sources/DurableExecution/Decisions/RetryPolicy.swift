/// When a step that failed is tried again.
public struct RetryPolicy: Sendable {
    /// How often it is tried, in all; nil for as long as it takes.
    public var mostAttempts: Int?
    /// The pause after the first failure.
    public var first: Duration
    /// By how much each pause is longer than the one before.
    public var factor: Double
    public var longest: Duration
    /// Which part of a pause is left to chance, from 0 to 1.
    public var jitter: Double
    /// Whether it is worth another try after that error.
    public var isWorthwhile: @Sendable (any Error) -> Bool

    public init(
        mostAttempts: Int? = 5,
        first: Duration = .milliseconds(200),
        factor: Double = 2,
        longest: Duration = .seconds(30),
        jitter: Double = 0.5,
        isWorthwhile: @escaping @Sendable (any Error) -> Bool = { _ in true }
    ) {
        self.mostAttempts = mostAttempts
        self.first = first
        self.factor = factor
        self.longest = longest
        self.jitter = jitter
        self.isWorthwhile = isWorthwhile
    }

    /// The first failure is the last.
    public static let never = RetryPolicy(mostAttempts: 1)

    /// How long to wait before the next attempt; nil to give up.
    ///
    /// - Parameters:
    ///   - attempts: how many there were.
    ///   - random: from 0 up to 1.
    public func pause(after error: any Error, attempts: Int, random: Double) -> Duration? {
        if let mostAttempts, attempts >= mostAttempts { return nil }
        if error is CancellationError || !isWorthwhile(error) { return nil }
        var pause = first
        for _ in 1..<max(1, attempts) where pause < longest { pause = pause * factor }
        let part: Double = 1 - jitter * random
        return min(pause, longest) * part
    }
}
