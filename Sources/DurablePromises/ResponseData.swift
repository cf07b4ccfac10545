/// What a response carries; each kind has its own part of it.
public struct ResponseData: Sendable, Hashable, Codable {
    public var promise: PromiseRecord?
    public var task: TaskRecord?
    /// Promises of the same branch, to save a worker the asking. This store sends none.
    public var preload: [PromiseRecord]?
    private var inner: [Response]?

    public init(
        promise: PromiseRecord? = nil,
        task: TaskRecord? = nil,
        preload: [PromiseRecord]? = nil,
        action: Response? = nil
    ) {
        self.promise = promise
        self.task = task
        self.preload = preload
        inner = action.map { [$0] }
    }

    /// The answer to the request inside the request.
    public var action: Response? { inner?.first }

    private enum CodingKeys: String, CodingKey {
        case promise, task, preload, action
    }

    public init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        self.init(
            promise: try container.decodeIfPresent(PromiseRecord.self, forKey: .promise),
            task: try container.decodeIfPresent(TaskRecord.self, forKey: .task),
            preload: try container.decodeIfPresent([PromiseRecord].self, forKey: .preload),
            action: try container.decodeIfPresent(Response.self, forKey: .action)
        )
    }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encodeIfPresent(promise, forKey: .promise)
        try container.encodeIfPresent(task, forKey: .task)
        try container.encodeIfPresent(preload, forKey: .preload)
        try container.encodeIfPresent(action, forKey: .action)
    }
}
