/// Counts what is going on in an execution, to know when nothing can happen without somebody else: then it can sleep.
///
/// A branch is the function itself, one of its concurrent parts, or a request that is under way.
struct Branches: Sendable, Hashable {
    private(set) var running = 1
    private(set) var waiting = 0

    /// Nothing runs, and something waits for what somebody else does.
    var areBlocked: Bool { running == 0 && waiting > 0 }

    /// A branch waits for a promise.
    mutating func wait() {
        running -= 1
        waiting += 1
    }

    /// So many branches have what they waited for.
    mutating func wake(_ count: Int) {
        running += count
        waiting -= count
    }

    mutating func begin(_ count: Int = 1) { running += count }
    mutating func end() { running -= 1 }
}
