/// How much a client may ask of a server.
public struct ServerLimits: Sendable, Hashable {
    /// Bytes of a request's body.
    public var bodyBytes = 4 << 20
    /// Bytes of an id, of a worker's name, of a stream's group. The store takes no ids of more than 1024.
    public var idBytes = 1024
    /// Roots of the promises that one request names: each of them is a lock in the database.
    public var roots = 512
    /// Tags of a promise.
    public var tags = 64
    /// Bytes of a tag's name, and of its value.
    public var tagBytes = 4096
    /// Open connections, streams among them.
    public var connections = 8192
    /// Open streams.
    public var streams = 4096
    /// How long the rest of a request may take to come once it has begun; and how long a client may take nothing of an answer
    /// that waits for it.
    public var requestTimeout: Duration = .seconds(30)
    /// How long a connection may be silent between two requests: from when the answer to the first has gone.
    public var idleTimeout: Duration = .seconds(75)
    /// How long a stream lasts. Its client connects again: some clients do so only when a stream ends in good order, and
    /// break by themselves after 300 seconds.
    public var streamDuration: Duration = .seconds(240)
    /// How often a stream says that it is there.
    public var pingInterval: Duration = .seconds(15)
    /// How long requests that are running may take to end when the server stops.
    public var shutdownTimeout: Duration = .seconds(10)

    public init() {}
}
