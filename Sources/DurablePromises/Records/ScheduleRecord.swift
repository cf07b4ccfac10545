/// A promise that is made again and again, whenever the cron expression says. Times are milliseconds since 1970.
public struct ScheduleRecord: Sendable, Hashable {
    public var id: String
    public var cron: String
    /// What the promises are called; `{{.id}}` and `{{.timestamp}}` stand for the schedule's id and the time.
    public var promiseId: String
    /// How long after its time each of them expires, in milliseconds.
    public var promiseTimeout: Int64
    public var promiseParam: PromiseValue
    public var promiseTags: [String: String]
    public var createdAt: Int64
    public var nextRunAt: Int64
    public var lastRunAt: Int64?

    public init(
        id: String,
        cron: String,
        promiseId: String,
        promiseTimeout: Int64,
        promiseParam: PromiseValue = PromiseValue(),
        promiseTags: [String: String] = [:],
        createdAt: Int64,
        nextRunAt: Int64,
        lastRunAt: Int64? = nil
    ) {
        self.id = id
        self.cron = cron
        self.promiseId = promiseId
        self.promiseTimeout = promiseTimeout
        self.promiseParam = promiseParam
        self.promiseTags = promiseTags
        self.createdAt = createdAt
        self.nextRunAt = nextRunAt
        self.lastRunAt = lastRunAt
    }

    /// What the promise of the tick at `time` is called.
    func promiseId(at time: Int64) -> String {
        Self.promiseId(promiseId, schedule: id, at: time)
    }

    static func promiseId(_ template: String, schedule id: String, at time: Int64) -> String {
        template.replacing("{{.id}}", with: id).replacing("{{.timestamp}}", with: String(time))
    }

    /// Whether a template has what looks like a placeholder, and nothing stands for.
    static func hasUnknownPlaceholder(_ template: String) -> Bool {
        template.replacing("{{.id}}", with: "").replacing("{{.timestamp}}", with: "").contains("{{")
    }

    /// The tags of a promise that it makes: the promise begins a family of its own.
    func tags(of promise: String) -> [String: String] {
        let own = [
            PromiseTag.schedule: id, PromiseTag.origin: Lineage.origin(promise), PromiseTag.branch: promise,
            PromiseTag.parent: promise, PromiseTag.prefix: Lineage.origin(promise),
        ]
        return promiseTags.merging(own) { $1 }
    }
}
