/// A question to PostgreSQL about an expression of a change, asked on a scratch copy of the table before a plan is made.
///
/// Run ``setUp`` and then ``probe`` in one transaction, and roll it back. An error of ``probe`` is the expression's:
/// it does not parse, names an unknown column or function, has the wrong type, or is not immutable (42P17), because a
/// generated column takes immutable expressions only. ``references`` then answers the columns that it names.
public struct ExpressionCheck: Hashable, Sendable {
    public enum Use: Hashable, Sendable {
        /// A function of the row: must be immutable.
        case computed
        /// The default of a column that is added: must not be volatile, or PostgreSQL would rewrite the table.
        case defaultValue
        /// The default of a column that is there: may be volatile.
        case defaultOfExisting
    }

    public let path: String
    public let table: TableName
    public let use: Use
    public let expression: String
    /// The type of what it yields.
    public let type: String
    /// Columns that the row has by then, which the table does not have yet.
    public let newColumns: [NewColumn]

    static let scratch = "sluice_scratch"
    static let result = "sluice_result"

    public var setUp: [String] {
        var statements = [
            "CREATE TEMPORARY TABLE \(Self.scratch) (LIKE \(table.quoted)) ON COMMIT DROP"
        ]
        if !newColumns.isEmpty {
            let columns =
                newColumns.map { "DROP COLUMN IF EXISTS \($0.name.quotedIdentifier)" }
                + newColumns.map { "ADD COLUMN \($0.name.quotedIdentifier) \($0.type)" }
            statements.append("ALTER TABLE \(Self.scratch) \(columns.joined(separator: ", "))")
        }
        return statements
    }

    public var probe: String {
        switch use {
        case .computed:
            "ALTER TABLE \(Self.scratch) ADD COLUMN \(Self.result) \(type) GENERATED ALWAYS AS (\(expression)) STORED"
        case .defaultValue, .defaultOfExisting:
            "ALTER TABLE \(Self.scratch) ADD COLUMN \(Self.result) \(type) DEFAULT (\(expression))"
        }
    }

    /// One row for each column that the expression names.
    public static let references = """
        SELECT DISTINCT a.attname
        FROM pg_depend d
        JOIN pg_attrdef f ON d.classid = 'pg_attrdef'::regclass AND d.objid = f.oid
        JOIN pg_attribute r ON r.attrelid = f.adrelid AND r.attnum = f.adnum
        JOIN pg_attribute a ON a.attrelid = f.adrelid AND a.attnum = d.refobjsubid
        WHERE d.refclassid = 'pg_class'::regclass AND d.refobjid = f.adrelid
            AND f.adrelid = '\(scratch)'::regclass AND r.attname = '\(result)' AND a.attname <> '\(result)'
        ORDER BY 1
        """

    /// The scratch table's file, before and after: it changes when adding the column rewrites the table.
    public static let file = "SELECT pg_relation_filenode('\(scratch)'::regclass)"
}
