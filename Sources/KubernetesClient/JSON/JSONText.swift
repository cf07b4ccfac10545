/// JSON that is kept as the text that it came as, and read when somebody asks: a tree of it takes many times the memory.
///
/// Two are equal if their texts are. A server writes the same value the same way.
public struct JSONText: Hashable, Sendable {
    private let text: String

    public init(_ value: JSONValue) {
        text = value.text
    }

    /// `text` is JSON.
    init(verbatim text: String) {
        self.text = text
    }

    public var value: JSONValue { (try? JSONValue(parsing: text)) ?? .null }

    /// Reads a `Decodable` type out of it.
    public func decode<Value: Decodable>(_ type: Value.Type) throws(KubernetesError) -> Value {
        try JSONCoding.decode(type, from: Array(text.utf8), of: "\(type)")
    }
}

extension JSONText: Codable {
    public init(from decoder: any Decoder) throws {
        if let decoder = decoder as? JSONBytesDecoder {
            self = try decoder.text()
        } else {
            self.init(try JSONValue(from: decoder))
        }
    }

    public func encode(to encoder: any Encoder) throws {
        try value.encode(to: encoder)
    }
}
