/// A promise as it is stored and sent. Times are milliseconds since 1970.
public struct PromiseRecord: Sendable, Hashable, Codable {
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

    /// The record as it is at `now`: one whose deadline has passed is settled, whether that was written or not.
    public func projected(at now: Int64) -> PromiseRecord {
        guard state == .pending, timeoutAt <= now else { return self }
        var record = self
        record.state = tags[PromiseTag.timer] == "true" ? .resolved : .rejectedTimedout
        record.settledAt = timeoutAt
        return record
    }
}
