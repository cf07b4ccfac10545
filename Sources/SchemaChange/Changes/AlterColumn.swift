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

    var constraints: ColumnConstraints {
        ColumnConstraints(
            table: table, column: column, check: check, unique: unique, references: references, names: constraintNames)
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

    func probes(at path: String, token: String, in catalog: Catalog) throws(PlanError) -> [DependentsProbe] {
        guard case .sameName = way else { return [] }
        return [probe(of: try catalog.table(table, at: path), at: path, token: token)]
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
