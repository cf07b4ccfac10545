/// Alters a column: its nullability and default in place, or its type under a new name.
///
/// * `nullable: true` and `default` take effect at Expand, since the new version may rely on them; `nullable: false` at
///   Contract, when nobody writes NULL any more, and is looked for before. Undoing them restores what was.
/// * `to` names the new column, whose type or meaning differs. It is ``ReplaceColumns`` for one column.
public struct AlterColumn: Codable, Hashable, Sendable, ChangeKind {
    public var table: String
    public var column: String
    public var nullable: Bool?
    /// An SQL expression.
    public var `default`: String?
    /// Whether the column's default goes.
    public var dropDefault: Bool?
    public var to: NewColumn?
    /// With `to`: an immutable SQL expression over the row's present columns.
    public var forward: String?
    /// With `to`, instead of `forward`: the worker that computes the new column from the old one.
    public var forwardBy: RemoteForward?
    /// With `to`: an immutable SQL expression over the row's new column.
    public var backward: String?

    public init(
        table: String,
        column: String,
        nullable: Bool? = nil,
        default: String? = nil,
        dropDefault: Bool? = nil,
        to: NewColumn? = nil,
        forward: String? = nil,
        forwardBy: RemoteForward? = nil,
        backward: String? = nil
    ) {
        self.table = table
        self.column = column
        self.nullable = nullable
        self.default = `default`
        self.dropDefault = dropDefault
        self.to = to
        self.forward = forward
        self.forwardBy = forwardBy
        self.backward = backward
    }

    var tables: [String] { [table] }
    var newColumns: [(path: String, column: NewColumn)] { to.map { [("to", $0)] } ?? [] }

    func flaws(at path: String) -> [PlanError] {
        let inPlace = nullable != nil || `default` != nil || dropDefault != nil
        func flaw(_ message: String) -> [PlanError] { [PlanError(.invalidChange, at: path, message)] }
        if let replacement {
            if inPlace { return flaw("with to, the new column's nullable goes into to; default and nullable go alone") }
            return replacement.flaws(at: path)
        }
        if to != nil || forward != nil || forwardBy != nil || backward != nil {
            return flaw(
                "a new type needs all of to, forward and backward, or forwardBy in place of forward: it goes into a "
                    + "column of a new name")
        }
        if !inPlace { return flaw("it changes nothing; give nullable, default, dropDefault or to") }
        if `default` != nil && dropDefault == true { return flaw("default and dropDefault exclude each other") }
        return flaws(of: ["default": `default`], at: path)
    }

    func checks(at path: String, in catalog: Catalog) throws(PlanError) -> [ExpressionCheck] {
        if let replacement { return try replacement.checks(at: path, in: catalog) }
        let description = try catalog.table(table, at: path)
        let present = try catalog.column(column, of: description, at: "\(path).column")
        guard let `default` else { return [] }
        return [
            ExpressionCheck(
                path: "\(path).default",
                table: description.name,
                use: .defaultOfExisting,
                expression: `default`,
                type: present.type,
                newColumns: []
            )
        ]
    }

    func plan(into builder: inout PlanBuilder, at path: String) throws(PlanError) {
        if let replacement { return try replacement.plan(into: &builder, at: path) }
        let description = try builder.catalog.table(table, at: path)
        let present = try builder.catalog.column(column, of: description, at: "\(path).column")
        try builder.claim(column, of: description, at: path)
        planDefault(into: &builder, of: description, present)
        planNullability(into: &builder, of: description, present)
    }

    // MARK: In place

    private func planDefault(
        into builder: inout PlanBuilder,
        of description: TableDescription,
        _ present: TableDescription.ColumnDescription
    ) {
        guard `default` != nil || dropDefault == true else { return }
        let alter = "ALTER TABLE \(description.name.quoted) ALTER COLUMN \(column.quotedIdentifier)"
        func set(_ expression: String?) -> String {
            expression.map { "\(alter) SET DEFAULT (\($0))" } ?? "\(alter) DROP DEFAULT"
        }
        builder.add(
            .expand,
            "default",
            `default` == nil
                ? "dropping the default of \(column) of \(description.name)"
                : "setting the default of \(column) of \(description.name)",
            table: description.name,
            apply: [set(`default`)],
            revert: [set(present.defaultExpression)]
        )
    }

    private func planNullability(
        into builder: inout PlanBuilder,
        of description: TableDescription,
        _ present: TableDescription.ColumnDescription
    ) {
        guard let nullable, nullable == present.notNull else { return }
        if nullable {
            builder.addNullable(.expand, column, of: description.name)
        } else {
            let key =
                description.key.isEmpty
                ? "'some row'"
                : "concat_ws(', ', \(description.key.map(\.quotedIdentifier).joined(separator: ", ")))"
            builder.addCheck(
                "no-null",
                "looking for NULL in \(column) of \(description.name)",
                table: description.name,
                query: """
                    SELECT \(key)::text FROM \(description.name.quoted) \
                    WHERE \(column.quotedIdentifier) IS NULL LIMIT 5
                    """,
                message: "\(column) of \(description.name) is NULL in rows that should not have it; give them a value"
            )
            builder.addNotNull(.contract, column, of: description.name)
        }
    }

    // MARK: Under a new name

    var replacement: ReplaceColumns? {
        guard let to, let backward, forward != nil || forwardBy != nil else { return nil }
        return ReplaceColumns(
            table: table,
            from: [column],
            to: [to],
            forward: forward.map { [to.name: $0] } ?? [:],
            forwardBy: forwardBy,
            backward: [column: backward]
        )
    }
}
