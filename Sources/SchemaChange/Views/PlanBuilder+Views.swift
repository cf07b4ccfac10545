/// Versioned views: the new version finds each table in its new shape under the old name, while the old version goes on with
/// the table itself.
extension PlanBuilder {
    var viewSchema: String { VersionView.schema(of: migration, in: catalog.schema) }

    /// The tables that have two shapes for a while.
    private var reshaped: [TableDescription] {
        changedTables.filter { name in !wholeTables.contains(name) && !newTables.contains(name) && isReshaped(name) }
            .compactMap { try? catalog.table($0.name, at: "") }
    }

    private func isReshaped(_ table: TableName) -> Bool {
        mappings.contains { $0.table == table } || addedColumns.contains { $0.table == table }
            || (try? catalog.table(table.name, at: ""))?.columns.contains { isLeaving($0.name, of: table) } == true
    }

    /// Makes the views once both sides are written; nil where no table has two shapes.
    var viewStep: Step? {
        let tables = reshaped
        guard hasViews, !tables.isEmpty else { return nil }
        let schema = viewSchema.quotedIdentifier
        let views = tables.map { VersionView(schema: viewSchema, table: $0, columns: shape(of: $0)) }
        let users = tables.flatMap {
            [$0.owner.quotedIdentifier] + $0.grants.map { $0.role?.quotedIdentifier ?? "PUBLIC" }
        }
        return Step(
            id: "dualwrite/views",
            phase: .dualWrite,
            title:
                "showing \(tables.map(\.name.name).joined(separator: ", ")) in the new shape in schema \(viewSchema)",
            action: .statements(
                apply: [
                    "CREATE SCHEMA \(schema)",
                    "COMMENT ON SCHEMA \(schema) IS \("\(Self.mark)\(migration)".quotedLiteral)",
                ] + Set(users).sorted().map { "GRANT USAGE ON SCHEMA \(schema) TO \($0)" } + views.flatMap(\.create),
                revert: views.map(\.drop) + ["DROP SCHEMA IF EXISTS \(schema)"]
            ),
            table: tables[0].name,
            lock: "ACCESS SHARE"
        )
    }

    /// A view that shows a marker is made without it before the archive goes, and the marker with it; unless the view is gone
    /// already, for that of a later version.
    var viewPurge: Step? {
        let tables = reshaped.filter { table in
            mappings.contains { $0.table == table.name && needsSide($0, of: table) }
        }
        guard hasViews, !tables.isEmpty else { return nil }
        let statements = tables.map { table in
            let columns = shape(of: table).filter { !$0.name.hasPrefix("sluice_") }.map {
                VersionView.Shown(name: $0.name, stored: $0.name, defaultExpression: $0.defaultExpression)
            }
            let view = VersionView(schema: viewSchema, table: table, columns: columns)
            let again = ([view.drop] + view.create).map { "EXECUTE \($0.quotedLiteral);" }.joined(separator: "\n")
            let body = """
                BEGIN
                IF to_regclass(\(view.name.quoted.quotedLiteral)) IS NOT NULL THEN
                \(again)
                END IF;
                END
                """
            return "DO \(body.quotedLiteral)"
        }
        return Step(
            id: "purge/views", phase: .contract, title: "showing no more in schema \(viewSchema) who wrote a row last",
            action: .statements(apply: statements, revert: nil), table: tables[0].name, lock: "ACCESS SHARE")
    }

    /// How a schema of views says whose it is.
    static let mark = "sluice: "

    /// The views of versions before go at Contract, when nobody uses them any more: they show what goes into the archive.
    var viewDrops: [Step] {
        guard hasViews else { return [] }
        var tables: [TableDescription] = []
        for name in changedTables {
            guard let table = try? catalog.table(name.name, at: ""), !table.versionViews.isEmpty else { continue }
            tables.append(table)
        }
        return tables.enumerated().map { index, table in
            Step(
                id: "contract/views/\(index)",
                phase: .contract,
                title: "dropping the views of \(table.name) of versions before",
                action: .statements(
                    apply: table.versionViews.map { "DROP VIEW IF EXISTS \($0.name.quoted)" },
                    revert: table.versionViews.flatMap(\.create)),
                table: table.name,
                lock: "ACCESS SHARE"
            )
        }
    }

    /// Refuses to take away what a version sees that does not get views of its own by this migration.
    func requireViewsWhereShown() throws(PlanError) {
        guard !hasViews else { return }
        for name in changedTables {
            guard let table = try? catalog.table(name.name, at: ""), let view = table.versionViews.first else {
                continue
            }
            guard let column = table.columns.first(where: { isLeaving($0.name, of: name) }) else { continue }
            throw PlanError(
                .dependents, at: "views",
                "\(view.name) may show column \"\(column.name)\" to the version that runs; give views: true, so that the next "
                    + "one has its own, or drop that view when nobody uses it")
        }
    }

    /// The columns as they are after Contract, each in the place of the one that it replaces.
    private func shape(of table: TableDescription) -> [VersionView.Shown] {
        let mapped = mappings.filter { $0.table == table.name }
        func shown(_ column: Column) -> VersionView.Shown {
            VersionView.Shown(
                name: column.name, stored: column.interim ?? column.name,
                defaultExpression: viewDefaults["\(table.name).\(column.name)"])
        }
        var columns: [VersionView.Shown] = []
        for column in table.columns where !column.name.hasPrefix("sluice_") {
            if let mapping = mapped.first(where: { $0.old.contains { $0.name == column.name } }) {
                if mapping.old[0].name == column.name { columns += mapping.new.map(shown) }
            } else if !isLeaving(column.name, of: table.name) {
                columns.append(.init(name: column.name, stored: column.name))
            }
        }
        columns += mapped.filter(\.old.isEmpty).flatMap { $0.new.map(shown) }
        columns += addedColumns.filter { $0.table == table.name }.map { .init(name: $0.column, stored: $0.column) }
        // An explicit NULL of the new version could not be told from a column that the old one does not know.
        columns += mapped.filter { needsSide($0, of: table) }.map {
            .init(name: $0.marker, stored: $0.marker, defaultExpression: DualWriteTriggers.viewSide.quotedLiteral)
        }
        return columns
    }

    private func needsSide(_ mapping: Mapping, of table: TableDescription) -> Bool {
        mapping.remote == nil && !mapping.isWrittenByApplication && mapping.required.isEmpty
            && mapping.old.contains { table.column($0.name)?.defaultExpression != nil }
    }
}
