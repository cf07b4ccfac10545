/// Gives a table another name.
///
/// From Expand on both names work: the new one is a view, which PostgreSQL lets be written like the table, with the table's
/// privileges. At Contract the view goes and the table takes its name; the old name is nobody's then.
///
/// Undoing it takes the new name away; whatever was written by it is in the table.
public struct RenameTable: Codable, Hashable, Sendable, ChangeKind {
    public var table: String
    public var to: String

    public init(table: String, to: String) {
        self.table = table
        self.to = to
    }

    var tables: [String] { [table] }
    var newRelations: [(path: String, name: String)] { [("to", to)] }

    func flaws(at path: String) -> [PlanError] {
        to.flawAsName.map { [PlanError(.invalidChange, at: "\(path).to", $0)] } ?? []
    }

    func plan(into builder: inout PlanBuilder, at path: String) throws(PlanError) {
        let description = try builder.catalog.table(table, at: path)
        try builder.takesWhole(description, at: path)
        let old = description.name
        let new = TableName(schema: old.schema, name: to)
        builder.alsoTouches(new)
        let view = Self.view(new, of: description)
        builder.add(
            .expand, "view", "making \(new) another name of \(old)", table: old, lock: "ACCESS SHARE",
            apply: view, revert: ["DROP VIEW IF EXISTS \(new.quoted)"])
        func rename(_ from: TableName, _ to: TableName) -> String {
            "ALTER TABLE \(from.quoted) RENAME TO \(to.name.quotedIdentifier)"
        }
        // The view is locked first, as by whoever reads through it.
        builder.add(
            .contract, "rename", "renaming \(old) to \(to)", table: new, otherTable: old,
            apply: ["DROP VIEW \(new.quoted)", rename(old, new)], revert: [rename(new, old)] + view)
    }

    /// Rights and policies are those of whoever reads through it.
    private static func view(_ new: TableName, of table: TableDescription) -> [String] {
        let columns = table.columns.map(\.name).quotedList
        let comment = table.comment.map { ["COMMENT ON VIEW \(new.quoted) IS \($0.quotedLiteral)"] } ?? []
        return [
            "CREATE VIEW \(new.quoted) WITH (security_invoker = true) AS SELECT \(columns) FROM \(table.name.quoted)"
        ] + comment + table.grants(on: new)
    }
}
