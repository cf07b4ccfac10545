/// Where a task is between those who may work on it.
public enum TaskState: String, Sendable, Hashable, CaseIterable {
    /// Nobody's.
    case pending
    /// One worker's, until its lease ends.
    case acquired
    /// Waiting for other promises.
    case suspended
    /// Taken out of service by somebody.
    case halted
    /// Its promise is settled.
    case fulfilled
}
