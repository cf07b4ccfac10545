/// Says what a table or a column is, at Expand. An empty comment takes it away.
///
/// Undoing it restores the comment that was there.
public struct SetComment: Codable, Hashable, Sendable, ChangeKind {
    public var table: String
    public var column: String?
    public var comment: String

    public init(table: String, column: String? = nil, comment: String) {
        self.table = table
        self.column = column
        self.comment = comment
    }

    var tables: [String] { [table] }

    func flaws(at path: String) -> [PlanError] {
        []
    }

    func plan(into builder: inout PlanBuilder, at path: String) throws(PlanError) {
        let description = try builder.catalog.table(table, at: path)
        var object = "TABLE \(description.name.quoted)"
        var present = description.comment
        if let column {
            present = try builder.catalog.column(column, of: description, at: "\(path).column").comment
            object = "COLUMN \(description.name.quoted).\(column.quotedIdentifier)"
        }
        func set(_ comment: String?) -> [String] {
            ["COMMENT ON \(object) IS \(comment.map(\.quotedLiteral) ?? "NULL")"]
        }
        builder.add(
            .expand, "comment", "commenting on \(column.map { "\($0) of " } ?? "")\(description.name)",
            table: description.name, lock: "SHARE UPDATE EXCLUSIVE",
            apply: set(comment.isEmpty ? nil : comment), revert: set(present))
    }
}
