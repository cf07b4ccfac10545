/// What depended on a column when the plan was made that takes its place. What has come since, nobody has made for the new
/// column: it would go into the archive unseen.
public struct KnownDependents: Codable, Hashable, Sendable {
    public let table: TableName
    public let column: String
    /// As PostgreSQL describes them: `index reviews_user`.
    public let names: [String]
    /// The step that takes the column away.
    public let step: String

    /// Answers the names of what depends on the column and is not ours, a row each.
    public var query: String {
        "SELECT name FROM (\(Self.query(of: table, column))) AS found ORDER BY 1"
    }

    static func query(of table: TableName, _ column: String) -> String {
        let relation = "to_regclass(\(table.quoted.quotedLiteral))"
        return """
            SELECT DISTINCT pg_describe_object(d.classid, d.objid, d.objsubid) AS name
            FROM pg_depend d
            LEFT JOIN pg_trigger t ON d.classid = 'pg_trigger'::regclass AND t.oid = d.objid
            LEFT JOIN pg_proc f ON f.oid = t.tgfoid
            LEFT JOIN pg_class i ON d.classid = 'pg_class'::regclass AND i.oid = d.objid
            LEFT JOIN pg_constraint q ON d.classid = 'pg_constraint'::regclass AND q.oid = d.objid
            LEFT JOIN pg_rewrite r ON d.classid = 'pg_rewrite'::regclass AND r.oid = d.objid
            LEFT JOIN pg_class v ON v.oid = r.ev_class
            WHERE d.refclassid = 'pg_class'::regclass AND d.refobjid = \(relation) AND d.refobjsubid = (
                    SELECT attnum FROM pg_attribute WHERE attrelid = \(relation) AND attname = \(column.quotedLiteral))
                AND coalesce(f.pronamespace <> to_regnamespace('sluice'), true)
                AND coalesce(i.relname, q.conname, '') NOT LIKE 'sluice\\_%'
                AND (v.oid IS NULL OR NOT \(TableDescription.isVersioned("v"))
                    AND v.relnamespace IS DISTINCT FROM to_regnamespace('sluice'))
            """
    }
}
