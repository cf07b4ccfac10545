/// What happens because the time has come, and not because somebody asks.
public enum PromiseEvent: Sendable, Hashable {
    /// The deadline of a promise may have passed.
    case deadline(promise: String)
    /// A task may have to be offered, or its lease may have ended.
    case wake(task: String)
    /// A schedule may have to make its promise, which is called so.
    case tick(schedule: String, promise: String)

    /// The promises that it is about.
    var promiseIDs: Set<String> {
        switch self {
        case .deadline(let id), .wake(let id): [id]
        case .tick(_, let promise): [promise]
        }
    }

    var scheduleID: String? {
        if case .tick(let schedule, _) = self { schedule } else { nil }
    }
}
