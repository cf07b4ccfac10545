/// Adds a constraint, or NOT NULL, without a look at the rows under a lock that stops writers.
///
/// * Rows that break it are looked for in Backfill, and named. It is put in force at Contract, when the version is gone
///   that does not keep it; with `enforce: Expand` at once, where every version keeps it already.
/// * `check` and `foreignKey` come NOT VALID and are validated in a transaction of their own; `unique` and `primaryKey`
///   come by an index that is built concurrently; `exclusion` knows no such way.
///
/// Undoing it drops the constraint.
public struct AddConstraint: Hashable, Sendable, ChangeKind {
    public enum Enforcement: String, SpecWord, Sendable {
        case expand = "Expand"
        case contract = "Contract"
    }

    public var table: String
    public var constraint: NewConstraint
    public var enforce: Enforcement?
    /// Whether the table may be locked for as long as an exclusion constraint takes.
    public var lockTable: Bool?

    public init(table: String, _ constraint: NewConstraint, enforce: Enforcement? = nil, lockTable: Bool? = nil) {
        self.table = table
        self.constraint = constraint
        self.enforce = enforce
        self.lockTable = lockTable
    }

    private enum Key: String, CodingKey {
        case table, enforce, lockTable
    }

    public init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: Key.self)
        table = try container.decode(String.self, forKey: .table)
        enforce = try container.decodeIfPresent(Enforcement.self, forKey: .enforce)
        lockTable = try container.decodeIfPresent(Bool.self, forKey: .lockTable)
        // Its fields stand beside the table's name.
        constraint = try NewConstraint(from: decoder)
    }

    public func encode(to encoder: any Encoder) throws {
        try constraint.encode(to: encoder)
        var container = encoder.container(keyedBy: Key.self)
        try container.encode(table, forKey: .table)
        try container.encodeIfPresent(enforce, forKey: .enforce)
        try container.encodeIfPresent(lockTable, forKey: .lockTable)
    }

    var tables: [String] {
        [table] + (constraint.foreignKey.map { [$0.references.table] } ?? []).filter { $0 != table }
    }

    var newRelations: [(path: String, name: String)] {
        let hasIndex = constraint.unique != nil || constraint.primaryKey != nil || constraint.exclusion != nil
        return hasIndex ? [("name", constraint.name ?? "")] : []
    }

    func flaws(at path: String) -> [PlanError] {
        constraint.flaws(at: path)
            + (lockTable != nil && constraint.exclusion == nil
                ? [PlanError(.invalidChange, at: "\(path).lockTable", "only exclusion needs it; leave it out")] : [])
    }

    func trials(at path: String, in catalog: Catalog) throws(PlanError) -> [Trial] {
        if constraint.notNull != nil { return [] }
        let setUp = try catalog.copy(table, as: Trial.scratch, at: path)
        if let key = constraint.foreignKey {
            return [try key.trial(of: table, setUp: setUp, at: "\(path).foreignKey.references", in: catalog)]
        }
        let statement = "ALTER TABLE \(Trial.scratch) ADD \(constraint.clause(referred: nil))"
        return [Trial(path: path, setUp: setUp, statement: statement)]
    }

    func plan(into builder: inout PlanBuilder, at path: String) throws(PlanError) {
        let description = try builder.catalog.tableByThen(table, at: path)
        try builder.catalog.require(constraint.columns, of: description, at: path)
        builder.needs(constraint.columns, of: description, at: path)
        if let name = constraint.name { try description.requireFree(constraint: name, at: "\(path).name") }
        try builder.addConstraint(
            constraint, to: description, in: enforce == .expand ? .expand : .contract, locksTable: lockTable == true,
            at: path)
    }
}
