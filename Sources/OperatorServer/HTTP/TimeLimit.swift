/// The time for something is over.
struct TimeIsOver: Error {}

/// What `body` returns within `limit`; else it is cancelled, and its end is waited for.
func within<Value: Sendable>(
    _ limit: Duration, _ body: @escaping @Sendable () async throws -> Value
) async throws -> Value {
    try await withThrowingTaskGroup(of: Value.self) { group in
        group.addTask { try await body() }
        group.addTask {
            try await Task.sleep(for: limit)
            throw TimeIsOver()
        }
        defer { group.cancelAll() }
        guard let value = try await group.next() else { throw TimeIsOver() }
        return value
    }
}
