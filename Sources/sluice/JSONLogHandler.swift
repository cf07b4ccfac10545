import Foundation
import KubernetesClient
import Logging

/// Writes each line of the log as a JSON object to standard error: `time`, `level`, `logger`, `message`, and the metadata
/// as members of their own. Metadata that has one of these names gets a `_` before it.
struct JSONLogHandler: LogHandler {
    private static let own: Set<String> = ["time", "level", "logger", "message"]

    let label: String
    var logLevel: Logger.Level = .info
    var metadata: Logger.Metadata = [:]

    init(label: String) {
        self.label = label
    }

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    func log(event: LogEvent) {
        let line = line(event.level, event.message, event.metadata ?? [:], at: Date())
        FileHandle.standardError.write(Data((line + "\n").utf8))
    }

    /// The line without its end.
    func line(
        _ level: Logger.Level, _ message: Logger.Message, _ metadata: Logger.Metadata, at date: Date
    ) -> String {
        var members: [String: JSONValue] = [:]
        for (key, value) in self.metadata.merging(metadata, uniquingKeysWith: { $1 }) {
            members[Self.own.contains(key) ? "_" + key : key] = JSONValue(value)
        }
        members["time"] = .string(date.formatted(Date.ISO8601FormatStyle(includingFractionalSeconds: true)))
        members["level"] = .string(level.rawValue)
        members["logger"] = .string(label)
        members["message"] = .string("\(message)")
        return JSONValue.object(members).text
    }
}

extension JSONValue {
    fileprivate init(_ value: Logger.MetadataValue) {
        switch value {
        case .string(let text): self = .string(text)
        case .stringConvertible(let value): self = .string("\(value)")
        case .array(let values): self = .array(values.map { JSONValue($0) })
        case .dictionary(let members): self = .object(members.mapValues { JSONValue($0) })
        }
    }
}
