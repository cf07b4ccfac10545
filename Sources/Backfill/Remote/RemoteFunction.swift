public import SchemaChange

/// A worker's function, asked for one chunk at a time. Whoever is behind it keeps what was asked and what was answered.
public protocol RemoteFunction: Sendable {
    /// Asks under `name`, or finds what was asked under that name before, and waits for the answer.
    ///
    /// - Parameter argument: JSON, see ``RemoteChunk``.
    /// - Returns: what was asked, which is not `argument` when somebody asked earlier, and what came of it.
    func call(_ name: String, _ argument: String, of remote: RemoteForward) async throws -> RemoteReply

    /// What came of all calls whose names begin with `prefix` is behind a checkpoint: nobody asks for one of them again, and
    /// what was kept of them may go.
    func forget(beginningWith prefix: String) async throws
}

/// What came of a call.
public struct RemoteReply: Sendable, Hashable {
    public enum Outcome: Sendable, Hashable {
        /// What the function returned, as JSON.
        case answered(String)
        /// Why it did not, in the worker's words.
        case rejected(String)
        /// Nobody answered in time.
        case overdue
    }

    /// The promise, for people.
    public let id: String
    public let argument: String
    public let outcome: Outcome

    public init(id: String, argument: String, outcome: Outcome) {
        self.id = id
        self.argument = argument
        self.outcome = outcome
    }
}
