/// An address that is told when a promise is settled.
public struct Listener: Sendable, Hashable {
    public var awaited: String
    public var address: String

    public init(awaited: String, address: String) {
        self.awaited = awaited
        self.address = address
    }
}
