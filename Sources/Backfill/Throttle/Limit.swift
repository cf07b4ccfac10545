/// How much of something a backfill may cause before it holds: a value, or `Off` where it is not looked at.
public enum Limit<Value: Codable & Hashable & Sendable>: Hashable, Sendable, Codable {
    case off
    case at(Value)

    private static var word: String { "Off" }

    public init(from decoder: any Decoder) throws {
        if let text = try? decoder.singleValueContainer().decode(String.self), text == Self.word {
            self = .off
        } else {
            self = .at(try Value(from: decoder))
        }
    }

    public func encode(to encoder: any Encoder) throws {
        switch self {
        case .off:
            var container = encoder.singleValueContainer()
            try container.encode(Self.word)
        case .at(let value):
            try value.encode(to: encoder)
        }
    }

    /// Nil where it is not looked at.
    public var value: Value? {
        if case .at(let value) = self { value } else { nil }
    }
}
