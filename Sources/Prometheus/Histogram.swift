/// How long something took, as counts of what took at most so long.
public final class Histogram: Sendable {
    /// From a quarter of a millisecond to ten seconds, as a request over a network and a database takes.
    public static let standardBounds: [Duration] = [
        .microseconds(250), .microseconds(500), .milliseconds(1), .microseconds(2500), .milliseconds(5),
        .milliseconds(10), .milliseconds(25), .milliseconds(50), .milliseconds(100), .milliseconds(250),
        .milliseconds(500), .seconds(1), .milliseconds(2500), .seconds(5), .seconds(10),
    ]

    let bounds: [Duration]
    private let nanosecondBounds: [Int64]
    private let buckets: [Counter]
    private let nanoseconds = Counter()

    /// One that belongs to no registry, or not yet. `bounds` rise.
    public init(bounds: [Duration] = Histogram.standardBounds) {
        self.bounds = bounds
        nanosecondBounds = bounds.map(Self.nanoseconds)
        buckets = (0...bounds.count).map { _ in Counter() }
    }

    public func observe(_ duration: Duration) {
        observe(nanoseconds: Self.nanoseconds(duration))
    }

    public func observe(nanoseconds: Int64) {
        let bucket = nanosecondBounds.firstIndex { nanoseconds <= $0 } ?? nanosecondBounds.count
        buckets[bucket].increment()
        self.nanoseconds.increment(by: UInt64(max(nanoseconds, 0)))
    }

    /// How many were at most as long as each bound, and how many there were at all.
    var cumulative: [UInt64] {
        var sum: UInt64 = 0
        return buckets.map { bucket in
            sum += bucket.value
            return sum
        }
    }

    var seconds: Double { Double(nanoseconds.value) / 1e9 }

    private static func nanoseconds(_ duration: Duration) -> Int64 {
        let (seconds, attoseconds) = duration.components
        return seconds * 1_000_000_000 + attoseconds / 1_000_000_000
    }
}
