/// What the changes themselves bring into being, which others of the same migration may build on.
extension Catalog {
    /// The same, with the tables and columns that `changes` make.
    func expecting(_ changes: [Change]) -> Catalog {
        var catalog = self
        for change in changes {
            if case .createTable(let table) = change { catalog.comingTables[table.table] = table }
            for (_, column) in change.kind.newColumns {
                for table in change.tables.prefix(1) { catalog.comingColumns[table, default: []].append(column) }
            }
            if case .renameColumn(let rename) = change, let present = present(rename.table)?.column(rename.column) {
                let column = NewColumn(name: rename.to, type: present.type)
                catalog.comingColumns[rename.table, default: []].append(column)
            }
            if case .moveToTable(let move) = change {
                for column in move.columns {
                    guard let type = present(move.table)?.column(column.name)?.type else { continue }
                    catalog.comingColumns[move.to, default: []].append(NewColumn(name: column.newName, type: type))
                }
            }
        }
        return catalog
    }

    /// A table that is there, or that the migration makes at Expand.
    func tableByThen(_ name: String, at path: String) throws(PlanError) -> TableDescription {
        var table = try made(name, at: path)
        for column in comingColumns[name] ?? [] where table.column(column.name) == nil {
            table.columns.append(.init(name: column.name, type: column.type, baseType: baseTypes[column.type]))
        }
        return table
    }

    /// The table without the columns that other changes add to it.
    private func made(_ name: String, at path: String) throws(PlanError) -> TableDescription {
        if let coming = comingTables[name] { return coming.description(in: schema) }
        return try table(name, at: path)
    }

    /// Statements that make an empty copy of a table as it will be.
    func copy(_ name: String, as scratch: String, at path: String) throws(PlanError) -> [String] {
        let coming = comingTables[name]
        let table = try made(name, at: path)
        let columns = (comingColumns[name] ?? []).filter { table.column($0.name) == nil }
        let make =
            coming?.scratch(as: scratch)
            ?? "CREATE TEMPORARY TABLE \(scratch) (LIKE \(table.name.quoted) INCLUDING INDEXES) ON COMMIT DROP"
        return [make]
            + columns.map { "ALTER TABLE \(scratch) ADD COLUMN \($0.name.quotedIdentifier) \($0.type)" }
    }

    /// Refuses columns that a table has not and will not have.
    func require(_ columns: [String], of table: TableDescription, at path: String) throws(PlanError) {
        for name in columns { _ = try column(name, of: table, at: path) }
    }
}
