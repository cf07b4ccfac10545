import DurablePromises
import Foundation

/// Promises for people, and for programs.
enum PromiseText {
    static func of(_ promise: PromiseRecord, _ format: PromiseFormat) throws -> String {
        format == .json ? try json(promise) : text(promise)
    }

    private static func text(_ promise: PromiseRecord) -> String {
        var lines = [
            "id:      \(promise.id.printable)",
            "state:   \(promise.state.rawValue)",
            "created: \(time(promise.createdAt))",
            "timeout: \(time(promise.timeoutAt))",
        ]
        if let settled = promise.settledAt { lines.append("settled: \(time(settled))") }
        if let data = promise.param.data { lines.append("param:   \(data.printable)") }
        if let data = promise.value.data { lines.append("value:   \(data.printable)") }
        lines += promise.tags.sorted { $0.key < $1.key }.map { "tag:     \($0.key.printable)=\($0.value.printable)" }
        return lines.joined(separator: "\n")
    }

    static func table(_ promises: [PromiseRecord]) -> String {
        let ids = promises.map(\.id.printable)
        let width = max(2, ids.map(\.count).max() ?? 0)
        func line(_ id: String, _ state: String, _ timeout: String) -> String {
            padded(id, width) + "   " + padded(state, 17) + "   " + timeout
        }
        let rows = zip(ids, promises).map { line($0, $1.state.rawValue, time($1.timeoutAt)) }
        return ([line("ID", "STATE", "TIMEOUT")] + rows).joined(separator: "\n")
    }

    /// By what a reader takes for one character, and never cut.
    private static func padded(_ text: String, _ width: Int) -> String {
        text + String(repeating: " ", count: max(0, width - text.count))
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
        let text = try JSONSerialization.data(withJSONObject: value, options: options)
        return String(decoding: text, as: UTF8.self).printableJSON
    }

    /// A far future is not a date that anybody reads.
    private static func time(_ milliseconds: Int64) -> String {
        guard milliseconds < 253_402_300_800_000 else { return "never" }
        return Date(timeIntervalSince1970: Double(milliseconds) / 1000).formatted(.iso8601)
    }
}
