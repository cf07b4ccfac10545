/// Replaces columns by others: a split, a merge, a new meaning.
///
/// Its invariant: of a row that the old version wrote last, the new columns equal `forward` of it; of one that the new
/// version wrote last, the old columns equal `backward` of it. Contract renames the old columns into the archive.
///
/// Undoing it drops the new columns. The old ones hold what `backward` made of all that the new version wrote.
public struct ReplaceColumns: Codable, Hashable, Sendable, ChangeKind {
    public var table: String
    public var from: [String]
    public var to: [NewColumn]
    /// For each new column an immutable SQL expression over the row's present columns. Empty with `forwardBy`.
    public var forward: [String: String]
    /// Instead of `forward`: the worker that computes the new columns from the old ones.
    public var forwardBy: RemoteForward?
    /// For each old column an immutable SQL expression over the row's new columns.
    public var backward: [String: String]

    public init(
        table: String,
        from: [String],
        to: [NewColumn],
        forward: [String: String] = [:],
        forwardBy: RemoteForward? = nil,
        backward: [String: String]
    ) {
        self.table = table
        self.from = from
        self.to = to
        self.forward = forward
        self.forwardBy = forwardBy
        self.backward = backward
    }

    public init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        table = try container.decode(String.self, forKey: .table)
        from = try container.decode([String].self, forKey: .from)
        to = try container.decode([NewColumn].self, forKey: .to)
        forwardBy = try container.decodeIfPresent(RemoteForward.self, forKey: .forwardBy)
        forward = try container.decodeIfPresent([String: String].self, forKey: .forward) ?? [:]
        backward = try container.decode([String: String].self, forKey: .backward)
    }

    var tables: [String] { [table] }
    var replacement: ReplaceColumns? { self }
    var newColumns: [(path: String, column: NewColumn)] { to.enumerated().map { ("to[\($0.offset)].", $0.element) } }

    func flaws(at path: String) -> [PlanError] {
        var flaws = flaws(of: forward.mapValues { $0 }, at: "\(path).forward")
        flaws += self.flaws(of: backward.mapValues { $0 }, at: "\(path).backward")
        if let forwardBy {
            flaws += forwardBy.flaws(at: "\(path).forwardBy")
            if !forward.isEmpty {
                flaws.append(PlanError(.invalidChange, at: path, "forward and forwardBy exclude each other; keep one"))
            }
        } else {
            flaws += mismatches(forward, with: to.map(\.name), at: "\(path).forward", of: "new")
        }
        flaws += mismatches(backward, with: from, at: "\(path).backward", of: "old")
        if from.isEmpty || to.isEmpty {
            flaws.append(PlanError(.invalidChange, at: path, "from and to each name at least one column"))
        }
        return flaws
    }

    func checks(at path: String, in catalog: Catalog) throws(PlanError) -> [ExpressionCheck] {
        let (description, old) = try columns(at: path, in: catalog)
        return PlanBuilder.mappingChecks(
            table: description,
            old: old,
            new: to,
            forward: forward,
            backward: backward,
            at: path
        )
    }

    func plan(into builder: inout PlanBuilder, at path: String) throws(PlanError) {
        let (description, old) = try columns(at: path, in: builder.catalog)
        try builder.addMapping(
            table: description,
            old: old,
            new: to,
            forward: forward,
            backward: backward,
            remote: forwardBy,
            at: path
        )
    }

    private func columns(
        at path: String,
        in catalog: Catalog
    ) throws(PlanError) -> (TableDescription, [TableDescription.ColumnDescription]) {
        let description = try catalog.table(table, at: path)
        var old: [TableDescription.ColumnDescription] = []
        for (index, name) in from.enumerated() {
            old.append(try catalog.column(name, of: description, at: "\(path).from[\(index)]"))
        }
        for (index, column) in to.enumerated() {
            try catalog.requireFree(column.name, in: description, at: "\(path).to[\(index)].name")
        }
        return (description, old)
    }

    /// Every column has its expression, and every expression its column.
    private func mismatches(
        _ expressions: [String: String],
        with columns: [String],
        at path: String,
        of side: String
    ) -> [PlanError] {
        let missing = columns.filter { expressions[$0] == nil }.map {
            PlanError(.invalidChange, at: path, "there is no expression for the \(side) column \"\($0)\"; add one")
        }
        let unknown = expressions.keys.filter { !columns.contains($0) }.sorted().map {
            PlanError(.invalidChange, at: "\(path).\($0)", "\"\($0)\" is not one of the \(side) columns")
        }
        return missing + unknown
    }
}
