/// Runs `body`, then `cleanUp` whatever became of it.
///
/// The body's error is the one thrown if both fail: it is the cause more often than not.
public func with<Value>(_ body: () async throws -> Value, cleanUp: () async throws -> Void) async throws -> Value {
    let value: Value
    do {
        value = try await body()
    } catch {
        try? await cleanUp()
        throw error
    }
    try await cleanUp()
    return value
}
