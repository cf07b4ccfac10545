/// Alters a column: its nullability and default in place, or its type and constraints by way of another column.
///
/// * **In place**, without `forward` and `backward`: `nullable: true`, `default` and `comment` take effect at Expand, since
///   the new version may rely on them; `nullable: false`, `check`, `unique` and `references` at Contract, when nobody breaks
///   them any more, and rows that do are looked for before. Undoing them restores what was.
/// * **Under the same name**, with `type`, or with `forward` and `backward`: the new column stands under another name until
///   Contract, and then takes the old one's, with indexes, constraints, grants, comment and views. Without an expression
///   the values are cast.
/// * **Under a new name**, with `to`: ``ReplaceColumns`` for one column. What depends on the old one is not carried over.
public struct AlterColumn: Codable, Hashable, Sendable, ChangeKind {
    public var table: String
    public var column: String
    public var nullable: Bool?
    /// An SQL expression.
    public var `default`: String?
    /// Whether the column's default goes.
    public var dropDefault: Bool?
    public var to: NewColumn?
    /// The new type, under the same name.
    public var type: String?
    /// Constraints that the column gets under the same name.
    public var check: String?
    public var unique: Bool?
    public var references: References?
    public var constraintNames: ConstraintNames?
    /// Constraints that it had and loses.
    public var dropConstraints: [String]?
    /// What the column is said to be; an empty text takes the comment away.
    public var comment: String?
    /// An immutable SQL expression over the row's present columns.
    public var forward: String?
    /// Instead of `forward`: the worker that computes the new column from the old one.
    public var forwardBy: RemoteForward?
    /// An immutable SQL expression over the row's new column.
    public var backward: String?

    public init(
        table: String,
        column: String,
        nullable: Bool? = nil,
        default: String? = nil,
        dropDefault: Bool? = nil,
        to: NewColumn? = nil,
        type: String? = nil,
        check: String? = nil,
        unique: Bool? = nil,
        references: References? = nil,
        constraintNames: ConstraintNames? = nil,
        dropConstraints: [String]? = nil,
        comment: String? = nil,
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
        self.type = type
        self.check = check
        self.unique = unique
        self.references = references
        self.constraintNames = constraintNames
        self.dropConstraints = dropConstraints
        self.comment = comment
        self.forward = forward
        self.forwardBy = forwardBy
        self.backward = backward
    }

    var tables: [String] { [table] + (references.map { [$0.table] } ?? []).filter { $0 != table } }
    var newRelations: [(path: String, name: String)] {
        if case .inPlace = way, unique == true, let name = constraintNames?.unique {
            return [("constraintNames.unique", name)]
        }
        return []
    }
    var newColumns: [(path: String, column: NewColumn)] {
        if let to { return [("to.", to)] }
        return type.map { [("", NewColumn(name: column, type: $0))] } ?? []
    }

    private enum Way {
        case inPlace, sameName
        case newName(ReplaceColumns)
    }

    private var way: Way {
        if let replacement { return .newName(replacement) }
        return type != nil || forward != nil || forwardBy != nil || backward != nil ? .sameName : .inPlace
    }

    /// Whether another column takes the place of this one, and its name.
    var keepsName: Bool {
        if case .sameName = way { true } else { false }
    }

    private var constraints: ColumnConstraints {
        ColumnConstraints(
            table: table, column: column, check: check, unique: unique, references: references, names: constraintNames)
    }

    /// The same as changes of their own, where the column stays.
    private func inPlace(in description: TableDescription? = nil, token: String = "") -> [any ChangeKind] {
        var changes: [any ChangeKind] = constraints.all(in: description, token: token).map {
            AddConstraint(table: table, $0)
        }
        if let comment { changes.append(SetComment(table: table, column: column, comment: comment)) }
        return changes
    }

    private var hasConstraints: Bool {
        check != nil || unique == true || references != nil || dropConstraints?.isEmpty == false
    }

    func flaws(at path: String) -> [PlanError] {
        func flaw(_ message: String) -> [PlanError] { [PlanError(.invalidChange, at: path, message)] }
        if let flaw = constraints.flaws(at: path).first { return [flaw] }
        if `default` != nil && dropDefault == true { return flaw("default and dropDefault exclude each other") }
        if to != nil, replacement == nil || type != nil {
            return flaw("to needs forward, or forwardBy in its place, and backward; its type stands in it")
        }
        let isAltered = nullable != nil || `default` != nil || dropDefault != nil
        switch way {
        case .newName(let replacement):
            if isAltered || hasConstraints || comment != nil {
                return flaw("with to, the new column's nullable goes into to; what else is altered goes alone")
            }
            return replacement.flaws(at: path)
        case .sameName:
            if type == nil, backward == nil || forward == nil && forwardBy == nil {
                return flaw("without a new type, forward (or forwardBy) and backward go together")
            }
            if forwardBy != nil, forward != nil {
                return flaw("forward and forwardBy exclude each other; keep one")
            }
            return (forwardBy?.flaws(at: "\(path).forwardBy") ?? [])
                + flaws(
                    of: [
                        "default": `default`, "forward": forward, "backward": backward,
                        "check": check,
                    ], at: path)
        case .inPlace:
            if dropConstraints?.isEmpty == false {
                return flaw(
                    "dropConstraints goes with forward and backward, which say what the old version sees of values that "
                        + "break them; to drop one of the column as it is, use dropConstraint")
            }
            if !isAltered && inPlace().isEmpty {
                return flaw(
                    "it changes nothing; give nullable, default, dropDefault, check, unique, references, comment, type or to"
                )
            }
            return flaws(of: ["default": `default`], at: path) + inPlace().flatMap { $0.flaws(at: path) }
        }
    }

    func checks(at path: String, in catalog: Catalog) throws(PlanError) -> [ExpressionCheck] {
        if case .newName(let replacement) = way { return try replacement.checks(at: path, in: catalog) }
        let description = try catalog.table(table, at: path)
        let present = try catalog.column(column, of: description, at: "\(path).column")
        var checks: [ExpressionCheck] = []
        if let `default` {
            checks.append(
                ExpressionCheck(
                    path: "\(path).default",
                    table: description.name,
                    use: .defaultOfExisting,
                    expression: `default`,
                    type: type ?? present.type,
                    newColumns: []
                )
            )
        }
        if case .sameName = way {
            let (new, forward, backward) = successor(of: present)
            checks += PlanBuilder.mappingChecks(
                table: description, old: [present], new: [new], forward: forward, backward: backward, at: path)
        }
        return checks
    }

    func trials(at path: String, in catalog: Catalog) throws(PlanError) -> [Trial] {
        guard case .inPlace = way else { return [] }
        var trials: [Trial] = []
        for change in inPlace() { trials += try change.trials(at: path, in: catalog) }
        return trials
    }

    func plan(into builder: inout PlanBuilder, at path: String) throws(PlanError) {
        if case .newName(let replacement) = way { return try replacement.plan(into: &builder, at: path) }
        let description = try builder.catalog.table(table, at: path)
        let present = try builder.catalog.column(column, of: description, at: "\(path).column")
        if case .sameName = way {
            return try planSuccessor(into: &builder, of: description, present, at: path)
        }
        try builder.claim(column, of: description, at: path)
        planDefault(into: &builder, of: description, present)
        try planNullability(into: &builder, of: description, present, at: path)
        for change in inPlace(in: description, token: builder.token) { try change.plan(into: &builder, at: path) }
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
        _ present: TableDescription.ColumnDescription,
        at path: String
    ) throws(PlanError) {
        guard let nullable, nullable == present.notNull else { return }
        if nullable {
            if description.key.contains(column) {
                throw PlanError(
                    .dependents, at: "\(path).nullable",
                    "\"\(column)\" is of the key (\(description.key.joined(separator: ", "))) by which the rows of "
                        + "\(description.name) are told apart, so it cannot be NULL; give the table a primary key "
                        + "without it first")
            }
            builder.addNullable(.expand, present, of: description.name)
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

    // MARK: Under the same name

    private func successor(
        of present: TableDescription.ColumnDescription
    ) -> (new: NewColumn, forward: [String: String], backward: [String: String]) {
        let name = column.quotedIdentifier
        let newType = type ?? present.type
        return (
            NewColumn(name: column, type: newType, nullable: nullable ?? !present.notNull),
            forwardBy != nil ? [:] : [column: forward ?? Self.converted(name, to: newType)],
            [column: backward ?? Self.converted(name, to: present.type)]
        )
    }

    /// A cast to a type of limited length cuts what is too long, silently; an assignment refuses it, as `ALTER TABLE` does.
    /// <https://www.postgresql.org/docs/15/datatype-character.html>
    private static func converted(_ value: String, to type: String) -> String {
        length(of: type) == nil ? "\(value)::\(type)" : value
    }

    /// How long a value of the type may be, in characters or bits; nil where there is no limit that a cast would cut to.
    private static func length(of type: String) -> Int? {
        let names = /(?:character varying|varchar|character|char|bpchar|bit varying|varbit|bit) *\( *([0-9]+) *\).*/
        return (try? names.wholeMatch(in: type.lowercased())).flatMap { Int($0.1) }
    }

    /// Whether an identity may be of it.
    private static func canNumber(_ type: String) -> Bool {
        let types = ["smallint", "int2", "integer", "int", "int4", "bigint", "int8"]
        return types.contains(type.lowercased())
    }

    /// A value that is too large or too long for the old type is refused as long as the old version lives. Once the column is
    /// in the archive, it has no old value. Nil where the conversion says it all.
    private func narrowed(to present: TableDescription.ColumnDescription) -> String? {
        let bounds = ["smallint": "-32768 AND 32767", "integer": "-2147483648 AND 2147483647"]
        let wider = ["bigint", "int8", "integer", "int", "int4", "numeric", "decimal"]
        let name = column.quotedIdentifier
        guard backward == nil, let type else { return nil }
        if let length = Self.length(of: present.type), present.type.hasPrefix("character"), !present.type.hasSuffix("]")
        {
            return "CASE WHEN char_length(\(name)::text) <= \(length) THEN \(name) END"
        }
        guard let bound = bounds[present.type], wider.contains(type.lowercased()) else { return nil }
        return "CASE WHEN \(name) BETWEEN \(bound) THEN \(name)::\(present.type) END"
    }

    func probes(at path: String, token: String, in catalog: Catalog) throws(PlanError) -> [DependentsProbe] {
        guard case .sameName = way else { return [] }
        return [probe(of: try catalog.table(table, at: path), at: path, token: token)]
    }

    private func probe(of table: TableDescription, at path: String, token: String) -> DependentsProbe {
        let check = constraints.all(in: table, token: token).lazy.compactMap { constraint in
            constraint.check.map { NewCheck(name: constraint.name ?? "", constraint: $0) }
        }.first
        return DependentsProbe(
            path: path, table: table.name, column: column, interim: Mapping.interimName(token: token, index: 0),
            archived: Mapping.archivedName(token: token, index: 0),
            newType: type, keepsName: true, newCheck: check)
    }

    private func planSuccessor(
        into builder: inout PlanBuilder,
        of description: TableDescription,
        _ present: TableDescription.ColumnDescription,
        at path: String
    ) throws(PlanError) {
        let isNumbered =
            builder.dependents[probe(of: description, at: path, token: builder.token)]?.sequence != nil
        if type != nil, present.defaultExpression != nil, !isNumbered, `default` == nil, dropDefault == nil {
            throw PlanError(
                .invalidChange, at: path,
                "column \"\(column)\" has the default \(present.defaultExpression ?? ""), which is of the old type; "
                    + "say what the new one is with default, or dropDefault: true")
        }
        if let type, present.isIdentity, !Self.canNumber(type) {
            throw PlanError(
                .invalidChange, at: "\(path).type",
                "column \"\(column)\" is an identity, and that is smallint, integer or bigint; end it before, by sql with "
                    + "ALTER COLUMN … DROP IDENTITY, in a Migration of its own")
        }
        let (new, forward, backward) = successor(of: present)
        let constraints = constraints.all(in: description, token: builder.token)
        let unique = constraints.lazy.filter { $0.unique != nil }.compactMap(\.name).first
        try builder.addMapping(
            table: description,
            old: [present],
            new: [new],
            forward: forward,
            backward: backward,
            remote: forwardBy,
            succession: Succession(
                probe: probe(of: description, at: path, token: builder.token),
                newDefault: `default`.map { "(\($0))" } ?? (dropDefault == true ? nil : present.defaultExpression),
                archivedBackward: narrowed(to: present),
                comment: comment,
                unique: unique,
                references: try reference(
                    constraints.first { $0.foreignKey != nil }?.name, in: builder.catalog, at: path),
                dropped: dropConstraints ?? []
            ),
            at: path
        )
    }

    /// What it refers to, once it is known which column that is.
    private func reference(_ name: String?, in catalog: Catalog, at path: String) throws(PlanError) -> NewReference? {
        guard let references, let name else { return nil }
        let place = "\(path).references"
        let referred = try catalog.tableByThen(references.table, at: place)
        let columns = try references.columns(of: referred, at: place)
        guard columns.count == 1 else {
            throw PlanError(.invalidChange, at: "\(place).columns", "a column refers to one column")
        }
        return NewReference(name: name, table: references.table, column: columns[0], options: references.options)
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
