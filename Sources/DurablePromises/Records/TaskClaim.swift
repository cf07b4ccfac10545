/// A task that a worker holds, with its promise: what the worker shows for every step that it takes.
public struct TaskClaim: Sendable, Hashable {
    public var task: TaskRecord
    public var promise: PromiseRecord

    /// What earlier holders of the task did: the promises of its branch, in the order of their ids.
    public var preload: [PromiseRecord]

    public init(task: TaskRecord, promise: PromiseRecord, preload: [PromiseRecord] = []) {
        self.task = task
        self.promise = promise
        self.preload = preload
    }

    public var id: String { task.id }
    public var version: Int64 { task.version }
    public var reference: TaskReference { TaskReference(id: id, version: version) }

    /// The promise is settled already: there is nothing to do, and no lease.
    public var isFulfilled: Bool { task.state == .fulfilled }
}
