import DurablePromises
import Foundation

/// Promises for people, and for programs.
enum PromiseText {
    static func of(_ promise: PromiseRecord, _ format: PromiseFormat) throws -> String {
        format == .json ? try json(promise) : text(promise)
    }

    private static func text(_ promise: PromiseRecord) -> String {
        var lines = [
            "id:      \(promise.id)",
            "state:   \(promise.state.rawValue)",
            "created: \(time(promise.createdAt))",
            "timeout: \(time(promise.timeoutAt))",
        ]
        if let settled = promise.settledAt { lines.append("settled: \(time(settled))") }
        if let data = promise.param.data { lines.append("param:   \(data)") }
        if let data = promise.value.data { lines.append("value:   \(data)") }
        lines += promise.tags.sorted { $0.key < $1.key }.map { "tag:     \($0.key)=\($0.value)" }
        return lines.joined(separator: "\n")
    }

    static func table(_ promises: [PromiseRecord]) -> String {
        let width = max(2, promises.map(\.id.count).max() ?? 0)
        func line(_ id: String, _ state: String, _ timeout: String) -> String {
            id.padding(toLength: width, withPad: " ", startingAt: 0) + "   "
                + state.padding(toLength: 17, withPad: " ", startingAt: 0) + "   " + timeout
        }
        let rows = promises.map { line($0.id, $0.state.rawValue, time($0.timeoutAt)) }
        return ([line("ID", "STATE", "TIMEOUT")] + rows).joined(separator: "\n")
    }

    /// As the protocol writes a record.
    static func json(_ promise: PromiseRecord) throws -> String {
        try json(ResponseData(promise: promise), "promise")
    }

    static func json(_ promises: [PromiseRecord]) throws -> String {
        try json(ResponseData(promises: promises, cursor: nil), "promises")
    }

    private static func json(_ data: ResponseData, _ member: String) throws -> String {
        let response = Response(to: Request(.getPromise(id: "")), data: data)
        let object = try JSONSerialization.jsonObject(with: Data(response.json)) as? [String: Any]
        guard let value = (object?["data"] as? [String: Any])?[member] else { return "null" }
        let options: JSONSerialization.WritingOptions = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        return String(decoding: try JSONSerialization.data(withJSONObject: value, options: options), as: UTF8.self)
    }

    /// A far future is not a date that anybody reads.
    private static func time(_ milliseconds: Int64) -> String {
        guard milliseconds < 253_402_300_800_000 else { return "never" }
        return Date(timeIntervalSince1970: Double(milliseconds) / 1000).formatted(.iso8601)
    }
}
