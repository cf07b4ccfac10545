/// Says which columns of an old row logical replication is told, at Expand: either `identity` or an `index`.
///
/// Undoing it restores what was.
public struct SetReplicaIdentity: Codable, Hashable, Sendable, ChangeKind {
    public enum Identity: String, SpecWord, Sendable {
        /// The primary key.
        case primaryKey = "Default"
        case full = "Full"
        case nothing = "Nothing"

        fileprivate var sql: String { rawValue.uppercased() }
    }

    public var table: String
    public var identity: Identity?
    /// A unique index over columns that are NOT NULL.
    public var index: String?

    public init(table: String, identity: Identity? = nil, index: String? = nil) {
        self.table = table
        self.identity = identity
        self.index = index
    }

    var tables: [String] { [table] }

    func flaws(at path: String) -> [PlanError] {
        (identity == nil) == (index == nil)
            ? [PlanError(.invalidChange, at: path, "give identity or index, one of both")] : []
    }

    func plan(into builder: inout PlanBuilder, at path: String) throws(PlanError) {
        let description = try builder.catalog.table(table, at: path)
        if let index, description.index(index)?.identifiesRows != true {
            throw PlanError(
                .invalidChange, at: "\(path).index",
                "\(description.name) has no index \"\(index)\" that is unique, whole, immediate and over NOT NULL columns"
            )
        }
        func set(_ value: String) -> [String] {
            ["ALTER TABLE \(description.name.quoted) REPLICA IDENTITY \(value)"]
        }
        let present =
            switch description.replicaIdentity {
            case "f": "FULL"
            case "n": "NOTHING"
            case "i": Self.using(description.indexes.first(where: \.isReplicaIdentity)?.name)
            default: "DEFAULT"
            }
        builder.add(
            .expand, "replica-identity", "setting the replica identity of \(description.name)", table: description.name,
            apply: set(identity?.sql ?? Self.using(index)), revert: set(present))
    }

    private static func using(_ index: String?) -> String {
        index.map { "USING INDEX \($0.quotedIdentifier)" } ?? "NOTHING"
    }
}
