internal import Synchronization

/// The ranges of a walk that nobody has begun yet, and how many rows the others have passed.
final class RangeQueue: Sendable {
    private struct State {
        var left: ArraySlice<Checkpoint>
        var passed: Int64 = 0
    }

    private let state: Mutex<State>

    init(_ checkpoints: [Checkpoint]) {
        state = Mutex(State(left: checkpoints[...]))
    }

    /// The next one, for whoever asks first; nil when all are taken.
    func next() -> Checkpoint? {
        state.withLock { $0.left.popFirst() }
    }

    func passed(_ rows: Int64) {
        state.withLock { $0.passed += rows }
    }

    var rowsPassed: Int64 { state.withLock { $0.passed } }
}
