/// Drops a table: at Contract it goes into the archive, by a name of its own, and after `keepFor` for good.
///
/// Its foreign keys go first, or rows of the tables that they refer to could not be deleted. On the way back they are put
/// in force again and validated, so rows that refer to what was deleted meanwhile have to be mended.
public struct DropTable: Codable, Hashable, Sendable, ChangeKind {
    public var table: String

    public init(table: String) {
        self.table = table
    }

    var tables: [String] { [table] }

    func flaws(at path: String) -> [PlanError] {
        []
    }

    func plan(into builder: inout PlanBuilder, at path: String) throws(PlanError) {
        let description = try builder.catalog.table(table, at: path)
        try builder.takesWhole(description, at: path)
        if let view = description.views.first {
            throw PlanError(
                .invalidChange, at: path, "the view \(view) reads \(description.name); drop it before, or change it")
        }
        var staying: [TableName: TableName] = [:]
        for (index, change) in builder.changes.enumerated() {
            guard case .dropTable(let other) = change else { continue }
            let name = TableName(schema: builder.catalog.schema, name: other.table)
            staying[name] = Self.archived(name, builder.token(of: index))
        }
        if let referrer = description.referrers.first(where: { staying[$0.table] == nil }) {
            throw PlanError(
                .invalidChange, at: path,
                "the foreign key \"\(referrer.constraint)\" of \(referrer.table) refers to it; drop that before, by "
                    + "dropConstraint, or the table as well, in the same Migration")
        }
        try builder.requireNothingOwn(of: description, staying: { staying[$0] == nil }, at: path)
        // Nobody writes a table that is dropped as well, and a key that refers to one stops nobody.
        let outgoing = description.constraints.filter { $0.kind == "f" && staying[$0.references!] == nil }
        for (index, constraint) in outgoing.enumerated() {
            builder.released.insert("\(constraint.name) of \(description.name)")
            builder.addDropped(
                constraint, of: description, in: .contract,
                title: "letting \(constraint.references!) go from \(description.name)", word: "foreign-key-\(index + 1)"
            )
        }
        let archived = Self.archived(description.name, builder.token)
        func rename(_ from: TableName, _ to: TableName) -> [String] {
            ["ALTER TABLE \(from.quoted) RENAME TO \(to.name.quotedIdentifier)"]
        }
        builder.add(
            .contract, "archive", "archiving \(description.name)", table: description.name, undoneAs: archived,
            apply: rename(description.name, archived), revert: rename(archived, description.name))
        builder.knows(description, until: builder.id(.contract, "archive"))
        let keys = description.referrers.filter { $0.table != description.name }.map {
            "ALTER TABLE IF EXISTS \(staying[$0.table]!.quoted) DROP CONSTRAINT IF EXISTS \($0.constraint.quotedIdentifier)"
        }
        builder.addPurge(
            "dropping \(description.name)", table: archived, keys + ["DROP TABLE IF EXISTS \(archived.quoted)"])
    }

    private static func archived(_ table: TableName, _ token: String) -> TableName {
        TableName(schema: table.schema, name: "sluice_archive_\(token)")
    }
}
