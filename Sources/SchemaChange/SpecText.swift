/// What a spec has as text that must have a form: what is read and has not is told how it is written.
public protocol SpecText: Codable, Hashable, Sendable, CustomStringConvertible {
    /// What it is and how it is written, after `"…" is not`.
    static var form: String { get }

    /// Nil when `text` is not one.
    init?(_ text: String)
}

extension SpecText {
    public init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        let text = try container.decode(String.self)
        guard let value = Self(text) else {
            throw DecodingError.dataCorruptedError(
                in: container, debugDescription: "\"\(text)\" is not \(Self.form)")
        }
        self = value
    }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(description)
    }
}
