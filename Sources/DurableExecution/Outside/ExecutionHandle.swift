/// An execution, seen from outside.
public struct ExecutionHandle<Output: Codable & Sendable>: Sendable {
    /// That of its promise.
    public let id: String
    let executions: Executions

    /// What it gave; waits until it is there.
    ///
    /// - Throws: a ``DurableFailure`` when it failed, a ``DurableError`` when it was cancelled, when its deadline passed, or
    ///   when there is no such execution.
    public var value: Output {
        get async throws { try Settled(try await executions.settled(id)).value(Output.self) }
    }

    /// Cancels it. What it gave already stays.
    public func cancel() async throws {
        try await executions.cancel(id)
    }
}
