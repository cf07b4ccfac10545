/// Adds a value to an enum, at Expand.
///
/// PostgreSQL cannot take one away again, so undoing it leaves the value where it is, and rows that have it.
public struct AddEnumValue: Codable, Hashable, Sendable, ChangeKind {
    /// A type of the migration's schema, by its plain name.
    public var type: String
    public var value: String
    /// The value before which it sorts; without it and `after`, it is the last.
    public var before: String?
    public var after: String?

    public init(type: String, value: String, before: String? = nil, after: String? = nil) {
        self.type = type
        self.value = value
        self.before = before
        self.after = after
    }

    var tables: [String] { [] }

    func flaws(at path: String) -> [PlanError] {
        var flaws: [PlanError] = []
        if value.isEmpty || value.utf8.count > 63 {
            flaws.append(PlanError(.invalidChange, at: "\(path).value", "a value has 1 to 63 bytes"))
        }
        if before != nil, after != nil {
            flaws.append(PlanError(.invalidChange, at: path, "before and after exclude each other; keep one"))
        }
        return flaws
    }

    func trials(at path: String, in catalog: Catalog) throws(PlanError) -> [Trial] {
        let name = name(in: catalog)
        return [("before", before), ("after", after)].compactMap { field, neighbour in
            neighbour.map {
                Trial(path: "\(path).\(field)", setUp: [], statement: "SELECT \($0.quotedLiteral)::\(name)")
            }
        }
    }

    func plan(into builder: inout PlanBuilder, at path: String) throws(PlanError) {
        let place =
            before.map { " BEFORE \($0.quotedLiteral)" } ?? after.map { " AFTER \($0.quotedLiteral)" } ?? ""
        builder.add(
            .expand, "value", "adding the value \(value) to \(type)", table: nil,
            apply: ["ALTER TYPE \(name(in: builder.catalog)) ADD VALUE IF NOT EXISTS \(value.quotedLiteral)\(place)"],
            revert: [])
    }

    private func name(in catalog: Catalog) -> String {
        TableName(schema: catalog.schema, name: type).quoted
    }
}
