import ArgumentParser
import PromiseServer

/// How much clients may ask of `sluice server`.
struct ServerLimitOptions: ParsableArguments {
    @Option(name: .long, help: "Bytes of a request's body (default: 4194304).")
    var maxBodyBytes: Int?

    @Option(name: .long, help: "Bytes of an id, a worker's name, a stream's group; at most 1024, the default.")
    var maxIdBytes: Int?

    @Option(name: .long, help: "Tags of a promise (default: 64).")
    var maxTags: Int?

    @Option(name: .long, help: "Bytes of a tag's name, and of its value (default: 4096).")
    var maxTagBytes: Int?

    @Option(name: .long, help: "Open connections, streams among them (default: 8192).")
    var maxConnections: Int?

    @Option(name: .long, help: "Open streams of workers (default: 4096).")
    var maxStreams: Int?

    @Option(
        name: .long,
        help: ArgumentHelp("How long a request may take to arrive, such as 10s (default: 30s).", valueName: "time"),
        transform: Timeout.parse)
    var requestTimeout: Timeout?

    @Option(
        name: .long,
        help: ArgumentHelp("How long a connection may be silent between requests (default: 75s).", valueName: "time"),
        transform: Timeout.parse)
    var idleTimeout: Timeout?

    @Option(
        name: .long,
        help: ArgumentHelp(
            "How long a stream lasts before its worker has to connect again; at most 240s, which is the default.",
            valueName: "time"
        ),
        transform: Timeout.parse
    )
    var streamDuration: Timeout?

    @Option(
        name: .long,
        help: ArgumentHelp("How long running requests have to end after SIGTERM (default: 10s).", valueName: "time"),
        transform: Timeout.parse)
    var shutdownTimeout: Timeout?

    func limits() throws -> ServerLimits {
        var limits = ServerLimits()
        func number(
            _ given: Int?, _ name: String, _ path: WritableKeyPath<ServerLimits, Int>, atMost most: Int
        ) throws {
            limits[keyPath: path] = try EnvironmentSetting.number(
                given, name, else: limits[keyPath: path], in: 1...most)
        }
        func time(_ given: Timeout?, _ name: String, _ path: WritableKeyPath<ServerLimits, Duration>) throws {
            limits[keyPath: path] = try EnvironmentSetting.positive(given, name) ?? limits[keyPath: path]
        }
        try number(maxBodyBytes, "SLUICE_MAX_BODY_BYTES", \.bodyBytes, atMost: 1 << 30)
        // Longer ids do not fit into the database's indexes.
        try number(maxIdBytes, "SLUICE_MAX_ID_BYTES", \.idBytes, atMost: 1024)
        try number(maxTags, "SLUICE_MAX_TAGS", \.tags, atMost: 65_536)
        try number(maxTagBytes, "SLUICE_MAX_TAG_BYTES", \.tagBytes, atMost: 1 << 20)
        try number(maxConnections, "SLUICE_MAX_CONNECTIONS", \.connections, atMost: 1_000_000)
        try number(maxStreams, "SLUICE_MAX_STREAMS", \.streams, atMost: 1_000_000)
        try time(requestTimeout, "SLUICE_REQUEST_TIMEOUT", \.requestTimeout)
        try time(idleTimeout, "SLUICE_IDLE_TIMEOUT", \.idleTimeout)
        try time(streamDuration, "SLUICE_STREAM_DURATION", \.streamDuration)
        try time(shutdownTimeout, "SLUICE_SHUTDOWN_TIMEOUT", \.shutdownTimeout)
        guard limits.streamDuration <= .seconds(240) else {
            throw ValidationError("a stream lasts at most 240s: clients break by themselves after 300s, and stay away")
        }
        return limits
    }
}
