internal import Synchronization

/// How many of the row versions that a walk wrote stayed on their page, without an entry in any index (HOT): as PostgreSQL
/// counts them for the statement that wrote them, so that nobody else's are among them. Of walks by pages.
public final class HeapOnlyShare: Sendable {
    private struct State {
        var written: Int64 = 0
        var heapOnly: Int64 = 0
    }

    private let state = Mutex(State())

    public init() {}

    func wrote(_ rows: Int64, heapOnly: Int64) {
        state.withLock { state in
            state.written += rows
            state.heapOnly += heapOnly
        }
    }

    /// Nil where nothing was written yet.
    public var percent: Int? {
        state.withLock { $0.written == 0 ? nil : Int(($0.heapOnly * 100 + $0.written / 2) / $0.written) }
    }
}
