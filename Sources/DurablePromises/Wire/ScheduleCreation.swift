/// The data of `schedule.create`.
public struct ScheduleCreation: Sendable, Hashable {
    public var id: String
    public var cron: String
    public var promiseId: String
    /// Milliseconds.
    public var promiseTimeout: Int64
    public var promiseParam: PromiseValue?
    public var promiseTags: [String: String]?

    public init(
        id: String,
        cron: String,
        promiseId: String,
        promiseTimeout: Int64,
        promiseParam: PromiseValue? = nil,
        promiseTags: [String: String]? = nil
    ) {
        self.id = id
        self.cron = cron
        self.promiseId = promiseId
        self.promiseTimeout = promiseTimeout
        self.promiseParam = promiseParam
        self.promiseTags = promiseTags
    }

    /// The rule that it breaks, if any.
    func flaw(_ rules: PromiseRules) -> String? {
        if !Identifier.isValid(id) || id.contains(":") {
            return "a schedule's id \(Identifier.rule), and contains no colon"
        }
        if !Identifier.isValid(promiseId) { return "a schedule's promiseId \(Identifier.rule)" }
        if ScheduleRecord.hasUnknownPlaceholder(promiseId) {
            return "a schedule's promiseId has no placeholders but {{.id}} and {{.timestamp}}"
        }
        if promiseTimeout < 0 { return "a schedule's promiseTimeout is not negative" }
        guard let target = promiseTags?[PromiseTag.target], PromiseAddress(target) != nil else {
            return "a schedule's promiseTags have \(PromiseTag.target), \(PromiseAddress.rule)"
        }
        let record = ScheduleRecord(
            id: id, cron: cron, promiseId: promiseId, promiseTimeout: promiseTimeout,
            promiseParam: promiseParam ?? PromiseValue(), promiseTags: promiseTags ?? [:], createdAt: 0, nextRunAt: 0
        )
        // No id of its promises is longer than this one.
        let promise = record.promiseId(at: .max)
        return PromiseCreation(id: promise, timeoutAt: .max, param: promiseParam, tags: record.tags(of: promise))
            .flaw(rules)
    }
}
