/// To which rows of which table a foreign key refers.
public struct References: Codable, Hashable, Sendable {
    public enum Action: String, SpecWord, Sendable {
        case noAction = "NoAction"
        case restrict = "Restrict"
        case cascade = "Cascade"
        case setNull = "SetNull"
        case setDefault = "SetDefault"

        var sql: String {
            switch self {
            case .noAction: "NO ACTION"
            case .restrict: "RESTRICT"
            case .cascade: "CASCADE"
            case .setNull: "SET NULL"
            case .setDefault: "SET DEFAULT"
            }
        }

        /// As in `pg_constraint`.
        var letter: String {
            switch self {
            case .noAction: "a"
            case .restrict: "r"
            case .cascade: "c"
            case .setNull: "n"
            case .setDefault: "d"
            }
        }
    }

    /// A constraint that may be looked at as late as the commit: whether it is, unless a transaction says otherwise.
    public enum Deferral: String, SpecWord, Sendable {
        case immediate = "Immediate"
        case deferred = "Deferred"

        var sql: String { self == .deferred ? " DEFERRABLE INITIALLY DEFERRED" : " DEFERRABLE" }
    }

    public var table: String
    /// Of the table referred to, a key of it. Left out, its primary key.
    public var columns: [String]?
    public var onDelete: Action?
    public var onUpdate: Action?
    public var deferrable: Deferral?

    public init(
        table: String, columns: [String]? = nil, onDelete: Action? = nil, onUpdate: Action? = nil,
        deferrable: Deferral? = nil
    ) {
        self.table = table
        self.columns = columns
        self.onDelete = onDelete
        self.onUpdate = onUpdate
        self.deferrable = deferrable
    }

    /// The end of a foreign key, of which `quoted` is the table.
    func clause(_ quoted: String) -> String {
        "REFERENCES \(quoted)" + (columns.map { " (\($0.quotedList))" } ?? "") + options
    }

    /// ` ON DELETE CASCADE DEFERRABLE`, or nothing.
    var options: String {
        (onDelete.map { " ON DELETE \($0.sql)" } ?? "") + (onUpdate.map { " ON UPDATE \($0.sql)" } ?? "")
            + (deferrable?.sql ?? "")
    }

    /// The columns referred to, once it is known which table has them.
    func columns(of table: TableDescription, at path: String) throws(PlanError) -> [String] {
        if let columns { return columns }
        if let primary = table.constraints.first(where: { $0.kind == "p" }) { return primary.columns }
        throw PlanError(.invalidChange, at: "\(path).columns", "\(table.name) has no primary key; name the columns")
    }
}

extension [String] {
    /// As SQL identifiers, with commas between them.
    var quotedList: String { map(\.quotedIdentifier).joined(separator: ", ") }
}
