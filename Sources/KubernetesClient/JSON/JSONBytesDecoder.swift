internal import Foundation
internal import JSON

/// JSON text as the standard library's `Decoder`, read where it stands: only what is asked for is made into values.
///
/// It lives no longer than the bytes that it reads. They were looked through before, and are JSON.
struct JSONBytesDecoder: Decoder {
    /// Of what is made into values: deeper than objects are nested, schemas of custom resources included, and far from the
    /// end of a thread's stack.
    private static let maximumDepth = 128

    let reader: JSONReader
    let path: DecodingPath?

    var codingPath: [any CodingKey] { path?.keys ?? [] }
    var userInfo: [CodingUserInfoKey: Any] { [:] }

    static func decode<Value: Decodable>(_ type: Value.Type, from bytes: UnsafeRawBufferPointer) throws -> Value {
        let reader: JSONReader
        do {
            reader = try JSONReader.read(bytes, maximumDepth: maximumDepth) { (all) throws(JSONReader.Flaw) in
                try all.deferred()
            }
        } catch {
            throw DecodingError.dataCorrupted(.init(codingPath: [], debugDescription: "it is no JSON: \(error)"))
        }
        return try JSONBytesDecoder(reader: reader, path: nil).unwrap(type)
    }

    func container<Key: CodingKey>(keyedBy type: Key.Type) throws -> KeyedDecodingContainer<Key> {
        KeyedDecodingContainer(try JSONObjectContainer<Key>(self))
    }

    func unkeyedContainer() throws -> any UnkeyedDecodingContainer {
        try JSONArrayContainer(self)
    }

    func singleValueContainer() throws -> any SingleValueDecodingContainer {
        JSONScalarContainer(decoder: self)
    }

    func nested(_ reader: JSONReader, _ key: any CodingKey) -> JSONBytesDecoder {
        JSONBytesDecoder(reader: reader, path: DecodingPath(key, in: path))
    }

    var isNull: Bool {
        var reader = reader
        return reader.kind == .null
    }

    /// Values that need no container directly, everything else by its own `init(from:)`.
    func unwrap<T: Decodable>(_ type: T.Type) throws -> T {
        switch type {
        case is String.Type: try string() as! T
        case is JSONValue.Type: try value() as! T
        case is JSONText.Type: try text() as! T
        case is [String: String].Type: try dictionary() as! T
        case is Bool.Type: try boolean() as! T
        case is Double.Type: try double() as! T
        case is Float.Type: try Float(double()) as! T
        case let integer as any FixedWidthInteger.Type: try self.integer(integer) as! T
        default: try T(from: self)
        }
    }

    // MARK: Values

    func string() throws -> String {
        try read(.string) { (reader) throws(JSONReader.Flaw) in try reader.string() }
    }

    func boolean() throws -> Bool {
        try read(.boolean) { (reader) throws(JSONReader.Flaw) in try reader.boolean() }
    }

    func double() throws -> Double {
        try read(.number) { (reader) throws(JSONReader.Flaw) in try reader.double() }
    }

    func integer<T: FixedWidthInteger>(_ type: T.Type) throws -> T {
        let integer = try read(.number) { (reader) throws(JSONReader.Flaw) in try reader.integer() }
        guard let result = T(exactly: integer) else {
            throw DecodingError.dataCorrupted(
                .init(codingPath: codingPath, debugDescription: "the number does not fit into \(type)"))
        }
        return result
    }

    func dictionary() throws -> [String: String] {
        var values: [String: String] = [:]
        let members = try JSONMembers(self)
        values.reserveCapacity(members.list.count)
        for (key, value) in members.list {
            values[TextPool.shared.copy(of: key)] = try JSONBytesDecoder(reader: value, path: path).string()
        }
        return values
    }

    func value() throws -> JSONValue {
        var reader = reader
        return try wellFormed { () throws(JSONReader.Flaw) in try JSONValue(&reader) }
    }

    func text() throws -> JSONText {
        var reader = reader
        return JSONText(verbatim: try wellFormed { () throws(JSONReader.Flaw) in try reader.raw() })
    }

    private func read<Value>(
        _ kind: JSONReader.Kind, _ body: (inout JSONReader) throws(JSONReader.Flaw) -> Value
    ) throws -> Value {
        var reader = reader
        let found = reader.kind
        guard found == kind else { throw mismatch(Value.self, expected: kind, found: found) }
        return try wellFormed { () throws(JSONReader.Flaw) in try body(&reader) }
    }

    func mismatch(_ type: any Any.Type, expected: JSONReader.Kind, found: JSONReader.Kind) -> DecodingError {
        let context = DecodingError.Context(
            codingPath: codingPath, debugDescription: "expected \(expected.rawValue), found \(found.rawValue)")
        return found == .null ? .valueNotFound(type, context) : .typeMismatch(type, context)
    }

    /// What can still be wrong with text that was looked through: bytes that are no UTF-8, escapes, numbers.
    func wellFormed<Value>(_ body: () throws(JSONReader.Flaw) -> Value) throws -> Value {
        do {
            return try body()
        } catch {
            throw DecodingError.dataCorrupted(.init(codingPath: codingPath, debugDescription: "\(error)"))
        }
    }
}

/// How a value is reached, from the inside out.
final class DecodingPath {
    private let key: any CodingKey
    private let outer: DecodingPath?

    init(_ key: any CodingKey, in outer: DecodingPath?) {
        self.key = key
        self.outer = outer
    }

    var keys: [any CodingKey] { (outer?.keys ?? []) + [key] }
}

extension JSONValue {
    /// The value that comes next.
    fileprivate init(_ reader: inout JSONReader) throws(JSONReader.Flaw) {
        switch reader.kind {
        case .null:
            _ = try reader.isNull()
            self = .null
        case .boolean: self = .bool(try reader.boolean())
        case .string: self = .string(try reader.string())
        case .number: self = try Self.number(&reader)
        case .array:
            var values: [JSONValue] = []
            try reader.array { (reader) throws(JSONReader.Flaw) in values.append(try JSONValue(&reader)) }
            self = .array(values)
        case .object:
            var members: [String: JSONValue] = [:]
            try reader.object { (key, reader) throws(JSONReader.Flaw) in members[key] = try JSONValue(&reader) }
            self = .object(members)
        }
    }

    private static func number(_ reader: inout JSONReader) throws(JSONReader.Flaw) -> JSONValue {
        var other = reader
        if let integer = try? reader.integer() { return .int(integer) }
        let double = try other.double()
        reader = other
        return .double(double)
    }
}
