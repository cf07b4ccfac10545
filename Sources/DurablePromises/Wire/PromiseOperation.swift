/// What a request asks for: its kind with its data.
public enum PromiseOperation: Sendable, Hashable {
    case getPromise(id: String)
    case createPromise(PromiseCreation)
    case settlePromise(PromiseSettlement)
    case registerCallback(Callback)
    case registerListener(Listener)
    case searchPromises(PromiseSearch)

    case getTask(id: String)
    indirect case createTask(pid: String, ttl: Int64, action: Request)
    case acquireTask(TaskReference, pid: String, ttl: Int64)
    case heartbeat(pid: String, tasks: [TaskReference])
    indirect case fence(TaskReference, action: Request)
    indirect case suspendTask(TaskReference, actions: [Request])
    indirect case fulfillTask(TaskReference, action: Request)
    case releaseTask(TaskReference)
    case haltTask(id: String)
    case continueTask(id: String)
    case searchTasks(PromiseSearch)

    case createSchedule(ScheduleCreation)
    case getSchedule(id: String)
    case deleteSchedule(id: String)
    case searchSchedules(PromiseSearch)

    case startDebugging
    case stopDebugging
    case resetForDebugging
    /// Runs every timer that is due at `time`, in milliseconds since 1970.
    case tick(time: Int64)
    case snapshot

    /// A kind that is known, with data that is not of its shape; or no envelope at all.
    case malformed(kind: String, reason: String)
    /// A kind that nobody knows.
    case unknown(kind: String)

    public var kind: String {
        switch self {
        case .getPromise: "promise.get"
        case .createPromise: "promise.create"
        case .settlePromise: "promise.settle"
        case .registerCallback: "promise.register_callback"
        case .registerListener: "promise.register_listener"
        case .searchPromises: "promise.search"
        case .getTask: "task.get"
        case .createTask: "task.create"
        case .acquireTask: "task.acquire"
        case .heartbeat: "task.heartbeat"
        case .fence: "task.fence"
        case .suspendTask: "task.suspend"
        case .fulfillTask: "task.fulfill"
        case .releaseTask: "task.release"
        case .haltTask: "task.halt"
        case .continueTask: "task.continue"
        case .searchTasks: "task.search"
        case .createSchedule: "schedule.create"
        case .getSchedule: "schedule.get"
        case .deleteSchedule: "schedule.delete"
        case .searchSchedules: "schedule.search"
        case .startDebugging: "debug.start"
        case .stopDebugging: "debug.stop"
        case .resetForDebugging: "debug.reset"
        case .tick: "debug.tick"
        case .snapshot: "debug.snap"
        case .malformed(let kind, _), .unknown(let kind): kind
        }
    }

    /// The promises, and tasks of the same ids, that decide the answer.
    public var promiseIDs: Set<String> {
        switch self {
        case .getPromise(let id), .getTask(let id), .haltTask(let id), .continueTask(let id): [id]
        case .createPromise(let creation): [creation.id]
        case .settlePromise(let settlement): [settlement.id]
        case .registerCallback(let callback): [callback.awaited, callback.awaiter]
        case .registerListener(let listener): [listener.awaited]
        case .createTask(_, _, let action): action.operation.promiseIDs
        case .acquireTask(let task, _, _), .releaseTask(let task): [task.id]
        case .heartbeat(_, let tasks):
            // One that cannot be an id is passed over, and keeps no other from being found.
            Set(tasks.map(\.id).filter { Identifier.isValid($0) })
        case .fence(let task, let action), .fulfillTask(let task, let action):
            action.operation.promiseIDs.union([task.id])
        case .suspendTask(let task, let actions):
            actions.reduce(into: [task.id]) { $0.formUnion($1.operation.promiseIDs) }
        case .searchPromises, .searchTasks, .createSchedule, .getSchedule, .deleteSchedule, .searchSchedules,
            .startDebugging, .stopDebugging, .resetForDebugging, .tick, .snapshot, .malformed, .unknown:
            []
        }
    }

    /// What stands before the first colon or point of their ids: each is locked while the answer is found.
    public var families: Set<String> { Set(promiseIDs.map { Lineage.partition($0) }) }

    /// The schedule that decides the answer.
    public var scheduleID: String? {
        switch self {
        case .createSchedule(let creation): creation.id
        case .getSchedule(let id), .deleteSchedule(let id): id
        default: nil
        }
    }

    /// What has to be there already for it to be done. No record has an id that creating one refuses.
    var soughtID: String? {
        switch self {
        case .getPromise(let id), .getTask(let id), .haltTask(let id), .continueTask(let id), .getSchedule(let id),
            .deleteSchedule(let id):
            id
        case .registerListener(let listener): listener.awaited
        case .acquireTask(let task, _, _), .fence(let task, _), .suspendTask(let task, _), .fulfillTask(let task, _),
            .releaseTask(let task):
            task.id
        default: nil
        }
    }

    /// The task whose earlier steps the answer tells, to save a worker the asking.
    var preloads: String? {
        switch self {
        case .createTask(_, _, let action):
            if case .createPromise(let creation) = action.operation { creation.id } else { nil }
        case .acquireTask(let task, _, _), .suspendTask(let task, _): task.id
        default: nil
        }
    }
}
