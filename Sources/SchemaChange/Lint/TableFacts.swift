/// What the catalog says of a table, as far as it tells what a plan costs and whom it may surprise.
public struct TableFacts: Codable, Hashable, Sendable {
    public var name: TableName
    /// Attribute numbers that were ever used, dropped columns included.
    public var attributes: Int
    /// The planner's estimate.
    public var rows: Int64
    /// Of the rows themselves, in bytes.
    public var heapBytes: Int64
    public var indexes: Int
    /// How full an INSERT makes a page, in percent; of partitions the fullest.
    public var fillfactor: Int
    public var hasRowSecurity: Bool
    public var publications: [String]
    /// Columns that have a default.
    public var defaults: [String]
    /// Functions and views that seem to use its columns by their order, or whole rows.
    public var positional: [String]
    /// Roles that may read some of its columns and not all.
    public var columnReaders: [String]
    /// CHECKs that were never held against the rows that are there.
    public var unvalidated: [String]

    public init(
        name: TableName, attributes: Int = 1, rows: Int64 = 0, heapBytes: Int64 = 0, indexes: Int = 1,
        fillfactor: Int = 100, hasRowSecurity: Bool = false, publications: [String] = [], defaults: [String] = [],
        positional: [String] = [],
        columnReaders: [String] = [], unvalidated: [String] = []
    ) {
        self.name = name
        self.attributes = attributes
        self.rows = rows
        self.heapBytes = heapBytes
        self.indexes = indexes
        self.fillfactor = fillfactor
        self.hasRowSecurity = hasRowSecurity
        self.publications = publications
        self.defaults = defaults
        self.positional = positional
        self.columnReaders = columnReaders
        self.unvalidated = unvalidated
    }

    /// Per table, ever: `MaxHeapAttributeNumber`.
    static let mostAttributes = 1600

    /// Answers one row with one column, the facts as JSON, or no row when there is no such table. Parameters: schema, name.
    ///
    /// Whether a function uses a table by position is guessed from its source: it names the table, and says `SELECT *`,
    /// `INSERT` without columns, or `%ROWTYPE`.
    public static let query = """
        SELECT json_build_object(
            'name', json_build_object('schema', n.nspname, 'name', c.relname),
            'attributes', c.relnatts,
            'rows', leaves.rows,
            'heapBytes', leaves.bytes,
            'indexes', (SELECT count(*) FROM pg_index i WHERE i.indrelid = c.oid),
            'fillfactor', leaves.fillfactor,
            'hasRowSecurity', c.relrowsecurity,
            'publications', (
                SELECT coalesce(json_agg(p.pubname ORDER BY p.pubname), '[]') FROM pg_publication_tables p
                WHERE p.schemaname = n.nspname AND p.tablename = c.relname
            ),
            'defaults', (
                SELECT coalesce(json_agg(a.attname ORDER BY a.attnum), '[]') FROM pg_attribute a
                WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped AND a.atthasdef
                    AND a.attgenerated = ''
            ),
            'columnReaders', (
                SELECT coalesce(json_agg(DISTINCT role), '[]') FROM (
                    SELECT CASE g.grantee WHEN 0 THEN 'PUBLIC' ELSE pg_get_userbyid(g.grantee)::text END AS role
                    FROM pg_attribute a CROSS JOIN LATERAL aclexplode(a.attacl) AS g
                    WHERE a.attrelid = c.oid AND NOT a.attisdropped AND g.privilege_type = 'SELECT'
                        AND NOT CASE g.grantee WHEN 0 THEN EXISTS (
                                SELECT FROM aclexplode(c.relacl) t WHERE t.grantee = 0 AND t.privilege_type = 'SELECT')
                            ELSE has_table_privilege(g.grantee, c.oid, 'SELECT') END
                ) readers
            ),
            'unvalidated', (
                SELECT coalesce(json_agg(q.conname ORDER BY q.conname), '[]') FROM pg_constraint q
                WHERE q.conrelid = c.oid AND q.contype = 'c' AND NOT q.convalidated AND q.conname NOT LIKE 'sluice\\_%'
            ),
            'positional', (
                SELECT coalesce(json_agg(who ORDER BY who), '[]') FROM (
                    SELECT 'function ' || p.oid::regprocedure::text AS who
                    FROM pg_proc p JOIN pg_language l ON l.oid = p.prolang
                    WHERE l.lanname IN ('sql', 'plpgsql') AND p.pronamespace NOT IN ('pg_catalog'::regnamespace,
                            'information_schema'::regnamespace, coalesce(to_regnamespace('sluice'), 0))
                        AND (c.reltype = ANY (p.proargtypes) OR p.prorettype = c.reltype
                            OR strpos(lower(p.prosrc), lower(c.relname)) > 0 AND p.prosrc ~*
                                'select\\s+([a-z_]\\w*\\.)?\\*|insert\\s+into\\s+\\S+\\s+(values|select)|%\\s*rowtype')
                    UNION
                    SELECT 'view ' || v.oid::regclass::text
                    FROM pg_depend d JOIN pg_rewrite r ON d.classid = 'pg_rewrite'::regclass AND r.oid = d.objid
                    JOIN pg_class v ON v.oid = r.ev_class
                    WHERE d.refclassid = 'pg_class'::regclass AND d.refobjid = c.oid AND v.relkind IN ('v', 'm')
                        AND pg_get_viewdef(v.oid) ~ '\\w\\.\\*'
                ) found
            )
        )::text
        FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
        CROSS JOIN LATERAL (
            SELECT coalesce(sum(greatest(l.reltuples, 0)), 0)::bigint AS rows,
                coalesce(sum(pg_relation_size(l.oid)), 0)::bigint AS bytes,
                coalesce(max(coalesce((SELECT option_value::int FROM pg_options_to_table(l.reloptions)
                    WHERE option_name = 'fillfactor'), 100)), 100) AS fillfactor
            FROM (\(PartitionTree.leaves(of: "c.oid"))) leaf JOIN pg_class l ON l.oid = leaf.relid
        ) leaves
        WHERE n.nspname = $1 AND c.relname = $2 AND c.relkind IN ('r', 'p')
        """
}

/// What is to be known of the database as a whole, and of the way to it.
public struct DatabaseFacts: Hashable, Sendable {
    /// Logical slots of this database, each with its plugin: `debezium (pgoutput)`.
    public var logicalSlots: [String]
    /// Whether the process that answers is another than the one that greeted.
    public var isPooled: Bool

    public init(logicalSlots: [String] = [], isPooled: Bool = false) {
        self.logicalSlots = logicalSlots
        self.isPooled = isPooled
    }
}
