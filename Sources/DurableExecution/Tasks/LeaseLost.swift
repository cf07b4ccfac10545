/// The task is not this process's any more: somebody took over, or its promise was settled.
public struct LeaseLost: Error, Sendable, Hashable, CustomStringConvertible {
    public let task: String

    public var description: String { "the task \(task) is not held any more" }
}
