/// What depended on a column, or a table, when the plan was made that takes it away. What has come since would go into the
/// archive unseen; where another column takes its place, nobody has made it for that, or on the way back it would go with it.
public struct KnownDependents: Codable, Hashable, Sendable {
    public let table: TableName
    /// Nil where the whole table goes.
    public let column: String?
    /// What the column that takes its place, with all that depends on it, is called from Contract on; nil where none does.
    public let successor: String?
    /// As PostgreSQL describes them: `index reviews_user`.
    public let names: [String]
    /// The names of constraints that the plan gives the new column besides.
    let added: [String]
    /// The step that takes the column away.
    public let step: String
    /// What that step makes again by its text, whatever it has become by then; nil for nothing.
    public let restated: [ColumnDependents.Restated]?
    /// Answers those that there are of the column, as JSON, a row each; nil where there were none.
    public let restatedQuery: String?
    /// Whether the names hold what single partitions have; nil in a plan of a version that did not look at them.
    private let seesPartitions: Bool?

    init(
        table: TableName, column: String?, successor: String? = nil, names: [String], added: [String] = [],
        step: String,
        restated: [ColumnDependents.Restated] = [], restatedQuery: String? = nil
    ) {
        seesPartitions = true
        self.restated = restated.isEmpty ? nil : restated
        self.restatedQuery = restated.isEmpty ? nil : restatedQuery
        self.table = table
        self.column = column
        self.successor = successor
        self.names = names
        self.added = added
        self.step = step
    }

    /// Answers the names of what depends on it and is not ours, a row each.
    public var query: String {
        late(column.map { Self.query(of: table, $0) } ?? Self.query(of: table))
    }

    /// The same of the column that has taken its place.
    public var successorQuery: String? { successor.map { late(Self.query(of: table, $0, except: added)) } }

    private func late(_ query: String) -> String {
        let known = names.map(\.quotedLiteral).joined(separator: ", ")
        let ofPartitions = seesPartitions == true ? "" : " AND name NOT LIKE '% (partition %)'"
        return
            "SELECT name FROM (\(query)) AS found WHERE name <> ALL (ARRAY[\(known)]::text[])\(ofPartitions) ORDER BY 1"
    }

    /// - Parameter except: names of indexes and constraints; nil for the old column. What gives the new one its values, and
    ///   that it is NOT NULL, is of the plan.
    static func query(of table: TableName, _ column: String, except: [String]? = nil) -> String {
        let relation = "to_regclass(\(table.quoted.quotedLiteral))"
        let others = except.map { names in
            let own = names.map(\.quotedLiteral).joined(separator: ", ")
            return """
                AND coalesce(i.relname, q.conname, '') <> ALL (ARRAY[\(own)]::name[])
                    AND q.contype IS DISTINCT FROM 'n' AND i.relkind IS DISTINCT FROM 'S'
                    AND NOT EXISTS (SELECT FROM pg_attrdef f WHERE d.classid = 'pg_attrdef'::regclass AND f.oid = d.objid
                        AND f.adrelid = d.refobjid AND f.adnum = d.refobjsubid)
                """
        }
        let condition = "a.attname = \(column.quotedLiteral)"
        // Nothing in the catalog depends on the column for that.
        let required = """
            SELECT a.attname, 'NOT NULL of column ' || quote_ident(a.attname) || ' (partition ' || p.relid || ')' AS name
            FROM pg_partition_tree(\(relation)) AS p
            CROSS JOIN LATERAL (\(TableDescription.requiredAlone(in: "p.relid", under: relation))) AS a WHERE \(condition)
            """
        return """
            SELECT DISTINCT name FROM (
                \(Self.all(of: relation, "\(condition) \(others ?? "")")) UNION ALL \(required)) AS dependents
            """
    }

    /// Of a whole table: not what is a part of it, as a partition is, nor what has gone into the archive by then.
    private static func query(of table: TableName) -> String {
        let condition = """
            d.deptype <> 'i' AND NOT coalesce(i.relispartition, false)
                AND NOT EXISTS (SELECT FROM pg_class o WHERE o.oid = q.conrelid AND o.relname LIKE 'sluice\\_archive\\_%')
            """
        return """
            SELECT DISTINCT name
            FROM (\(all(of: "to_regclass(\(table.quoted.quotedLiteral))", condition))) AS dependents
            """
    }

    /// What depends on a relation, or one of its columns, and is not ours: `attname` of the column, NULL for all, and `name`.
    /// So with what single partitions have of their own, and no more of those than that.
    static func all(of relation: String, _ condition: String = "true") -> String {
        """
        SELECT a.attname, pg_describe_object(d.classid, d.objid, d.objsubid)
            || CASE WHEN d.refobjid <> \(relation) THEN ' (partition ' || d.refobjid::regclass || ')' ELSE '' END AS name
        FROM (SELECT \(relation)::oid AS oid UNION SELECT relid FROM pg_partition_tree(\(relation))) AS whole
        JOIN pg_depend d ON d.refclassid = 'pg_class'::regclass AND d.refobjid = whole.oid
        LEFT JOIN pg_attribute a ON a.attrelid = d.refobjid AND a.attnum = d.refobjsubid AND d.refobjsubid > 0
        LEFT JOIN pg_trigger t ON d.classid = 'pg_trigger'::regclass AND t.oid = d.objid
        LEFT JOIN pg_proc f ON f.oid = t.tgfoid
        LEFT JOIN pg_class i ON d.classid = 'pg_class'::regclass AND i.oid = d.objid
        LEFT JOIN pg_constraint q ON d.classid = 'pg_constraint'::regclass AND q.oid = d.objid
        LEFT JOIN pg_rewrite r ON d.classid = 'pg_rewrite'::regclass AND r.oid = d.objid
        LEFT JOIN pg_class v ON v.oid = r.ev_class
        WHERE (d.refobjid = \(relation) OR d.deptype <> 'i' AND d.classid <> 'pg_attrdef'::regclass
                AND NOT coalesce(i.relispartition, false) AND coalesce(t.tgparentid, 0) = 0
                AND coalesce(q.conparentid, 0) = 0 AND coalesce(q.coninhcount, 0) = 0 AND q.contype IS DISTINCT FROM 'n')
            AND coalesce(f.pronamespace <> to_regnamespace('sluice'), true)
            AND coalesce(i.relname, q.conname, '') NOT LIKE 'sluice\\_%'
            AND (v.oid IS NULL OR NOT \(TableDescription.isVersioned("v"))
                AND v.relnamespace IS DISTINCT FROM to_regnamespace('sluice'))
            AND \(condition)
        """
    }
}

extension TableDescription {
    public struct Dependent: Codable, Hashable, Sendable {
        /// Nil where it is the table as a whole on which it depends.
        public var column: String?
        /// As PostgreSQL describes it.
        public var name: String
    }

    /// What depends on a column, or on anything of the table.
    func known(on column: String? = nil) -> [String] {
        Set(dependents.filter { column == nil || $0.column == column }.map(\.name)).sorted()
    }
}
