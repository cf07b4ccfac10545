/// A column by name and type, as far as generated SQL needs it.
public struct Column: Codable, Hashable, Sendable {
    public let name: String
    /// As `format_type` writes it, with its modifier.
    public let type: String
    /// Of a domain, the type that it is made of: a variable of a domain that refuses NULL could not even be declared.
    public let baseType: String?
    /// Where it is not the type's own, as SQL names it.
    public let collation: String?
    /// Of a new column that takes the name of an old one: under which name it stands in the table until Contract.
    public let interim: String?

    public init(name: String, type: String, baseType: String? = nil, collation: String? = nil, interim: String? = nil) {
        self.name = name
        self.type = type
        self.baseType = baseType
        self.collation = collation
        self.interim = interim
    }

    /// As expressions name it, and the table from Contract on.
    public var quoted: String {
        name.quotedIdentifier
    }

    /// As it is called in the table until Contract.
    public var stored: String {
        (interim ?? name).quotedIdentifier
    }

    /// What a PL/pgSQL variable that holds it is declared as.
    var variable: String {
        "\(quoted) \(baseType ?? type)\(collated)"
    }

    /// What makes it, for `ADD COLUMN`, under the name that it has until Contract.
    var definition: String {
        "\(stored) \(type)\(collated)"
    }

    private var collated: String { collation.map { " COLLATE \($0)" } ?? "" }
}
