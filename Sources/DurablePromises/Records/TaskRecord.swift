/// The work on a promise, which one worker at a time has on lease.
///
/// Its version rises whenever somebody acquires it, and only then; it is what tells a worker that is late from the one
/// that took over.
public struct TaskRecord: Sendable, Hashable {
    /// That of its promise.
    public var id: String
    public var state: TaskState
    public var version: Int64
    /// How many promises that it waited for were settled since it was last acquired.
    public var resumes: Int
    /// The length of the lease in milliseconds, while somebody has one.
    public var ttl: Int64?
    /// The worker that has it.
    public var pid: String?
    /// When the lease ends, in milliseconds since 1970. Not sent.
    public var leaseExpiresAt: Int64?
    /// When a task that is nobody's is offered, or offered again, in milliseconds since 1970. Not sent.
    public var dueAt: Int64?
    /// How often it was given back without having got anywhere. Not sent.
    public var releases: Int
    /// How often it was offered since it was last taken, or put back into service. Not sent.
    public var offers: Int

    public init(
        id: String,
        state: TaskState,
        version: Int64,
        resumes: Int = 0,
        ttl: Int64? = nil,
        pid: String? = nil,
        leaseExpiresAt: Int64? = nil,
        dueAt: Int64? = nil,
        releases: Int = 0,
        offers: Int = 0
    ) {
        self.id = id
        self.state = state
        self.version = version
        self.resumes = resumes
        self.ttl = ttl
        self.pid = pid
        self.leaseExpiresAt = leaseExpiresAt
        self.dueAt = dueAt
        self.releases = releases
        self.offers = offers
    }

    /// The task in a state in which nobody holds it.
    func unheld(_ state: TaskState, dueAt: Int64? = nil) -> TaskRecord {
        let isOver = state == .fulfilled
        return TaskRecord(
            id: id, state: state, version: version, resumes: isOver ? 0 : resumes, dueAt: dueAt,
            releases: isOver ? 0 : releases, offers: isOver ? 0 : offers
        )
    }

    /// When something happens to it though nobody asks: it is offered again, or its lease ends.
    var wakesAt: Int64? {
        switch state {
        case .pending: dueAt
        case .acquired: leaseExpiresAt
        case .suspended, .halted, .fulfilled: nil
        }
    }
}
