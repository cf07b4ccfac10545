/// Drops an index, at Contract, when the version that needs it is gone, and while others write.
///
/// Undoing it builds the index again as it was, with what else there was about it.
public struct DropIndex: Codable, Hashable, Sendable, ChangeKind {
    public var table: String
    public var name: String

    public init(table: String, name: String) {
        self.table = table
        self.name = name
    }

    var tables: [String] { [table] }

    func flaws(at path: String) -> [PlanError] {
        []
    }

    func plan(into builder: inout PlanBuilder, at path: String) throws(PlanError) {
        let description = try builder.catalog.table(table, at: path)
        guard let index = description.index(name) else {
            throw PlanError(.invalidChange, at: "\(path).name", "\(description.name) has no index \"\(name)\"")
        }
        if let constraint = index.constraint {
            throw PlanError(
                .invalidChange, at: "\(path).name",
                "\"\(name)\" belongs to the constraint \"\(constraint)\"; drop that, with dropConstraint")
        }
        if builder.isReleased(name, of: description.name) { return }
        try builder.requireUnneeded(index, of: description, at: path)
        builder.removeIndex(
            .contract,
            "index",
            "dropping index \(name) of \(description.name)",
            .named(
                name, of: description.name, token: builder.token, isUnique: index.isUnique,
                definition: index.definition, tablespace: index.tablespace, extras: index.extras(of: description.name),
                partitions: description.isPartitioned ? index.ofPartitions : nil),
            lock: description.isPartitioned ? "ACCESS EXCLUSIVE" : "SHARE UPDATE EXCLUSIVE"
        )
    }
}
