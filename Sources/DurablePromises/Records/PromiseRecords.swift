/// What is stored of the promises that requests are about, with everything that hangs on them.
public struct PromiseRecords: Sendable, Hashable {
    public var promises: [String: PromiseRecord]
    public var tasks: [String: TaskRecord]
    public var callbacks: Set<Callback>
    public var listeners: Set<Listener>
    public var schedules: [String: ScheduleRecord]

    public init(
        promises: [PromiseRecord] = [],
        tasks: [TaskRecord] = [],
        callbacks: some Sequence<Callback> = [],
        listeners: some Sequence<Listener> = [],
        schedules: [ScheduleRecord] = []
    ) {
        self.promises = Dictionary(promises.map { ($0.id, $0) }) { $1 }
        self.tasks = Dictionary(tasks.map { ($0.id, $0) }) { $1 }
        self.callbacks = Set(callbacks)
        self.listeners = Set(listeners)
        self.schedules = Dictionary(schedules.map { ($0.id, $0) }) { $1 }
    }
}
