internal import DequeModule

/// Chooses how large the next chunk is, in rows or in pages, so that a chunk lasts about as long as it should.
///
/// Looks at the 90th percentile of ten chunks, or at once at those that are far too short, grows by at most a half, and cuts
/// to a tenth when a chunk took five times too long, but not below a floor: what a chunk takes however small it is, on a busy
/// machine or over a slow network, would else shrink it to a row for no gain. While a failing row is being isolated it only
/// shrinks.
public struct ChunkPacer: Sendable {
    public private(set) var size: Int
    private let target: Duration
    private let bounds: ClosedRange<Int>
    /// The smallest chunk, unless a row of it fails or others' locks are in the way.
    private let floor: Int
    private var recent: Deque<Double> = []
    /// While a failing row is isolated: how much from here on it may be in.
    private var suspects: Int?

    private static let window = 10

    /// Of a chunk that is counted in rows.
    public static let fewestRows = 100

    /// `target` is how long a chunk should take.
    public init(
        target: Duration, start: Int = 1000, floor: Int = fewestRows, bounds: ClosedRange<Int> = 1...50_000
    ) {
        self.target = target
        self.size = start
        self.floor = floor
        self.bounds = bounds
    }

    /// A chunk of ``size`` took `duration`.
    public mutating func finished(in duration: Duration) {
        if let suspects {
            // Past the last of them without a failure: somebody mended it.
            self.suspects = suspects > size ? suspects - size : nil
            return
        }
        let ratio = duration / target
        if ratio > 5 {
            set(max(size / 10, min(size, floor)))
            return
        }
        recent.append(ratio)
        if recent.count > Self.window { recent.removeFirst() }
        let ordered = recent.sorted()
        let slow = max(ordered[min(ordered.count - 1, ordered.count * 9 / 10)], 0.01)
        let factor = min(1.5, 1 / slow)
        // Rounded up, so that one row grows to two.
        let wanted = Int((Double(size) * factor).rounded(.up))
        // Of a few chunks that were nearly long enough the slowest tenth is not known yet.
        if factor > 1.05, slow < 0.5 || recent.count == Self.window { set(wanted) }
        if factor < 0.95 { set(max(wanted, min(size, floor))) }
    }

    /// A chunk had to give way to somebody else's lock.
    public mutating func yielded() {
        set(size / 2)
    }

    /// A row of the last chunk failed: the next one takes a tenth. False when it was one row already.
    public mutating func isolate() -> Bool {
        suspects = size
        guard size > 1 else { return false }
        set(max(1, size / 10))
        return true
    }

    private mutating func set(_ wanted: Int) {
        size = min(max(wanted, bounds.lowerBound), bounds.upperBound)
        recent.removeAll()
    }
}
