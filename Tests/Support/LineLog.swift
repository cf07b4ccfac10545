public import Logging

/// Hands on what is logged, as text: `warning: what happened [name=value, …]`, its metadata in the order of their names.
public struct LineLog: LogHandler {
    public var metadata: Logger.Metadata = [:]
    public var logLevel: Logger.Level
    private let take: @Sendable (String) -> Void

    public init(level: Logger.Level = .info, _ take: @escaping @Sendable (String) -> Void) {
        logLevel = level
        self.take = take
    }

    public subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    public func log(event: LogEvent) {
        let all = metadata.merging(event.metadata ?? [:]) { $1 }.sorted { $0.key < $1.key }
        take("\(event.level): \(event.message) [\(all.map { "\($0.key)=\($0.value)" }.joined(separator: ", "))]")
    }
}
