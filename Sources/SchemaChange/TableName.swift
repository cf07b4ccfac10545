/// A table with its schema.
public struct TableName: Codable, Hashable, Sendable, CustomStringConvertible {
    public let schema: String
    public let name: String

    public init(schema: String, name: String) {
        self.schema = schema
        self.name = name
    }

    /// For people.
    public var description: String {
        "\(schema).\(name)"
    }

    /// For SQL.
    public var quoted: String {
        schema.quotedIdentifier + "." + name.quotedIdentifier
    }
}
