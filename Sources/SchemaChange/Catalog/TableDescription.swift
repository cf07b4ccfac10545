/// What the catalog says of a table, as far as a plan depends on it.
public struct TableDescription: Codable, Hashable, Sendable {
    public struct ColumnDescription: Codable, Hashable, Sendable {
        public var name: String
        public var type: String
        /// Of a domain, the type that it is made of; else nil.
        public var baseType: String?
        /// Where it is not the type's own, as SQL names it; else nil.
        public var collation: String?
        public var notNull: Bool
        /// What its NOT NULL is called, where PostgreSQL gives it a name: since 18.
        public var requirement: String?
        /// The default's expression, as `pg_get_expr` writes it.
        public var defaultExpression: String?
        /// Whether PostgreSQL computes it: `GENERATED ALWAYS AS (…) STORED`.
        public var generated: Bool
        /// Whether it has a sequence of its own: `GENERATED … AS IDENTITY`.
        public var isIdentity: Bool
        public var comment: String?

        public init(
            name: String,
            type: String,
            baseType: String? = nil,
            collation: String? = nil,
            notNull: Bool = false,
            requirement: String? = nil,
            defaultExpression: String? = nil,
            generated: Bool = false,
            isIdentity: Bool = false,
            comment: String? = nil
        ) {
            self.name = name
            self.type = type
            self.baseType = baseType
            self.collation = collation
            self.notNull = notNull
            self.requirement = requirement
            self.defaultExpression = defaultExpression
            self.generated = generated
            self.isIdentity = isIdentity
            self.comment = comment
        }
    }

    public var name: TableName
    /// `pg_class.relkind`: `r` is a plain table, `p` a partitioned one, `v` a view, and so on.
    public var relationKind: String
    public var isPartition: Bool
    /// Of a partition: the table at the top, whose partition it is, however deep.
    public var root: TableName?
    /// Of a partitioned table: the columns by which it, or one of its partitions, is partitioned, those in expressions too.
    public var partitionKey: [String]
    /// Of a partitioned table: those of its partitions that are foreign tables.
    public var foreignPartitions: [TableName]
    /// Of a partitioned table: what single partitions have of their own, those at the top first.
    public var partitionConstraints: [PartitionConstraint]
    public var partitionObjects: [PartitionObject]
    /// Of a partitioned table: what constraints are called, its own and its partitions'.
    public var takenNames: [TakenName]
    /// Whether it inherits from another table, or another inherits from it.
    public var isInherited: Bool
    /// Whether row-level security would hide rows from the role that asked.
    public var rowSecurityApplies: Bool
    public var columns: [ColumnDescription]
    /// The columns of the key by which rows can be walked: the primary key, or else a unique index that is complete,
    /// immediate, over plain columns, and none of them nullable. Empty when there is none.
    public var key: [String]
    /// The columns that foreign keys of other tables refer to.
    public var referencedColumns: [String]
    /// The names of the `BEFORE … FOR EACH ROW` triggers of others.
    public var beforeRowTriggers: [String]
    public var constraints: [Constraint]
    public var indexes: [Index]
    /// The foreign keys that refer to it.
    public var referrers: [Referrer]
    /// What depends on it and its columns, and is not ours.
    public var dependents: [Dependent]
    /// The views and rules that read it, for people.
    public var views: [String]
    public var versionViews: [VersionedView]
    /// What others than the owner may do.
    public var grants: [Grant]
    public var owner: String
    /// Whether the role that asked may act as the owner.
    public var isOwn: Bool
    /// `pg_class.relreplident`: `d` the primary key, `f` all columns, `n` nothing, `i` an index.
    public var replicaIdentity: String
    public var comment: String?
    /// The size of its rows on disk.
    public var bytes: Int64
    /// Whether PostgreSQL gives each NOT NULL a name.
    public var namesRequirements: Bool

    public init(
        name: TableName,
        relationKind: String = "r",
        isPartition: Bool = false,
        root: TableName? = nil,
        partitionKey: [String] = [],
        foreignPartitions: [TableName] = [],
        partitionConstraints: [PartitionConstraint] = [],
        partitionObjects: [PartitionObject] = [],
        takenNames: [TakenName] = [],
        isInherited: Bool = false,
        rowSecurityApplies: Bool = false,
        columns: [ColumnDescription],
        key: [String],
        referencedColumns: [String] = [],
        beforeRowTriggers: [String] = [],
        constraints: [Constraint] = [],
        indexes: [Index] = [],
        referrers: [Referrer] = [],
        dependents: [Dependent] = [],
        views: [String] = [],
        versionViews: [VersionedView] = [],
        grants: [Grant] = [],
        owner: String = "",
        isOwn: Bool = true,
        replicaIdentity: String = "d",
        comment: String? = nil,
        bytes: Int64 = 0,
        namesRequirements: Bool = false
    ) {
        self.name = name
        self.relationKind = relationKind
        self.isPartition = isPartition
        self.root = root
        self.partitionKey = partitionKey
        self.foreignPartitions = foreignPartitions
        self.partitionConstraints = partitionConstraints
        self.partitionObjects = partitionObjects
        self.takenNames = takenNames
        self.isInherited = isInherited
        self.rowSecurityApplies = rowSecurityApplies
        self.columns = columns
        self.key = key
        self.referencedColumns = referencedColumns
        self.beforeRowTriggers = beforeRowTriggers
        self.constraints = constraints
        self.indexes = indexes
        self.referrers = referrers
        self.dependents = dependents
        self.views = views
        self.versionViews = versionViews
        self.grants = grants
        self.owner = owner
        self.isOwn = isOwn
        self.replicaIdentity = replicaIdentity
        self.comment = comment
        self.bytes = bytes
        self.namesRequirements = namesRequirements
    }

    public func column(_ name: String) -> ColumnDescription? {
        columns.first { $0.name == name }
    }
}

extension TableDescription.ColumnDescription {
    /// As generated SQL needs it.
    var asColumn: Column { Column(name: name, type: type, baseType: baseType, collation: collation) }
}

extension TableDescription {
    /// An SQL expression: the name of the type that the domain `type` is made of, NULL when it is no domain.
    private static func baseType(of type: String) -> String {
        """
        (WITH RECURSIVE domain AS (
            SELECT oid, typtype, typbasetype, 0 AS depth FROM pg_type WHERE oid = \(type)
            UNION ALL
            SELECT b.oid, b.typtype, b.typbasetype, depth + 1
            FROM domain JOIN pg_type b ON b.oid = domain.typbasetype WHERE domain.typtype = 'd'
        ) SELECT format_type(oid, NULL) FROM domain WHERE typtype <> 'd' AND depth > 0)
        """
    }

    /// Answers one row, `base`: of the type that `$1` names, as ``ColumnDescription/baseType`` is. An error when it names
    /// none.
    public static let typeQuery = "SELECT \(baseType(of: "$1::regtype")) AS base"

    /// Answers one row with one column, the description as JSON, or no row when there is no such relation. Parameters:
    /// schema and name.
    public static let query = """
        SELECT json_build_object(
            'name', json_build_object('schema', n.nspname, 'name', c.relname),
            'relationKind', c.relkind,
            'isPartition', c.relispartition,
            'root', CASE WHEN c.relispartition THEN (
                SELECT json_build_object('schema', rn.nspname, 'name', r.relname)
                FROM pg_class r JOIN pg_namespace rn ON rn.oid = r.relnamespace WHERE r.oid = pg_partition_root(c.oid)
            ) END,
            \(PartitionTree.members),
            \(partitionMembers),
            'isInherited', c.relkind = 'r' AND NOT c.relispartition AND EXISTS (
                SELECT FROM pg_inherits h WHERE c.oid IN (h.inhparent, h.inhrelid)),
            'namesRequirements', current_setting('server_version_num')::int >= 180000,
            'rowSecurityApplies', c.relrowsecurity AND row_security_active(c.oid),
            'columns', (
                SELECT coalesce(json_agg(json_build_object(
                    'name', a.attname,
                    'type', format_type(a.atttypid, a.atttypmod),
                    'baseType', \(baseType(of: "a.atttypid")),
                    'collation', (
                        SELECT quote_ident(cn.nspname) || '.' || quote_ident(co.collname)
                        FROM pg_collation co JOIN pg_namespace cn ON cn.oid = co.collnamespace
                        JOIN pg_type y ON y.oid = a.atttypid
                        WHERE co.oid = a.attcollation AND a.attcollation <> y.typcollation),
                    'notNull', a.attnotnull,
                    'requirement', (
                        SELECT q.conname FROM pg_constraint q
                        WHERE q.conrelid = c.oid AND q.contype = 'n' AND q.conkey = ARRAY[a.attnum]
                    ),
                    'defaultExpression', CASE WHEN a.attgenerated = '' THEN pg_get_expr(d.adbin, d.adrelid) END,
                    'generated', a.attgenerated <> '',
                    'isIdentity', a.attidentity <> '',
                    'comment', col_description(c.oid, a.attnum)
                ) ORDER BY a.attnum), '[]')
                FROM pg_attribute a LEFT JOIN pg_attrdef d ON (d.adrelid, d.adnum) = (a.attrelid, a.attnum)
                WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
            ),
            'key', coalesce((
                SELECT json_agg(a.attname ORDER BY k.ordinality)
                FROM (
                    SELECT i.indkey[0:i.indnkeyatts - 1] AS columns, i.indrelid
                    FROM pg_index i
                    WHERE i.indrelid = c.oid AND i.indisunique AND i.indimmediate AND i.indisvalid
                        AND i.indpred IS NULL AND i.indexprs IS NULL
                        AND NOT EXISTS (
                            SELECT FROM unnest(i.indkey[0:i.indnkeyatts - 1]) AS u(attnum)
                            JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = u.attnum
                            WHERE NOT a.attnotnull
                        )
                    ORDER BY i.indisprimary DESC, i.indnkeyatts, i.indexrelid
                    LIMIT 1
                ) best,
                unnest(best.columns) WITH ORDINALITY AS k(attnum, ordinality)
                JOIN pg_attribute a ON a.attnum = k.attnum
                WHERE a.attrelid = c.oid
            ), '[]'),
            'referencedColumns', coalesce((
                SELECT json_agg(DISTINCT a.attname)
                FROM pg_constraint f
                JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = ANY (f.confkey)
                WHERE f.contype = 'f' AND f.confrelid = c.oid
            ), '[]'),
            'beforeRowTriggers', coalesce((
                SELECT json_agg(t.tgname ORDER BY t.tgname)
                FROM pg_trigger t JOIN pg_proc p ON p.oid = t.tgfoid
                WHERE (t.tgrelid = c.oid OR t.tgparentid = 0 AND t.tgrelid IN (SELECT relid FROM pg_partition_tree(c.oid)))
                    AND NOT t.tgisinternal AND t.tgtype & 3 = 3
                    AND p.pronamespace IS DISTINCT FROM to_regnamespace('sluice')
            ), '[]'),
            \(objects)
        )::text
        FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
        WHERE n.nspname = $1 AND c.relname = $2 AND c.relkind IN ('r', 'p', 'v', 'm', 'f')
        """
}
