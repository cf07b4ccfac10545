/// Adds a column.
///
/// * Without `forward` it is just there, with its `default` if it has one; nothing is filled.
/// * With `forward` it is filled from the row's other columns. Its invariant: until somebody writes it, it equals
///   `forward` of its row, whichever version wrote that row.
/// * With `forwardBy` a worker fills it, who is given the columns that `from` names.
///
/// Undoing it drops the column, and what was written to it.
public struct AddColumn: Codable, Hashable, Sendable, ChangeKind {
    public var table: String
    public var column: NewColumn
    /// An SQL expression, not volatile. With `forward` or `forwardBy`, it becomes the default at Contract.
    public var `default`: String?
    /// An immutable SQL expression over the row's other columns.
    public var forward: String?
    /// With `forwardBy`: the columns that the worker is given.
    public var from: [String]?
    /// Instead of `forward`: the worker that computes the column.
    public var forwardBy: RemoteForward?

    public init(
        table: String,
        column: NewColumn,
        default: String? = nil,
        forward: String? = nil,
        from: [String]? = nil,
        forwardBy: RemoteForward? = nil
    ) {
        self.table = table
        self.column = column
        self.default = `default`
        self.forward = forward
        self.from = from
        self.forwardBy = forwardBy
    }

    var tables: [String] { [table] }
    var newColumns: [(path: String, column: NewColumn)] { [("column.", column)] }

    func flaws(at path: String) -> [PlanError] {
        var flaws = flaws(of: ["default": `default`, "forward": forward], at: path)
        if let forwardBy {
            flaws += forwardBy.flaws(at: "\(path).forwardBy")
            if forward != nil {
                flaws.append(PlanError(.invalidChange, at: path, "forward and forwardBy exclude each other; keep one"))
            }
        }
        if (from?.isEmpty ?? true) == (forwardBy != nil) {
            let advice =
                forwardBy == nil
                ? "only a worker has to be given columns: leave it out, or give forwardBy"
                : "name the columns that the worker of forwardBy is given"
            flaws.append(PlanError(.invalidChange, at: "\(path).from", advice))
        }
        if column.nullable == false, `default` == nil, forward == nil, forwardBy == nil {
            flaws.append(
                PlanError(
                    .invalidChange,
                    at: "\(path).column.nullable",
                    "rows that exist, and those that the old version inserts, would have no value; give default or forward"
                )
            )
        }
        return flaws
    }

    func checks(at path: String, in catalog: Catalog) throws(PlanError) -> [ExpressionCheck] {
        let description = try catalog.table(table, at: path)
        var checks: [ExpressionCheck] = []
        if let `default` {
            checks.append(
                ExpressionCheck(
                    path: "\(path).default",
                    table: description.name,
                    use: .defaultValue,
                    expression: `default`,
                    type: column.type,
                    newColumns: []
                )
            )
        }
        return checks
            + PlanBuilder.mappingChecks(
                table: description,
                old: [],
                new: [column],
                forward: forwards,
                backward: [:],
                at: path
            )
    }

    func plan(into builder: inout PlanBuilder, at path: String) throws(PlanError) {
        let description = try builder.catalog.table(table, at: path)
        try builder.catalog.requireFree(column.name, in: description, at: "\(path).column.name")
        let alter = "ALTER TABLE \(description.name.quoted)"
        let name = column.name.quotedIdentifier
        if forward != nil || forwardBy != nil {
            var given: [TableDescription.ColumnDescription] = []
            for (index, name) in (from ?? []).enumerated() {
                given.append(try builder.catalog.column(name, of: description, at: "\(path).from[\(index)]"))
            }
            try builder.addMapping(
                table: description,
                old: [],
                new: [column],
                forward: forwards,
                backward: [:],
                remote: forwardBy,
                given: given,
                at: path
            )
            if let `default` {
                builder.add(
                    .contract,
                    "default",
                    "giving \(column.name) of \(description.name) its default",
                    table: description.name,
                    apply: ["\(alter) ALTER COLUMN \(name) SET DEFAULT (\(`default`))"],
                    revert: ["\(alter) ALTER COLUMN \(name) DROP DEFAULT"]
                )
            }
        } else {
            try builder.claim(column.name, of: description, at: path)
            let defaultClause = `default`.map { " DEFAULT (\($0))" } ?? ""
            let nullClause = column.nullable == false ? " NOT NULL" : ""
            builder.add(
                .expand,
                "add-column",
                "adding \(column.name) to \(description.name)",
                table: description.name,
                apply: ["\(alter) ADD COLUMN \(name) \(column.type)\(defaultClause)\(nullClause)"],
                revert: ["\(alter) DROP COLUMN IF EXISTS \(name)"]
            )
        }
    }

    private var forwards: [String: String] {
        forward.map { [column.name: $0] } ?? [:]
    }
}
