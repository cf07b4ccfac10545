/// Where jitter comes from: a number in 0..<1 for each call. A test gives its own.
public struct RandomSource: Sendable {
    private let draw: @Sendable () -> Double

    public init(_ draw: @escaping @Sendable () -> Double) {
        self.draw = draw
    }

    public static let system = RandomSource { Double.random(in: 0..<1) }

    /// A number in 0..<1.
    public func next() -> Double { draw() }

    /// `duration`, longer by up to `factor` of itself.
    public func jitter(_ duration: Duration, by factor: Double) -> Duration {
        duration * (1 + next() * factor)
    }
}
