/// What belongs to a table besides its columns, as far as a change may take it away and bring it back.
extension TableDescription {
    public struct Constraint: Codable, Hashable, Sendable {
        public var name: String
        /// `pg_constraint.contype`: `c` check, `f` foreign key, `p` primary key, `u` unique, `x` exclusion.
        public var kind: String
        public var columns: [String]
        /// As `pg_get_constraintdef` writes it, without `NOT VALID`.
        public var definition: String
        public var isValidated: Bool
        public var isDeferrable: Bool
        public var isDeferred: Bool
        public var comment: String?
        /// Of a foreign key: the table that it refers to.
        public var references: TableName?
        /// Of a foreign key.
        public var foreignKey: ForeignKeyTerms?

        public init(
            name: String, kind: String, columns: [String], definition: String, isValidated: Bool = true,
            isDeferrable: Bool = false, isDeferred: Bool = false, comment: String? = nil, references: TableName? = nil,
            foreignKey: ForeignKeyTerms? = nil
        ) {
            self.name = name
            self.kind = kind
            self.columns = columns
            self.definition = definition
            self.isValidated = isValidated
            self.isDeferrable = isDeferrable
            self.isDeferred = isDeferred
            self.comment = comment
            self.references = references
            self.foreignKey = foreignKey
        }
    }

    /// What a foreign key does.
    public struct ForeignKeyTerms: Codable, Hashable, Sendable {
        /// Those referred to, in the order of the constraint's own.
        public var columns: [String]
        /// As in `pg_constraint`: `a` no action, `r` restrict, `c` cascade, `n` set null, `d` set default.
        public var onDelete: String
        public var onUpdate: String

        public init(columns: [String], onDelete: String = "a", onUpdate: String = "a") {
            self.columns = columns
            self.onDelete = onDelete
            self.onUpdate = onUpdate
        }
    }

    public struct Index: Codable, Hashable, Sendable {
        public struct Statistics: Codable, Hashable, Sendable {
            /// Counted from 1.
            public var column: Int
            public var target: Int
        }

        public var name: String
        public var isUnique: Bool
        /// The end of what `pg_get_indexdef` writes, from `USING` on.
        public var definition: String
        /// The key columns, where all of them are plain columns; else empty.
        public var columns: [String]
        /// Those by which it finds a row, and those that its expressions and its condition name: not what it includes.
        public var reliesOn: [String]
        /// The constraint that it is for.
        public var constraint: String?
        public var comment: String?
        public var tablespace: String?
        public var isReplicaIdentity: Bool
        public var isClustered: Bool
        /// Whether `REPLICA IDENTITY USING INDEX` takes it: unique, valid, immediate, whole, over NOT NULL columns.
        public var identifiesRows: Bool
        public var statistics: [Statistics]
        /// Of a partitioned table: the names of those of its partitions, by the partition, quoted.
        public var ofPartitions: [String: String]

        public init(
            name: String, isUnique: Bool = false, definition: String, columns: [String] = [],
            reliesOn: [String] = [], constraint: String? = nil, comment: String? = nil, tablespace: String? = nil,
            isReplicaIdentity: Bool = false,
            isClustered: Bool = false, identifiesRows: Bool = false, statistics: [Statistics] = [],
            ofPartitions: [String: String] = [:]
        ) {
            self.name = name
            self.isUnique = isUnique
            self.definition = definition
            self.columns = columns
            self.reliesOn = reliesOn
            self.constraint = constraint
            self.comment = comment
            self.tablespace = tablespace
            self.isReplicaIdentity = isReplicaIdentity
            self.isClustered = isClustered
            self.identifiesRows = identifiesRows
            self.statistics = statistics
            self.ofPartitions = ofPartitions
        }
    }

    /// A foreign key of another table, or of this one itself, that refers to this table.
    public struct Referrer: Codable, Hashable, Sendable {
        public var table: TableName
        public var constraint: String
        /// The index of this table on which it depends.
        public var index: String
    }

    /// A view of it in the schema of a version, see ``VersionView``.
    public struct VersionedView: Codable, Hashable, Sendable {
        public var name: TableName
        /// What makes it again, as it is.
        public var create: [String]
    }

    public func constraint(_ name: String) -> Constraint? {
        constraints.first { $0.name == name }
    }

    public func index(_ name: String) -> Index? {
        indexes.first { $0.name == name }
    }

    /// Whether reading and writing all of it under a lock takes no time that anybody would feel: up to 1 MiB.
    var isSmall: Bool { bytes <= 1 << 20 }

    /// An SQL expression, the key of a row as text.
    var keyText: String {
        key.isEmpty
            ? "'some row'::text"
            : "concat_ws(', ', \(key.map(\.quotedIdentifier).joined(separator: ", ")))::text"
    }
}

// MARK: As the catalog tells it

extension TableDescription {
    /// Whether a relation is in a schema of versioned views, an SQL condition.
    static func isVersioned(_ relation: String) -> String {
        "(coalesce(obj_description(\(relation).relnamespace, 'pg_namespace'), '') LIKE '\(PlanBuilder.mark)%')"
    }

    /// The members of the description's JSON, each an SQL expression about the table `c` of the schema `n`.
    static let objects = """
        'constraints', coalesce((
            SELECT json_agg(\(constraint(of: "c")) ORDER BY k.conname)
            FROM pg_constraint k WHERE k.conrelid = c.oid AND k.contype IN ('c', 'f', 'p', 'u', 'x')
        ), '[]'),
        'indexes', coalesce((
            SELECT json_agg(json_build_object(
                'name', x.relname,
                'isUnique', i.indisunique,
                'definition', substr(pg_get_indexdef(x.oid), length(
                    'CREATE ' || CASE WHEN i.indisunique THEN 'UNIQUE ' ELSE '' END || 'INDEX ' || quote_ident(x.relname)
                    || ' ON ' || CASE x.relkind WHEN 'I' THEN 'ONLY ' ELSE '' END || quote_ident(n.nspname) || '.' || quote_ident(c.relname)) + 2),
                'columns', CASE WHEN i.indexprs IS NOT NULL THEN '[]' ELSE (
                    SELECT json_agg(a.attname ORDER BY u.ordinality)
                    FROM unnest(i.indkey[0:i.indnkeyatts - 1]) WITH ORDINALITY AS u(attnum, ordinality)
                    JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = u.attnum
                ) END,
                'reliesOn', to_json(ARRAY(\(reliesOn(of: "c")))),
                'constraint', (
                    SELECT k.conname FROM pg_constraint k WHERE k.conindid = x.oid AND k.contype IN ('p', 'u', 'x')
                ),
                'comment', obj_description(x.oid, 'pg_class'),
                'tablespace', (SELECT spcname FROM pg_tablespace s WHERE s.oid = x.reltablespace),
                'isReplicaIdentity', i.indisreplident,
                'isClustered', i.indisclustered,
                'identifiesRows', i.indisunique AND i.indisvalid AND i.indimmediate AND i.indpred IS NULL
                    AND i.indexprs IS NULL AND NOT EXISTS (
                        SELECT FROM unnest(i.indkey[0:i.indnkeyatts - 1]) AS u(attnum)
                        JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = u.attnum WHERE NOT a.attnotnull
                    ),
                'ofPartitions', coalesce((
                    SELECT json_object_agg('"' || replace(rn.nspname, '"', '""') || '"."' || replace(r.relname, '"', '""') || '"',
                        y.relname)
                    FROM pg_partition_tree(x.oid) p JOIN pg_class y ON y.oid = p.relid JOIN pg_index z ON z.indexrelid = p.relid
                    JOIN pg_class r ON r.oid = z.indrelid JOIN pg_namespace rn ON rn.oid = r.relnamespace
                    WHERE p.level > 0
                ), '{}'),
                'statistics', coalesce((
                    SELECT json_agg(json_build_object('column', a.attnum, 'target', a.attstattarget) ORDER BY a.attnum)
                    FROM pg_attribute a WHERE a.attrelid = x.oid AND a.attstattarget >= 0
                ), '[]')
            ) ORDER BY x.relname)
            FROM pg_index i JOIN pg_class x ON x.oid = i.indexrelid WHERE i.indrelid = c.oid
        ), '[]'),
        'referrers', coalesce((
            SELECT json_agg(json_build_object(
                'table', json_build_object('schema', fn.nspname, 'name', f.relname),
                'constraint', k.conname,
                'index', (SELECT x.relname FROM pg_class x WHERE x.oid = k.conindid)
            ) ORDER BY fn.nspname, f.relname, k.conname)
            FROM pg_constraint k
            JOIN pg_class f ON f.oid = k.conrelid
            JOIN pg_namespace fn ON fn.oid = f.relnamespace
            WHERE k.contype = 'f' AND k.confrelid = c.oid AND k.conparentid = 0
        ), '[]'),
        'dependents', coalesce((
            SELECT json_agg(json_build_object('column', k.attname, 'name', k.name))
            FROM (\(KnownDependents.all(of: "c.oid"))) AS k
            WHERE k.name IS NOT NULL
        ), '[]'),
        'views', coalesce((
            SELECT json_agg(DISTINCT v.oid::regclass::text)
            FROM pg_depend d
            JOIN pg_rewrite r ON d.classid = 'pg_rewrite'::regclass AND d.objid = r.oid
            JOIN pg_class v ON v.oid = r.ev_class
            WHERE d.refclassid = 'pg_class'::regclass AND d.refobjid = c.oid AND v.oid <> c.oid
                AND NOT \(isVersioned("v")) AND v.relnamespace IS DISTINCT FROM to_regnamespace('sluice')
        ), '[]'),
        'versionViews', coalesce((
            SELECT json_agg(json_build_object(
                'name', json_build_object('schema', vn.nspname, 'name', v.relname),
                'create', array_to_json(
                    ARRAY['CREATE VIEW ' || q.name || coalesce(' WITH (' || array_to_string(v.reloptions, ', ') || ')', '')
                        || ' AS ' || rtrim(pg_get_viewdef(v.oid), ';')]
                    || ARRAY(SELECT 'ALTER VIEW ' || q.name || ' ALTER COLUMN ' || quote_ident(a.attname)
                            || ' SET DEFAULT ' || pg_get_expr(f.adbin, f.adrelid)
                        FROM pg_attrdef f JOIN pg_attribute a ON a.attrelid = f.adrelid AND a.attnum = f.adnum
                        WHERE f.adrelid = v.oid ORDER BY a.attnum)
                    || ARRAY(SELECT 'GRANT ' || g.privilege_type || coalesce(' (' || quote_ident(g.attname) || ')', '')
                            || ' ON ' || q.name || ' TO '
                            || CASE g.grantee WHEN 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(g.grantee)) END
                            || CASE WHEN g.is_grantable THEN ' WITH GRANT OPTION' ELSE '' END
                        FROM (
                            SELECT e.*, NULL::name AS attname FROM aclexplode(v.relacl) e
                            UNION ALL
                            SELECT e.*, a.attname FROM pg_attribute a, aclexplode(a.attacl) e
                            WHERE a.attrelid = v.oid AND a.attacl IS NOT NULL
                        ) g WHERE g.grantee <> v.relowner ORDER BY g.grantee, g.privilege_type)
                )
            ) ORDER BY vn.nspname)
            FROM pg_class v JOIN pg_namespace vn ON vn.oid = v.relnamespace
            CROSS JOIN LATERAL (SELECT quote_ident(vn.nspname) || '.' || quote_ident(v.relname)) AS q(name)
            WHERE \(isVersioned("v")) AND v.oid IN (
                SELECT r.ev_class FROM pg_depend d
                JOIN pg_rewrite r ON d.classid = 'pg_rewrite'::regclass AND d.objid = r.oid
                WHERE d.refclassid = 'pg_class'::regclass AND d.refobjid = c.oid)
        ), '[]'),
        'grants', coalesce((
            SELECT json_agg(json_build_object(
                'role', CASE WHEN g.grantee <> 0 THEN pg_get_userbyid(g.grantee) END,
                'privilege', g.privilege_type, 'isGrantable', g.is_grantable, 'column', g.attname
            ) ORDER BY g.grantee, g.privilege_type, g.attname)
            FROM (
                SELECT e.*, NULL::name AS attname FROM aclexplode(c.relacl) e
                UNION ALL
                SELECT e.*, a.attname FROM pg_attribute a, aclexplode(a.attacl) e
                WHERE a.attrelid = c.oid AND a.attacl IS NOT NULL AND NOT a.attisdropped
            ) g
            WHERE g.grantee <> c.relowner
        ), '[]'),
        'owner', pg_get_userbyid(c.relowner),
        'isOwn', pg_has_role(c.relowner, 'USAGE'),
        'replicaIdentity', c.relreplident,
        'comment', obj_description(c.oid, 'pg_class'),
        'bytes', CASE WHEN c.relkind IN ('r', 'p') THEN (
            SELECT coalesce(sum(pg_relation_size(relid)), 0)::bigint FROM (\(PartitionTree.leaves(of: "c.oid"))) leaf) ELSE 0 END
        """
}
