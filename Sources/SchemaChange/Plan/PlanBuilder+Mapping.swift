/// What every change with an old and a new side shares, whatever its kind.
extension PlanBuilder {
    /// Two shapes of the same data: columns, triggers, backfill, proof and archive.
    ///
    /// - Parameters:
    ///   - given: what a worker is given where there are no old columns.
    ///   - succession: where one new column takes the place of one old one, with what depends on that.
    mutating func addMapping(
        table: TableDescription,
        old: [TableDescription.ColumnDescription],
        new: [NewColumn],
        forward: [String: String],
        backward: [String: String],
        remote: RemoteForward? = nil,
        given: [TableDescription.ColumnDescription] = [],
        succession: Succession? = nil,
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
        if table.isPartitioned, writer == .application, !old.isEmpty {
            throw PlanError(
                .unsupportedTable, at: path,
                "\(table.name) is partitioned: with dualWrite.by: Application a row that moves to another partition could not be "
                    + "told from a new one; leave dualWrite out")
        }
        let oldColumns = old.map(\.asColumn)
        let newColumns = new.enumerated().map { index, column in
            Column(
                name: column.name, type: column.type,
                baseType: catalog.baseTypes[column.type] ?? old.first { $0.type == column.type }?.baseType,
                collation: succession?.collation(of: column, after: old[0]),
                interim: old.contains { $0.name == column.name } ? Mapping.interimName(token: token, index: index) : nil
            )
        }
        if writer == .application, newColumns.contains(where: { $0.interim != nil }) {
            throw PlanError(
                .invalidChange, at: path,
                "with dualWrite.by: Application the release has to name both columns; give the new one a name of its own"
            )
        }
        var named = oldColumns + newColumns.filter { !oldColumns.contains($0) }
        func add(_ name: String, meaning columns: [Column]) {
            guard !columns.contains(where: { $0.name == name }), let other = table.column(name) else { return }
            let column = other.asColumn
            if !named.contains(column) { named.append(column) }
        }
        for column in given { add(column.name, meaning: oldColumns) }
        for check in Self.mappingChecks(
            table: table, old: old, new: new, forward: forward, backward: backward, at: path)
        {
            for name in references[check] ?? [] {
                add(name, meaning: check.newColumns.isEmpty ? oldColumns : newColumns)
            }
        }
        named.sort { ($0.name, $0.interim ?? "") < ($1.name, $1.interim ?? "") }
        try reads(Set(named.map(\.name)).sorted(), of: table, at: path)
        for column in old {
            try claim(column.name, of: table, at: path)
            try leaves(column.name, of: table, at: path)
            if succession == nil, table.key.contains(column.name) || table.referencedColumns.contains(column.name) {
                throw PlanError(
                    .unsupportedTable,
                    at: path,
                    "column \"\(column.name)\" is part of the key of \(table.name), or other tables refer to it; only "
                        + "another type or name can be had for it, with alterColumn or renameColumn"
                )
            }
        }
        try requireNothingOwn(about: old.map(\.name), of: table, at: path)
        for column in newColumns where column.interim == nil { try claim(column.name, of: table, at: path) }
        let mapping = Mapping(
            table: table.name,
            token: token,
            old: oldColumns,
            new: newColumns,
            forward: forward,
            backward: backward,
            named: named,
            notNull: new.filter { $0.nullable == false }.map(\.name),
            key: table.key.compactMap { table.column($0)?.asColumn },
            remote: remote,
            given: given.isEmpty ? nil : given.map(\.asColumn),
            // A column that stands beside the others for good has no other side that a release could write.
            writer: old.isEmpty || writer == .database ? nil : writer,
            archivedBackward: succession?.archivedBackward.map { [old[0].name: $0] }
        )
        mappings.append(mapping)
        let carried = try succession?.carried(
            from: old[0], to: newColumns[0], token: token, dependents, successors, at: path)
        if let carried {
            try claim(carried, at: path)
            shared.formUnion(carried.present.shared.map { "\(table.name).\($0)" })
            tied.formUnion(carried.tied)
            // Their foreign keys are made anew as well.
            for other in carried.tiedTables { alsoTouches(other) }
        }
        viewDefaults["\(table.name).\(mapping.new[0].name)"] = succession?.newDefault
        addColumns(of: mapping, settings: succession?.settings(of: newColumns[0], carried) ?? [])
        if table.namesRequirements {
            requirements[token] = RequirementNames(of: mapping, old: old)
        }
        addBackfill(of: mapping, carried: carried)
        if succession == nil { try release(old.map(\.name), of: table, at: path) }
        addArchive(of: mapping, old, in: table, carried: carried, requirements: requirements[token])
        // Until then a row may be unfilled.
        if remote != nil { for column in mapping.notNull { addNotNull(.contract, column, of: table.name) } }
    }

    /// An index or constraint over two columns that are replaced would be made for each of them.
    private mutating func claim(_ carried: CarriedDependents, at path: String) throws(PlanError) {
        for name in carried.names {
            guard let other = carriedNames.updateValue(path, forKey: name) else { continue }
            throw PlanError(
                .dependents, at: path,
                "\(name) depends on a column of \(other) as well; put one of the two into a Migration of its own")
        }
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
