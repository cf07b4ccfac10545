/// A promise as it is stored and sent. Times are milliseconds since 1970.
public struct PromiseRecord: Sendable, Hashable {
    public var id: String
    public var state: PromiseState
    public var param: PromiseValue
    public var value: PromiseValue
    public var tags: [String: String]
    public var timeoutAt: Int64
    public var createdAt: Int64
    /// Absent while it is pending.
    public var settledAt: Int64?

    public init(
        id: String,
        state: PromiseState = .pending,
        param: PromiseValue = PromiseValue(),
        value: PromiseValue = PromiseValue(),
        tags: [String: String] = [:],
        timeoutAt: Int64,
        createdAt: Int64,
        settledAt: Int64? = nil
    ) {
        self.id = id
        self.state = state
        self.param = param
        self.value = value
        self.tags = tags
        self.timeoutAt = timeoutAt
        self.createdAt = createdAt
        self.settledAt = settledAt
    }

    /// Whether others may wait for it. Its deadline is kept then, though nobody asks; that of any other promise is
    /// applied when somebody does.
    public var isExternal: Bool {
        tags[PromiseTag.target] != nil || isTimer || tags[PromiseTag.external] == "true"
            || tags[PromiseTag.scope] == "global"
    }

    /// Whether its deadline resolves it.
    public var isTimer: Bool { tags[PromiseTag.timer] == "true" }

    /// The record as it is at `now`: one whose deadline has passed is settled, whether that was written or not.
    public func projected(at now: Int64) -> PromiseRecord {
        guard state == .pending, timeoutAt <= now else { return self }
        var record = self
        record.state = isTimer ? .resolved : .rejectedTimedout
        record.settledAt = timeoutAt
        return record
    }
}
