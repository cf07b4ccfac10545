/// Drops a column: at Contract it goes into the archive, and after `keepFor` for good.
///
/// Until then the old version goes on using it, while the new one does not mention it. So a NOT NULL column without a
/// default needs `backward`, the value for rows that the new version inserts; without it the column becomes nullable at
/// Expand, and undoing that needs rows without NULL.
public struct DropColumn: Codable, Hashable, Sendable, ChangeKind {
    public var table: String
    public var column: String
    /// An immutable SQL expression over the row's other columns.
    public var backward: String?

    public init(table: String, column: String, backward: String? = nil) {
        self.table = table
        self.column = column
        self.backward = backward
    }

    var tables: [String] { [table] }

    func flaws(at path: String) -> [PlanError] {
        flaws(of: ["backward": backward], at: path)
    }

    func checks(at path: String, in catalog: Catalog) throws(PlanError) -> [ExpressionCheck] {
        let (description, present) = try find(at: path, in: catalog)
        return check(at: path, description, present).map { [$0] } ?? []
    }

    func plan(into builder: inout PlanBuilder, at path: String) throws(PlanError) {
        let (description, present) = try find(at: path, in: builder.catalog)
        try builder.claim(column, of: description, at: path)
        try builder.leaves(column, of: description, at: path)
        guard !description.key.contains(column) else {
            throw PlanError(
                .unsupportedTable,
                at: "\(path).column",
                "\"\(column)\" is part of the key of \(description.name); dropping a key is not supported yet"
            )
        }
        try builder.requireNothingOwn(about: [column], of: description, at: path)
        let archived = Mapping.archivedName(token: builder.token, index: 0)
        var fill: FillTrigger?
        if let backward, let check = check(at: path, description, present) {
            let named = builder.columns(namedBy: check, of: description)
            try builder.reads(named.map(\.name), of: description, at: check.path)
            fill = FillTrigger(
                table: description.name,
                column: present.asColumn,
                storedAs: column,
                expression: backward,
                named: named,
                token: builder.token
            )
        }
        if let fill {
            builder.addFill(fill)
        } else if present.notNull, present.defaultExpression == nil {
            builder.addNullable(.expand, present, of: description, archived: archived)
        }
        try builder.release([column], of: description, at: path)
        addArchive(to: &builder, of: description, as: archived, fill: fill)
    }

    private func addArchive(
        to builder: inout PlanBuilder,
        of description: TableDescription,
        as archived: String,
        fill: FillTrigger?
    ) {
        let alter = "ALTER TABLE \(description.name.quoted)"
        var archivedFill = fill
        archivedFill?.storedAs = archived
        builder.add(
            .contract,
            "archive",
            "archiving \(column) of \(description.name)",
            table: description.name,
            apply: (fill?.drop ?? [])
                + ["\(alter) RENAME COLUMN \(column.quotedIdentifier) TO \(archived.quotedIdentifier)"]
                + (archivedFill?.create ?? []),
            revert: (archivedFill?.drop ?? [])
                + ["\(alter) RENAME COLUMN \(archived.quotedIdentifier) TO \(column.quotedIdentifier)"]
                + (fill?.create ?? [])
        )
        if let fill { builder.archiveSteps[fill.token] = builder.id(.contract, "archive") }
        builder.knows(description, column, until: builder.id(.contract, "archive"))
        builder.addPurge(
            "dropping \(column) of \(description.name)",
            table: description.name,
            (archivedFill?.drop ?? []) + ["\(alter) DROP COLUMN IF EXISTS \(archived.quotedIdentifier)"]
        )
    }

    private func find(
        at path: String,
        in catalog: Catalog
    ) throws(PlanError) -> (TableDescription, TableDescription.ColumnDescription) {
        let description = try catalog.table(table, at: path)
        return (description, try catalog.column(column, of: description, at: "\(path).column"))
    }

    private func check(
        at path: String,
        _ description: TableDescription,
        _ present: TableDescription.ColumnDescription
    ) -> ExpressionCheck? {
        backward.map {
            ExpressionCheck(
                path: "\(path).backward",
                table: description.name,
                use: .computed,
                expression: $0,
                type: present.type,
                newColumns: []
            )
        }
    }
}
