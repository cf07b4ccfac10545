/// What one client asked, and what came of it, in a history of several clients.
///
/// Moments are numbers of one sequence: what ended at a lower one than another began is before it; what overlaps may have
/// happened in either order.
struct ConcurrentOperation<Input: Sendable, Output: Sendable>: Sendable {
    var client: Int
    var input: Input
    /// Nil when nobody knows: the connection was lost, say. It may have taken effect at any time since, or never.
    var output: Output?
    var called: Int
    /// Counts only where there is an output.
    var returned: Int
}

/// What an object does when one operation follows another: what concurrent operations have to look like.
protocol SequentialSpecification: Sendable {
    associatedtype State: Hashable & Sendable
    associatedtype Input: Sendable
    associatedtype Output: Sendable

    /// The state after an operation that was answered so; nil when the object does not answer so in that state. An unknown
    /// output is right in every state.
    func step(_ state: State, _ input: Input, _ output: Output?) -> State?
}
