/// Who a migration is, in the ledger and in every promise: a namespace and a name.
public struct MigrationName: Hashable, Sendable, Codable, CustomStringConvertible {
    public let namespace: String
    public let name: String

    public init(namespace: String, name: String) {
        self.namespace = namespace
        self.name = name
    }

    public var description: String {
        "\(namespace)/\(name)"
    }
}
