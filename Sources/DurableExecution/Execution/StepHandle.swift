/// Something that was begun in a durable function, and that others settle.
///
/// It belongs to the task of its context, as that does.
public final class StepHandle<Value: Codable & Sendable> {
    /// That of the promise, by which others can settle or look at it.
    public let id: String
    private let execution: Execution

    init(_ id: String, in execution: Execution) {
        self.id = id
        self.execution = execution
    }

    /// The result. Until there is one the function sleeps, and costs nothing.
    ///
    /// - Throws: a ``DurableFailure`` when it failed, a ``DurableError`` when it was cancelled or its deadline passed.
    public var value: Value {
        get async throws { try Settled(try await execution.wait(for: id)).value(Value.self) }
    }
}

@available(*, unavailable)
extension StepHandle: Sendable {}
