/// The data of `promise.settle`.
public struct PromiseSettlement: Sendable, Hashable, Codable {
    public var id: String
    public var state: PromiseState
    public var value: PromiseValue?

    public init(id: String, state: PromiseState, value: PromiseValue? = nil) {
        self.id = id
        self.state = state
        self.value = value
    }

    /// The rule that it breaks, if any.
    var flaw: String? {
        state.isRequestable ? nil : "a promise is settled as resolved, rejected or rejected_canceled"
    }
}
