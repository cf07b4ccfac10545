/// What a request asks for: its kind with its data.
public enum PromiseOperation: Sendable, Hashable {
    case getPromise(id: String)
    case createPromise(PromiseCreation)
    case settlePromise(PromiseSettlement)
    case getTask(id: String)
    case createTask(pid: String, ttl: Int64, action: Action)
    case acquireTask(TaskReference, pid: String, ttl: Int64)
    case heartbeat(pid: String, tasks: [TaskReference])
    case fence(TaskReference, action: Action)
    case fulfillTask(TaskReference, action: Action)
    case releaseTask(TaskReference)
    /// A kind that is known, with data that is not of its shape.
    case malformed(kind: String, reason: String)
    /// A kind that nobody knows, or that this store does not serve.
    case unknown(kind: String)

    /// The request inside a request.
    public typealias Action = Indirect

    /// A request in a box, since a request holds an operation.
    public final class Indirect: Sendable, Hashable {
        public let request: Request

        public init(_ request: Request) {
            self.request = request
        }

        public static func == (left: Indirect, right: Indirect) -> Bool {
            left.request == right.request
        }

        public func hash(into hasher: inout Hasher) {
            hasher.combine(request)
        }
    }

    public var kind: String {
        switch self {
        case .getPromise: "promise.get"
        case .createPromise: "promise.create"
        case .settlePromise: "promise.settle"
        case .getTask: "task.get"
        case .createTask: "task.create"
        case .acquireTask: "task.acquire"
        case .heartbeat: "task.heartbeat"
        case .fence: "task.fence"
        case .fulfillTask: "task.fulfill"
        case .releaseTask: "task.release"
        case .malformed(let kind, _), .unknown(let kind): kind
        }
    }

    /// The promises, and tasks of the same ids, that decide the answer.
    var ids: Set<String> {
        switch self {
        case .getPromise(let id), .getTask(let id): [id]
        case .createPromise(let creation): [creation.id]
        case .settlePromise(let settlement): [settlement.id]
        case .createTask(_, _, let action): action.request.operation.ids
        case .acquireTask(let task, _, _), .releaseTask(let task): [task.id]
        case .heartbeat(_, let tasks): Set(tasks.map(\.id))
        case .fence(let task, let action), .fulfillTask(let task, let action):
            action.request.operation.ids.union([task.id])
        case .malformed, .unknown: []
        }
    }

    /// Whether it can change nothing.
    var isReadOnly: Bool {
        switch self {
        case .getPromise, .getTask, .malformed, .unknown: true
        default: false
        }
    }
}
