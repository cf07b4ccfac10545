internal import Foundation
public import YAML

extension JSONValue {
    /// Parses JSON text.
    public init(parsing text: String) throws(KubernetesError) {
        self = try JSONCoding.decode(JSONValue.self, from: Array(text.utf8), of: "the text")
    }

    /// The JSON that `value` encodes to.
    public init(encoding value: some Encodable) throws(KubernetesError) {
        self = try JSONCoding.decode(JSONValue.self, from: JSONCoding.encode(value), of: "the value")
    }

    /// Reads a `Decodable` type out of this value.
    public func decode<Value: Decodable>(_ type: Value.Type) throws(KubernetesError) -> Value {
        try JSONCoding.decode(type, from: JSONCoding.encode(self), of: "\(type)")
    }

    /// What YAML says, as Kubernetes receives it. Infinities and NaN, which JSON has not, become null.
    public init(_ yaml: YAMLValue) {
        switch yaml.content {
        case .null: self = .null
        case .bool(let value): self = .bool(value)
        case .int(let value): self = .int(value)
        case .double(let value): self = value.isFinite ? .double(value) : .null
        case .string(let value): self = .string(value)
        case .sequence(let values): self = .array(values.map { JSONValue($0) })
        case .mapping(let entries):
            self = .object(
                Dictionary(entries.map { ($0.key, JSONValue($0.value)) }, uniquingKeysWith: { first, _ in first }))
        }
    }

    /// Compact JSON with sorted keys: the same value is always the same text.
    public var text: String {
        (try? JSONCoding.encode(self)).map { String(decoding: $0, as: UTF8.self) } ?? "null"
    }
}

/// The one place where JSON is read and written.
enum JSONCoding {
    static func encode(_ value: some Encodable) throws(KubernetesError) -> [UInt8] {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        do {
            return Array(try encoder.encode(value))
        } catch {
            throw KubernetesError(.encoding, "cannot write \(type(of: value)) as JSON: \(error)")
        }
    }

    static func decode<Value: Decodable>(
        _ type: Value.Type, from bytes: [UInt8], of what: String
    ) throws(KubernetesError) -> Value {
        do {
            return try bytes.withUnsafeBytes { try JSONBytesDecoder.decode(type, from: $0) }
        } catch let error as DecodingError {
            throw KubernetesError(.decoding, "cannot read \(what): \(error.brief)")
        } catch {
            throw KubernetesError(.decoding, "cannot read \(what): \(error)")
        }
    }
}

extension DecodingError {
    /// Where and what, without the value: it may be a secret.
    fileprivate var brief: String {
        let context: Context
        switch self {
        case .typeMismatch(_, let found): context = found
        case .valueNotFound(_, let found): context = found
        case .keyNotFound(let key, let found):
            let path = (found.codingPath + [key]).map(\.stringValue).joined(separator: ".")
            return "\(path) is missing"
        case .dataCorrupted(let found): context = found
        @unknown default: return "it does not fit"
        }
        let path = context.codingPath.map(\.stringValue).joined(separator: ".")
        return path.isEmpty ? context.debugDescription : "\(path): \(context.debugDescription)"
    }
}
