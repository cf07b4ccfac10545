/// A column that a change brings into being.
public struct NewColumn: Codable, Hashable, Sendable {
    public var name: String
    /// Any type that PostgreSQL knows, as it is written in SQL: `bigint`, `numeric(10,2)`, `text[]`.
    public var type: String
    /// Whether it may be NULL once the migration is verified. Until then it always may.
    public var nullable: Bool?

    public init(name: String, type: String, nullable: Bool? = nil) {
        self.name = name
        self.type = type
        self.nullable = nullable
    }
}
