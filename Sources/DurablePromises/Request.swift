/// One request in the protocol's envelope.
public struct Request: Sendable, Hashable {
    /// The protocol's version that this store speaks.
    public static let currentVersion = "2026-04-01"

    public struct Head: Sendable, Hashable, Codable {
        /// Echoed in the response.
        public var corrId: String
        public var version: String

        public init(corrId: String = "0", version: String = Request.currentVersion) {
            self.corrId = corrId
            self.version = version
        }
    }

    public var head: Head
    public var operation: PromiseOperation

    public init(_ operation: PromiseOperation, head: Head = Head()) {
        self.head = head
        self.operation = operation
    }
}

extension Request: Codable {
    private enum CodingKeys: String, CodingKey {
        case kind, head, data
    }

    private struct Identified: Codable {
        var id: String
    }

    private struct Creation: Codable {
        var pid: String
        var ttl: Int64
        var action: Request
    }

    private struct Acquisition: Codable {
        var id: String
        var version: Int64
        var pid: String
        var ttl: Int64
    }

    private struct Heartbeat: Codable {
        var pid: String
        var tasks: [TaskReference]
    }

    private struct Guarded: Codable {
        var id: String
        var version: Int64
        var action: Request
    }

    /// Throws for what is no envelope at all. Data that do not fit the kind are an operation, `malformed`, so that the
    /// answer can carry the request's kind and number.
    public init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        let kind = try container.decode(String.self, forKey: .kind)
        let head = try container.decode(Head.self, forKey: .head)
        do {
            self.init(try Self.operation(kind, container), head: head)
        } catch is DecodingError {
            self.init(.malformed(kind: kind, reason: "the data are not of the shape of \(kind)"), head: head)
        }
    }

    private static func operation(_ kind: String, _ container: KeyedDecodingContainer<CodingKeys>) throws
        -> PromiseOperation
    {
        func data<Data: Decodable>(_ type: Data.Type) throws -> Data {
            try container.decode(type, forKey: .data)
        }
        switch kind {
        case "promise.get": return .getPromise(id: try data(Identified.self).id)
        case "promise.create": return .createPromise(try data(PromiseCreation.self))
        case "promise.settle": return .settlePromise(try data(PromiseSettlement.self))
        case "task.get": return .getTask(id: try data(Identified.self).id)
        case "task.create":
            let creation = try data(Creation.self)
            return .createTask(pid: creation.pid, ttl: creation.ttl, action: .init(creation.action))
        case "task.acquire":
            let acquisition = try data(Acquisition.self)
            let task = TaskReference(id: acquisition.id, version: acquisition.version)
            return .acquireTask(task, pid: acquisition.pid, ttl: acquisition.ttl)
        case "task.heartbeat":
            let heartbeat = try data(Heartbeat.self)
            return .heartbeat(pid: heartbeat.pid, tasks: heartbeat.tasks)
        case "task.fence":
            let fence = try data(Guarded.self)
            return .fence(TaskReference(id: fence.id, version: fence.version), action: .init(fence.action))
        case "task.fulfill":
            let end = try data(Guarded.self)
            return .fulfillTask(TaskReference(id: end.id, version: end.version), action: .init(end.action))
        case "task.release": return .releaseTask(try data(TaskReference.self))
        default: return .unknown(kind: kind)
        }
    }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(operation.kind, forKey: .kind)
        try container.encode(head, forKey: .head)
        switch operation {
        case .getPromise(let id), .getTask(let id): try container.encode(Identified(id: id), forKey: .data)
        case .createPromise(let creation): try container.encode(creation, forKey: .data)
        case .settlePromise(let settlement): try container.encode(settlement, forKey: .data)
        case .createTask(let pid, let ttl, let action):
            try container.encode(Creation(pid: pid, ttl: ttl, action: action.request), forKey: .data)
        case .acquireTask(let task, let pid, let ttl):
            let data = Acquisition(id: task.id, version: task.version, pid: pid, ttl: ttl)
            try container.encode(data, forKey: .data)
        case .heartbeat(let pid, let tasks):
            try container.encode(Heartbeat(pid: pid, tasks: tasks), forKey: .data)
        case .fence(let task, let action), .fulfillTask(let task, let action):
            let data = Guarded(id: task.id, version: task.version, action: action.request)
            try container.encode(data, forKey: .data)
        case .releaseTask(let task): try container.encode(task, forKey: .data)
        case .malformed, .unknown: try container.encode([String: String](), forKey: .data)
        }
    }
}
