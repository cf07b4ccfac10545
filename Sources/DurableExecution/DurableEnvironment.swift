internal import Foundation

/// Time and chance, handed in so that tests decide them.
public struct DurableEnvironment: Sendable {
    /// What time it is, in milliseconds since 1970.
    public var now: @Sendable () -> Int64
    /// Waits; throws when the task is cancelled.
    public var sleep: @Sendable (Duration) async throws -> Void
    /// From 0 up to 1.
    public var random: @Sendable () -> Double

    public init(
        now: @escaping @Sendable () -> Int64,
        sleep: @escaping @Sendable (Duration) async throws -> Void,
        random: @escaping @Sendable () -> Double
    ) {
        self.now = now
        self.sleep = sleep
        self.random = random
    }

    /// The clock and the random numbers of the machine.
    public static let system = DurableEnvironment(
        now: { Int64(Date().timeIntervalSince1970 * 1000) },
        sleep: { try await ContinuousClock().sleep(for: $0) },
        random: { Double.random(in: 0..<1) }
    )

    /// The time after `duration` from now; far away for nil and for what no clock reaches.
    func time(after duration: Duration?) -> Int64 {
        guard let duration else { return Self.farAway }
        let milliseconds = max(0, duration / .milliseconds(1)).rounded(.up)
        return milliseconds > Double(Self.farAway) ? Self.farAway : min(Self.farAway, now() + Int64(milliseconds))
    }

    /// The year 3000, in milliseconds since 1970: what has no deadline.
    public static let farAway: Int64 = 32_503_680_000_000
}
