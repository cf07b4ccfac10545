/// The work on a promise, which one worker at a time has on lease.
///
/// Its version rises whenever somebody acquires it, and only then; it is what tells a worker that is late from the one
/// that took over.
public struct TaskRecord: Sendable, Hashable {
    /// That of its promise.
    public var id: String
    public var state: TaskState
    public var version: Int64
    /// How many promises that it waited for were settled since.
    public var resumes: Int
    /// The length of the lease in milliseconds, while somebody has one.
    public var ttl: Int64?
    /// The worker that has it.
    public var pid: String?
    /// When the lease ends, in milliseconds since 1970. Not sent.
    public var leaseExpiresAt: Int64?

    public init(
        id: String,
        state: TaskState,
        version: Int64,
        resumes: Int = 0,
        ttl: Int64? = nil,
        pid: String? = nil,
        leaseExpiresAt: Int64? = nil
    ) {
        self.id = id
        self.state = state
        self.version = version
        self.resumes = resumes
        self.ttl = ttl
        self.pid = pid
        self.leaseExpiresAt = leaseExpiresAt
    }

    /// The task in a state in which nobody holds it.
    func unheld(_ state: TaskState) -> TaskRecord {
        TaskRecord(id: id, state: state, version: version, resumes: state == .fulfilled ? 0 : resumes)
    }
}

extension TaskRecord: Codable {
    private enum CodingKeys: String, CodingKey {
        case id, state, version, resumes, ttl, pid
    }
}
