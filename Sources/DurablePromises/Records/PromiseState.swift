/// What has become of a promise.
public enum PromiseState: String, Sendable, Hashable, CaseIterable {
    case pending
    case resolved
    case rejected
    case rejectedCanceled = "rejected_canceled"
    /// Its deadline passed; nobody asks for this state.
    case rejectedTimedout = "rejected_timedout"

    /// Whether somebody may ask for a promise to be settled so.
    public var isRequestable: Bool {
        switch self {
        case .resolved, .rejected, .rejectedCanceled: true
        case .pending, .rejectedTimedout: false
        }
    }
}
