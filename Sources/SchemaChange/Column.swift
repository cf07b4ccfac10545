/// A column by name and type, as far as generated SQL needs it.
public struct Column: Codable, Hashable, Sendable {
    public let name: String
    /// As `format_type` writes it, with its modifier.
    public let type: String
    /// Of a domain, the type that it is made of: a variable of a domain that refuses NULL could not even be declared.
    public let baseType: String?

    public init(name: String, type: String, baseType: String? = nil) {
        self.name = name
        self.type = type
        self.baseType = baseType
    }

    public var quoted: String {
        name.quotedIdentifier
    }
}
