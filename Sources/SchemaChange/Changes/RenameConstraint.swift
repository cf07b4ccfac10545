/// Gives a constraint another name, at Contract: a statement may name it, and the old version's does so by the old name.
///
/// Undoing it gives it the old name back.
public struct RenameConstraint: Codable, Hashable, Sendable, ChangeKind {
    public var table: String
    public var from: String
    public var to: String

    public init(table: String, from: String, to: String) {
        self.table = table
        self.from = from
        self.to = to
    }

    var tables: [String] { [table] }
    /// The index of a key takes the constraint's name.
    var newRelations: [(path: String, name: String)] { [("to", to)] }

    func flaws(at path: String) -> [PlanError] {
        to.flawAsName.map { [PlanError(.invalidChange, at: "\(path).to", $0)] } ?? []
    }

    func plan(into builder: inout PlanBuilder, at path: String) throws(PlanError) {
        let description = try builder.catalog.table(table, at: path)
        _ = try description.requireConstraint(from, at: "\(path).from")
        try description.requireFree(constraint: to, at: "\(path).to")
        func rename(_ from: String, _ to: String) -> [String] {
            [
                "ALTER TABLE \(description.name.quoted) RENAME CONSTRAINT \(from.quotedIdentifier) TO \(to.quotedIdentifier)"
            ]
        }
        builder.add(
            .contract, "rename", "renaming constraint \(from) of \(description.name) to \(to)", table: description.name,
            apply: rename(from, to), revert: rename(to, from))
    }
}
