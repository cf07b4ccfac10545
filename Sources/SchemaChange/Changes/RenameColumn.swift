/// Gives a column another name, under which the new version finds it while the old version goes on using the old one.
///
/// Until Contract they are two columns that hold the same, and both versions may write either; what depends on the old one
/// is there for the new one as well: indexes, constraints, default, grants and comment. Undoing it drops the new column.
public struct RenameColumn: Codable, Hashable, Sendable, ChangeKind {
    public var table: String
    public var column: String
    /// The new name.
    public var to: String

    public init(table: String, column: String, to: String) {
        self.table = table
        self.column = column
        self.to = to
    }

    var tables: [String] { [table] }

    func flaws(at path: String) -> [PlanError] {
        let wrong = column == to ? "it is the name that the column has; give another" : to.flawAsColumnName
        return wrong.map { [PlanError(.invalidChange, at: "\(path).to", $0)] } ?? []
    }

    func checks(at path: String, in catalog: Catalog) throws(PlanError) -> [ExpressionCheck] {
        let (description, present) = try find(at: path, in: catalog)
        try catalog.requireFree(to, in: description, at: "\(path).to")
        let (new, forward, backward) = successor(of: present)
        return PlanBuilder.mappingChecks(
            table: description, old: [present], new: [new], forward: forward, backward: backward, at: path)
    }

    func probes(at path: String, token: String, in catalog: Catalog) throws(PlanError) -> [DependentsProbe] {
        [probe(of: try catalog.table(table, at: path).name, at: path, token: token)]
    }

    func plan(into builder: inout PlanBuilder, at path: String) throws(PlanError) {
        let (description, present) = try find(at: path, in: builder.catalog)
        let (new, forward, backward) = successor(of: present)
        try builder.addMapping(
            table: description,
            old: [present],
            new: [new],
            forward: forward,
            backward: backward,
            succession: Succession(
                probe: probe(of: description.name, at: path, token: builder.token),
                newDefault: present.defaultExpression),
            at: path
        )
    }

    private func find(
        at path: String, in catalog: Catalog
    ) throws(PlanError) -> (TableDescription, TableDescription.ColumnDescription) {
        let description = try catalog.table(table, at: path)
        return (description, try catalog.column(column, of: description, at: "\(path).column"))
    }

    private func successor(
        of present: TableDescription.ColumnDescription
    ) -> (new: NewColumn, forward: [String: String], backward: [String: String]) {
        (
            NewColumn(name: to, type: present.type, nullable: !present.notNull),
            [to: column.quotedIdentifier], [column: to.quotedIdentifier]
        )
    }

    private func probe(of table: TableName, at path: String, token: String) -> DependentsProbe {
        DependentsProbe(
            path: path, table: table, column: column, interim: to,
            archived: Mapping.archivedName(token: token, index: 0), newType: nil, keepsName: false, newCheck: nil)
    }
}
