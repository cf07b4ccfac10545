/// What every change with an old and a new side shares, whatever its kind.
extension PlanBuilder {
    /// Two shapes of the same data: columns, triggers, backfill, proof and archive.
    ///
    /// - Parameter given: what a worker is given where there are no old columns.
    mutating func addMapping(
        table: TableDescription,
        old: [TableDescription.ColumnDescription],
        new: [NewColumn],
        forward: [String: String],
        backward: [String: String],
        remote: RemoteForward? = nil,
        given: [TableDescription.ColumnDescription] = [],
        at path: String
    ) throws(PlanError) {
        guard !table.key.isEmpty else {
            throw PlanError(
                .noUsableKey,
                at: "\(path).table",
                "\(table.name) has no key by which its rows can be walked; give it a primary key, or a unique index on "
                    + "NOT NULL columns"
            )
        }
        if let trigger = table.beforeRowTriggers.first(where: { !DualWriteTriggers.surrounds($0) }) {
            throw PlanError(
                .unsupportedTable,
                at: "\(path).table",
                "trigger \"\(trigger)\" of \(table.name) would run before or after those that keep both sides right; "
                    + "rename it so that its name sorts between \"!sluice\" and \"~sluice\""
            )
        }
        var names = Set((old + given).map(\.name) + new.map(\.name))
        for check in Self.mappingChecks(
            table: table, old: old, new: new, forward: forward, backward: backward, at: path)
        {
            names.formUnion(references[check] ?? [])
        }
        var types: [String: String] = [:]
        var baseTypes: [String: String] = [:]
        for column in table.columns {
            types[column.name] = column.type
            baseTypes[column.name] = column.baseType
        }
        for column in new {
            types[column.name] = column.type
            baseTypes[column.name] = catalog.baseTypes[column.type]
        }
        try reads(names.sorted(), of: table, at: path)
        for column in old {
            try claim(column.name, of: table, at: path)
            leaves(column.name, of: table, at: path)
            if table.key.contains(column.name) || table.referencedColumns.contains(column.name) {
                throw PlanError(
                    .unsupportedTable,
                    at: path,
                    "column \"\(column.name)\" is part of the key of \(table.name), or other tables refer to it; "
                        + "replacing a key is not supported yet"
                )
            }
        }
        for column in new { try claim(column.name, of: table, at: path) }
        func columns(_ names: some Sequence<String>) -> [Column] {
            names.map { Column(name: $0, type: types[$0]!, baseType: baseTypes[$0]) }
        }
        let mapping = Mapping(
            table: table.name,
            token: token,
            old: columns(old.map(\.name)),
            new: columns(new.map(\.name)),
            forward: forward,
            backward: backward,
            named: columns(names.sorted()),
            notNull: new.filter { $0.nullable == false }.map(\.name),
            key: columns(table.key),
            remote: remote,
            given: given.isEmpty ? nil : columns(given.map(\.name)),
            // A column that stands beside the others for good has no other side that a release could write.
            writer: old.isEmpty || writer == .database ? nil : writer
        )
        mappings.append(mapping)
        addColumns(of: mapping)
        addBackfill(of: mapping)
        addArchive(of: mapping)
        // Until then a row may be unfilled.
        if remote != nil { for column in mapping.notNull { addNotNull(.contract, column, of: table.name) } }
    }

    /// What must be asked about the expressions of a mapping.
    static func mappingChecks(
        table: TableDescription,
        old: [TableDescription.ColumnDescription],
        new: [NewColumn],
        forward: [String: String],
        backward: [String: String],
        at path: String
    ) -> [ExpressionCheck] {
        let forwards = new.compactMap { column in
            forward[column.name].map { expression in
                ExpressionCheck(
                    path: "\(path).forward.\(column.name)",
                    table: table.name,
                    use: .computed,
                    expression: expression,
                    type: column.type,
                    newColumns: []
                )
            }
        }
        let backwards = old.compactMap { column in
            backward[column.name].map { expression in
                ExpressionCheck(
                    path: "\(path).backward.\(column.name)",
                    table: table.name,
                    use: .computed,
                    expression: expression,
                    type: column.type,
                    newColumns: new
                )
            }
        }
        return forwards + backwards
    }
}
