/// A task that waits for a promise: when `awaited` is settled, the task of `awaiter` is resumed.
public struct Callback: Sendable, Hashable {
    public var awaited: String
    public var awaiter: String

    public init(awaited: String, awaiter: String) {
        self.awaited = awaited
        self.awaiter = awaiter
    }
}
