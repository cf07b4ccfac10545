/// What depended on a column when the plan was made that takes its place. What has come since, nobody has made for the
/// other one: it would go into the archive unseen, or on the way back go with the new column.
public struct KnownDependents: Codable, Hashable, Sendable {
    public let table: TableName
    public let column: String
    /// What the column that takes its place is called from Contract on.
    public let successor: String
    /// As PostgreSQL describes them: `index reviews_user`.
    public let names: [String]
    /// The names of constraints that the plan gives the new column besides.
    let added: [String]
    /// The step that takes the column away.
    public let step: String

    /// Answers the names of what depends on the column and is not ours, a row each.
    public var query: String { late(Self.query(of: table, column)) }

    /// The same of the column that has taken its place.
    public var successorQuery: String { late(Self.query(of: table, successor, except: added)) }

    private func late(_ query: String) -> String {
        let known = names.map(\.quotedLiteral).joined(separator: ", ")
        return "SELECT name FROM (\(query)) AS found WHERE name <> ALL (ARRAY[\(known)]::text[]) ORDER BY 1"
    }

    /// - Parameter except: names of indexes and constraints; nil for the old column. What gives the new one its values, and
    ///   that it is NOT NULL, is of the plan.
    static func query(of table: TableName, _ column: String, except: [String]? = nil) -> String {
        let relation = "to_regclass(\(table.quoted.quotedLiteral))"
        let number = """
            (SELECT attnum FROM pg_attribute WHERE attrelid = \(relation) AND attname = \(column.quotedLiteral))
            """
        let others = except.map { names in
            let own = names.map(\.quotedLiteral).joined(separator: ", ")
            return """
                AND coalesce(i.relname, q.conname, '') <> ALL (ARRAY[\(own)]::name[])
                    AND q.contype IS DISTINCT FROM 'n' AND i.relkind IS DISTINCT FROM 'S'
                    AND NOT EXISTS (SELECT FROM pg_attrdef f WHERE d.classid = 'pg_attrdef'::regclass AND f.oid = d.objid
                        AND f.adrelid = \(relation) AND f.adnum = \(number))
                """
        }
        return """
            SELECT DISTINCT pg_describe_object(d.classid, d.objid, d.objsubid) AS name
            FROM pg_depend d
            LEFT JOIN pg_trigger t ON d.classid = 'pg_trigger'::regclass AND t.oid = d.objid
            LEFT JOIN pg_proc f ON f.oid = t.tgfoid
            LEFT JOIN pg_class i ON d.classid = 'pg_class'::regclass AND i.oid = d.objid
            LEFT JOIN pg_constraint q ON d.classid = 'pg_constraint'::regclass AND q.oid = d.objid
            LEFT JOIN pg_rewrite r ON d.classid = 'pg_rewrite'::regclass AND r.oid = d.objid
            LEFT JOIN pg_class v ON v.oid = r.ev_class
            WHERE d.refclassid = 'pg_class'::regclass AND d.refobjid = \(relation) AND d.refobjsubid = \(number)
                AND coalesce(f.pronamespace <> to_regnamespace('sluice'), true)
                AND coalesce(i.relname, q.conname, '') NOT LIKE 'sluice\\_%'
                AND (v.oid IS NULL OR NOT \(TableDescription.isVersioned("v"))
                    AND v.relnamespace IS DISTINCT FROM to_regnamespace('sluice'))
                \(others ?? "")
            """
    }
}
