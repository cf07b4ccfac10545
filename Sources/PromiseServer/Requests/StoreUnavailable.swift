/// The promises cannot be reached at present: a request is answered 503, and may be repeated.
public struct StoreUnavailable: Error, Sendable, Hashable, CustomStringConvertible {
    public let description: String

    public init(_ description: String) {
        self.description = description
    }
}
