internal import Synchronization

/// Lets so many pieces of work run at once, and refuses more instead of queueing them.
final class ConcurrencyLimit: Sendable {
    private let most: Int
    private let running = Mutex(0)

    init(_ most: Int) {
        self.most = most
    }

    /// What `body` returns; nil, at once, when too much runs already.
    func run<Value>(_ body: () async throws -> Value) async rethrows -> Value? {
        let isAdmitted = running.withLock { running in
            guard running < most else { return false }
            running += 1
            return true
        }
        guard isAdmitted else { return nil }
        defer { running.withLock { $0 -= 1 } }
        return try await body()
    }
}
