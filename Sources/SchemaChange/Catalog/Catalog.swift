/// What the database says of the tables that the changes name.
public struct Catalog: Sendable {
    public let schema: String
    private let tables: [String: TableDescription]
    /// Of each domain among the types of new columns, the type that it is made of.
    let baseTypes: [String: String]
    /// What the changes make, by the name that they give the table.
    var comingTables: [String: CreateTable] = [:]
    var comingColumns: [String: [NewColumn]] = [:]

    /// `tables` by the name that the manifest gives them.
    public init(schema: String, tables: [String: TableDescription], baseTypes: [String: String] = [:]) {
        self.schema = schema
        self.tables = tables
        self.baseTypes = baseTypes
    }

    /// What there is of that name, of whatever sort.
    func present(_ name: String) -> TableDescription? { tables[name] }

    /// The table, if it is one whose shape can be changed.
    func table(_ name: String, at path: String) throws(PlanError) -> TableDescription {
        guard let table = tables[name] else {
            throw PlanError(
                .unknownTable,
                at: "\(path).table",
                "there is no table \"\(name)\" in schema \"\(schema)\"; check the name and spec.database.schema"
            )
        }
        switch table.relationKind {
        case "r" where table.isPartition, "p" where table.isPartition, "f" where table.isPartition:
            throw PlanError(
                .unsupportedTable, at: "\(path).table",
                "\(table.name) is a partition of \(table.root ?? table.name), and all partitions have one shape; name that "
                    + "table, and every partition changes with it")
        case "r" where table.isInherited:
            throw PlanError(
                .unsupportedTable, at: "\(path).table",
                "\(table.name) inherits from a table, or another inherits from it: a trigger is one table's alone, so rows of "
                    + "the others would not be kept right; end the inheritance (ALTER TABLE … NO INHERIT) first")
        case "r":
            break
        case "p":
            if let foreign = table.foreignPartitions.first {
                throw PlanError(
                    .unsupportedTable, at: "\(path).table",
                    "partition \(foreign) of \(table.name) is a foreign table: its rows are in another database, where nothing "
                        + "can be proven of them; detach it")
            }
        default:
            throw PlanError(
                .unsupportedTable, at: "\(path).table", "\(table.name) is not a table but a view or a foreign table")
        }
        guard !table.rowSecurityApplies else {
            throw PlanError(
                .rowSecurity,
                at: "\(path).table",
                "row-level security of \(table.name) hides rows from this role, so nothing could be proven; "
                    + "use a role with BYPASSRLS, or the table's owner without FORCE ROW LEVEL SECURITY"
            )
        }
        return table
    }

    /// A column of `table` that exists.
    func column(
        _ name: String,
        of table: TableDescription,
        at path: String
    ) throws(PlanError) -> TableDescription.ColumnDescription {
        guard let column = table.column(name) else {
            let names = table.columns.map(\.name).filter { !$0.hasPrefix("sluice_") }.joined(separator: ", ")
            throw PlanError(.unknownColumn, at: path, "\(table.name) has no column \"\(name)\"; it has \(names)")
        }
        return column
    }

    /// Refuses a new column whose name is taken.
    func requireFree(_ name: String, in table: TableDescription, at path: String) throws(PlanError) {
        if table.column(name) != nil {
            throw PlanError(
                .columnExists, at: path, "\(table.name) already has a column \"\(name)\"; choose another name")
        }
    }
}
