/// The steps of all changes, in the order in which they are applied.
extension PlanBuilder {
    private var contractSteps: [Step] {
        let forTheWayBack = forTheWayBack.map { part, mapping in
            part.step(.contract, of: mapping, undoneBefore: part.needsArchived.compactMap { archives[$0] })
        }
        return forTheWayBack + viewDrops + unlinking + (byPhase[.contract] ?? []) + linking
    }

    func finish(_ changes: [Change], hash: String) throws(PlanError) -> Plan {
        try requireWhatIsRead()
        try requireViewsWhereShown()
        for (index, change) in changes.enumerated() {
            for name in change.tables { _ = try catalog.tableByThen(name, at: Self.path(index, change)) }
        }
        var tables = changedTables
        for other in otherTables where !tables.contains(other) { tables.append(other) }
        let writes = Set(leaving.keys).union(mappings.flatMap { m in m.new.map { "\(m.table).\($0.name)" } })
            .union(moves.flatMap { m in m.columns.map { "\(m.to).\($0.to.name)" } })
        return Plan(
            hash: hash,
            changes: changes,
            mappings: mappings,
            steps: (byPhase[.expand] ?? []) + dualWriteSteps + backfillSteps + contractSteps,
            purge: (viewPurge.map { [$0] } ?? []) + purge,
            repair: repair?.step,
            wayBack: wayBack.isEmpty ? nil : wayBack,
            archivedRepairs: repair?.archived,
            requiredAgain: requiredAgain.isEmpty ? nil : requiredAgain,
            known: known.isEmpty ? nil : known,
            guardedTables: triggeredTables,
            tokens: (mappings.map(\.token) + fills.map(\.token) + moves.map(\.token)).sorted(),
            tables: tables,
            writes: writes.sorted(),
            touches: writes.union(reads.map { "\($0.table).\($0.column)" }).sorted(),
            viewSchema: viewStep == nil ? nil : viewSchema,
            shared: shared.isEmpty ? nil : shared.sorted(),
            tied: tied.isEmpty ? nil : tied.sorted(),
            wholeTables: wholeTables.isEmpty ? nil : wholeTables,
            moves: moves.isEmpty ? nil : moves
        )
    }

    /// Each table that a change is about, in order.
    var changedTables: [TableName] {
        var tables: [TableName] = []
        for change in changes {
            for name in change.tables {
                guard let table = try? catalog.tableByThen(name, at: "").name, !tables.contains(table) else { continue }
                tables.append(table)
            }
        }
        return tables
    }

    var newTables: [TableName] {
        changes.flatMap(\.kind.newRelations).map { TableName(schema: catalog.schema, name: $0.name) }
    }

    func isLeaving(_ column: String, of table: TableName) -> Bool {
        leaving["\(table).\(column)"] != nil
    }

    /// What one change's triggers write and Contract renames, another's cannot read: it may be stale there, or gone.
    private func requireWhatIsRead() throws(PlanError) {
        for (path, table, column) in reads + needs {
            guard let other = leaving["\(table).\(column)"], other != path else { continue }
            throw PlanError(
                .invalidExpression,
                at: path,
                "it names column \"\(column)\", which \(other) takes away; put this change into a Migration of its own, "
                    + "or name other columns"
            )
        }
    }
}
