/// What is stored of the promises and tasks that a request is about, by id.
public struct PromiseRecords: Sendable, Hashable {
    public var promises: [String: PromiseRecord]
    public var tasks: [String: TaskRecord]

    public init(promises: [PromiseRecord] = [], tasks: [TaskRecord] = []) {
        self.promises = Dictionary(promises.map { ($0.id, $0) }) { $1 }
        self.tasks = Dictionary(tasks.map { ($0.id, $0) }) { $1 }
    }

    /// The records as they are at `now`: a promise whose deadline has passed is settled and its task fulfilled, and a
    /// lease that has ended is nobody's.
    func projected(at now: Int64) -> PromiseRecords {
        var records = self
        for (id, promise) in promises {
            let promise = promise.projected(at: now)
            records.promises[id] = promise
            guard let task = tasks[id] else { continue }
            if promise.state != .pending && task.state != .fulfilled {
                records.tasks[id] = task.unheld(.fulfilled)
            } else if task.state == .acquired, let end = task.leaseExpiresAt, end <= now {
                records.tasks[id] = task.unheld(.pending)
            }
        }
        return records
    }
}
