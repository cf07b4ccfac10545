/// Adds a column.
///
/// * Without `forward` it is just there, with its `default` if it has one; nothing is filled.
/// * With `forward` it is filled from the row's other columns. Its invariant: until somebody writes it, it equals
///   `forward` of its row, whichever version wrote that row.
/// * With `forwardBy` a worker fills it, who is given the columns that `from` names.
///
/// * `check`, `unique` and `references` are put in force in Backfill, when the column is filled, without a look at the rows
///   under a lock that stops writers. Rows that break them are named.
/// * `generated` has PostgreSQL itself compute it, which rewrites the table, and so is for small ones.
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
    public var generated: TableColumn.Generated?
    /// An SQL condition that no row may break; NULL does not break it.
    public var check: String?
    public var unique: Bool?
    public var references: References?
    public var constraintNames: ConstraintNames?
    public var comment: String?

    public init(
        table: String,
        column: NewColumn,
        default: String? = nil,
        forward: String? = nil,
        from: [String]? = nil,
        forwardBy: RemoteForward? = nil,
        generated: TableColumn.Generated? = nil,
        check: String? = nil,
        unique: Bool? = nil,
        references: References? = nil,
        constraintNames: ConstraintNames? = nil,
        comment: String? = nil
    ) {
        self.table = table
        self.column = column
        self.default = `default`
        self.forward = forward
        self.from = from
        self.forwardBy = forwardBy
        self.generated = generated
        self.check = check
        self.unique = unique
        self.references = references
        self.constraintNames = constraintNames
        self.comment = comment
    }

    var tables: [String] { [table] + (references.map { [$0.table] } ?? []).filter { $0 != table } }
    var newColumns: [(path: String, column: NewColumn)] { [("column.", column)] }

    func flaws(at path: String) -> [PlanError] {
        var flaws = flaws(of: ["default": `default`, "forward": forward, "check": check], at: path)
        if let generated {
            flaws += generated.flaws(at: "\(path).generated")
            if `default` != nil || forward != nil || forwardBy != nil {
                flaws.append(
                    PlanError(
                        .invalidChange, at: path, "generated excludes default, forward and forwardBy; keep one of them")
                )
            }
        }
        flaws += constraints.flaws(at: path)
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
        if column.nullable == false, `default` == nil, forward == nil, forwardBy == nil, generated == nil {
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

    func trials(at path: String, in catalog: Catalog) throws(PlanError) -> [Trial] {
        var trials: [Trial] = []
        if let check {
            let setUp = try catalog.copy(table, as: Trial.scratch, at: path)
            let statement = "ALTER TABLE \(Trial.scratch) ADD CHECK (\(check))"
            trials.append(Trial(path: "\(path).check", setUp: setUp, statement: statement))
        }
        if let references {
            let setUp = try catalog.copy(table, as: Trial.scratch, at: path)
            let key = NewConstraint.ForeignKey(columns: [column.name], references: references)
            trials.append(try key.trial(of: table, setUp: setUp, at: "\(path).references", in: catalog))
        }
        if let generated {
            let name = column.name.quotedIdentifier
            let setUp = try catalog.copy(table, as: Trial.scratch, at: path)
            let statement = """
                ALTER TABLE \(Trial.scratch) DROP COLUMN \(name), ADD COLUMN \(name) \(column.type)\(generated.clause)
                """
            trials.append(Trial(path: "\(path).generated", setUp: setUp, statement: statement))
        }
        return trials
    }

    func plan(into builder: inout PlanBuilder, at path: String) throws(PlanError) {
        try planColumn(into: &builder, at: path)
        let description = try builder.catalog.tableByThen(table, at: path)
        if let comment {
            let object = "\(description.name.quoted).\(column.name.quotedIdentifier)"
            builder.add(
                .expand, "comment", "commenting on \(column.name) of \(description.name)", table: description.name,
                lock: "SHARE UPDATE EXCLUSIVE", apply: ["COMMENT ON COLUMN \(object) IS \(comment.quotedLiteral)"],
                revert: [])
        }
        for constraint in constraints.all(in: description, token: builder.token) {
            if let name = constraint.name, !builder.isDropped(name, of: description) {
                try description.requireFree(constraint: name, at: "\(path).constraintNames")
            }
            try builder.addConstraint(constraint, to: description, in: .backfill, at: path)
        }
    }

    private var constraints: ColumnConstraints {
        ColumnConstraints(
            table: table, column: column.name, check: check, unique: unique, references: references,
            names: constraintNames)
    }

    private func planColumn(into builder: inout PlanBuilder, at path: String) throws(PlanError) {
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
                builder.viewDefaults["\(description.name).\(column.name)"] = "(\(`default`))"
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
            try requireSmall(description, at: path)
            try builder.claim(column.name, of: description, at: path)
            builder.addedColumns.append((description.name, column.name))
            let defaultClause = `default`.map { " DEFAULT (\($0))" } ?? ""
            let nullClause = column.nullable == false ? " NOT NULL" : ""
            builder.add(
                .expand,
                "add-column",
                "adding \(column.name) to \(description.name)",
                table: description.name,
                apply: [
                    "\(alter) ADD COLUMN \(name) \(column.type)\(defaultClause)\(generated?.clause ?? "")\(nullClause)"
                ],
                revert: ["\(alter) DROP COLUMN IF EXISTS \(name)"]
            )
        }
    }

    /// A generated column is computed for all rows while nobody may read or write.
    private func requireSmall(_ description: TableDescription, at path: String) throws(PlanError) {
        guard let generated, !description.isSmall else { return }
        let safeWay =
            generated.identity == nil
            ? "give the expression as forward, and the column is filled while others write"
            : "add it with forward, and give it a default from a sequence by alterColumn in a Migration of its own"
        throw PlanError(
            .wouldLock, at: "\(path).generated",
            "it would rewrite \(description.name) (\(description.bytes >> 20) MiB) under a lock that stops reads and "
                + "writes; \(safeWay)")
    }

    private var forwards: [String: String] {
        forward.map { [column.name: $0] } ?? [:]
    }
}
