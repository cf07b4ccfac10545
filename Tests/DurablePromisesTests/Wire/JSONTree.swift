import Foundation
import JSON

@testable import DurablePromises

/// A JSON document as a tree: read with ``JSONReader``, written with ``JSONWriter``, or taken from Foundation's reader, which
/// is the judge.
indirect enum JSONTree: Hashable {
    case null
    case boolean(Bool)
    case number(Double)
    case string(String)
    case array([JSONTree])
    case object([String: JSONTree])

    init(json: some Sequence<UInt8>) throws(JSONReader.Flaw) {
        self = try JSONReader.read(json) { (reader) throws(JSONReader.Flaw) in try JSONTree(reading: &reader) }
    }

    private init(reading reader: inout JSONReader) throws(JSONReader.Flaw) {
        typealias Flaw = JSONReader.Flaw
        var probe = reader
        let text = try probe.raw()
        switch text.utf8.first {
        case UInt8(ascii: "{"):
            var members: [String: JSONTree] = [:]
            try reader.object { (key, reader) throws(Flaw) in members[key] = try JSONTree(reading: &reader) }
            self = .object(members)
        case UInt8(ascii: "["):
            var elements: [JSONTree] = []
            try reader.array { (reader) throws(Flaw) in elements.append(try JSONTree(reading: &reader)) }
            self = .array(elements)
        case UInt8(ascii: "\""): self = .string(try reader.string())
        default:
            reader = probe
            switch text {
            case "null": self = .null
            case "true", "false": self = .boolean(text == "true")
            default:
                guard let number = Double(text) else { throw Flaw(description: "\(text) is no number") }
                self = .number(number)
            }
        }
    }

    /// What Foundation makes of it; nil when it is no JSON.
    init?(judge data: Data) {
        guard let value = try? JSONSerialization.jsonObject(with: data, options: .fragmentsAllowed) else { return nil }
        self.init(value)
    }

    private init(_ value: Any) {
        switch value {
        case let text as String: self = .string(text)
        case let elements as [Any]: self = .array(elements.map { JSONTree($0) })
        case let members as [String: Any]: self = .object(members.mapValues { JSONTree($0) })
        case let number as NSNumber:
            // Foundation has one class for numbers and truth, which differ in their C type.
            let isBoolean = String(cString: number.objCType) == "c"
            self = isBoolean ? .boolean(number.boolValue) : .number(number.doubleValue)
        default: self = .null
        }
    }

    // MARK: Writing

    /// The document as ``JSONWriter`` writes it, which has no fractions.
    func json(isASCII: Bool) -> [UInt8] {
        var writer = JSONWriter(isASCII: isASCII)
        write(to: &writer)
        return writer.bytes
    }

    private func write(to writer: inout JSONWriter) {
        switch self {
        case .null: writer.raw("null")
        case .boolean(let boolean): writer.raw("\(boolean)")
        case .number(let number):
            if let integer = Int64(exactly: number) { writer.integer(integer) } else { writer.raw("\(number)") }
        case .string(let text): writer.string(text)
        case .array(let elements): writer.array(elements) { $1.write(to: &$0) }
        case .object(let members):
            writer.object { writer in
                for (key, value) in members { writer.member(key) { value.write(to: &$0) } }
            }
        }
    }
}
