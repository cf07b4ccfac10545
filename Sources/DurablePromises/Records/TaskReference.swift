/// A task at a version: what a worker believes to hold.
public struct TaskReference: Sendable, Hashable {
    public var id: String
    public var version: Int64

    public init(id: String, version: Int64) {
        self.id = id
        self.version = version
    }
}
