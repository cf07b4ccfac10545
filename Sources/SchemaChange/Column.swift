/// A column by name and type, as far as generated SQL needs it.
public struct Column: Codable, Hashable, Sendable {
    public let name: String
    /// As `format_type` writes it, with its modifier.
    public let type: String

    public init(name: String, type: String) {
        self.name = name
        self.type = type
    }

    public var quoted: String {
        name.quotedIdentifier
    }
}
