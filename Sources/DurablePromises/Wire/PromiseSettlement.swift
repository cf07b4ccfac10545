/// The data of `promise.settle`.
public struct PromiseSettlement: Sendable, Hashable {
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
        if !state.isRequestable { return "a promise is settled as resolved, rejected or rejected_canceled" }
        if !Identifier.isValid(id) { return "a promise's id \(Identifier.rule)" }
        return value?.containsNUL ?? false ? "a promise's value contains no NUL" : nil
    }
}
