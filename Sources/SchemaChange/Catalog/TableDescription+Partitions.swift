/// What single partitions have, besides what their table gives all of them.
extension TableDescription {
    /// A check or a foreign key that is neither inherited nor a part of the table's.
    public struct PartitionConstraint: Codable, Hashable, Sendable {
        public var partition: TableName
        public var constraint: Constraint
    }

    /// Something else of one partition that may stop what is done with its table.
    public struct PartitionObject: Codable, Hashable, Sendable {
        public enum Kind: String, Codable, Sendable {
            /// Of a column that may be NULL in the table.
            case notNull = "NOT NULL"
            /// One that is unique, or of an exclusion constraint.
            case index
            /// A foreign key of whatever table that refers to the partition.
            case referrer = "foreign key"
            case view
        }

        public var partition: TableName
        public var kind: Kind
        /// For people, after the kind.
        public var name: String
        /// Of the partition, those that it is about.
        public var columns: [String]
    }

    /// A constraint's name that is taken: in the table or in one of its partitions.
    public struct TakenName: Codable, Hashable, Sendable {
        public var table: TableName
        public var name: String
    }

    /// Whether a new constraint may be called so.
    func isFree(constraint name: String) -> Bool { constraint(name) == nil && !takenNames.contains { $0.name == name } }

    /// Refuses a name for a new constraint that the table has already, or a partition, which would get it too.
    func requireFree(constraint name: String, at path: String) throws(PlanError) {
        guard !isFree(constraint: name) else { return }
        let holder = takenNames.first { $0.name == name }?.table ?? self.name
        let place = holder == self.name ? "\(holder)" : "partition \(holder) of \(self.name)"
        throw PlanError(.nameTaken, at: path, "\(place) has a constraint \"\(name)\" already; choose another name")
    }

    /// Refuses a foreign key that one partition has by itself: PostgreSQL would take the two for one, and undoing the
    /// table's would take away the partition's.
    func requireNoneLike(_ key: ForeignKeyMeaning, at path: String) throws(PlanError) {
        guard let own = partitionConstraints.first(where: { $0.constraint.meaning == key }) else { return }
        throw PlanError(
            .dependents, at: path,
            "partition \(own.partition) of \(name) has a foreign key of its own that says the same, "
                + "\"\(own.constraint.name)\": PostgreSQL would make it a part of the table's, and it would go with that; drop it "
                + "first (ALTER TABLE \(own.partition.quoted) DROP CONSTRAINT \(own.constraint.name.quotedIdentifier))")
    }
}

/// By what PostgreSQL tells whether two foreign keys are the same.
struct ForeignKeyMeaning: Hashable {
    let columns: [String]
    let referred: TableName
    let terms: TableDescription.ForeignKeyTerms
    let isDeferrable: Bool
    let isDeferred: Bool
}

extension TableDescription.Constraint {
    /// Nil unless it is a foreign key.
    var meaning: ForeignKeyMeaning? {
        guard let references, let foreignKey else { return nil }
        return ForeignKeyMeaning(
            columns: columns, referred: references, terms: foreignKey, isDeferrable: isDeferrable,
            isDeferred: isDeferred)
    }
}

// MARK: As the catalog tells it

extension TableDescription {
    /// The members of the description's JSON that are about single partitions, of the table `c`.
    static let partitionMembers = """
        'takenNames', coalesce((
            SELECT json_agg(json_build_object('table', \(name("p", "pn")), 'name', k.conname)
                ORDER BY pn.nspname, p.relname, k.conname)
            FROM pg_partition_tree(c.oid) tree \(partition)
            JOIN pg_constraint k ON k.conrelid = p.oid
        ), '[]'),
        'partitionConstraints', coalesce((
            SELECT json_agg(json_build_object('partition', \(name("p", "pn")), 'constraint', \(constraint(of: "p")))
                ORDER BY tree.level, pn.nspname, p.relname, k.conname)
            FROM pg_partition_tree(c.oid) tree \(partition)
            JOIN pg_constraint k ON k.conrelid = p.oid
            WHERE tree.level > 0 AND k.contype IN ('c', 'f') AND k.coninhcount = 0 AND k.conparentid = 0
        ), '[]'),
        'partitionObjects', coalesce((
            SELECT json_agg(json_build_object(
                'partition', \(name("p", "pn")), 'kind', o.kind, 'name', o.name, 'columns', o.columns
            ) ORDER BY tree.level, pn.nspname, p.relname, o.kind, o.name)
            FROM pg_partition_tree(c.oid) tree \(partition)
            CROSS JOIN LATERAL (
                SELECT 'NOT NULL' AS kind, 'of column ' || quote_ident(a.attname) AS name, ARRAY[a.attname] AS columns
                FROM (\(requiredAlone(in: "p.oid", under: "c.oid"))) AS a
                UNION ALL
                SELECT 'index', quote_ident(x.relname), ARRAY(\(reliesOn(of: "p")))
                FROM pg_index i JOIN pg_class x ON x.oid = i.indexrelid
                WHERE i.indrelid = p.oid AND (i.indisunique OR i.indisexclusion) AND NOT x.relispartition
                UNION ALL
                SELECT 'foreign key', quote_ident(k.conname) || ' of ' || k.conrelid::regclass, ARRAY(
                    SELECT a.attname FROM pg_attribute a WHERE a.attrelid = p.oid AND a.attnum = ANY (k.confkey))
                FROM pg_constraint k WHERE k.contype = 'f' AND k.confrelid = p.oid AND k.conparentid = 0
                UNION ALL
                SELECT 'view', v.oid::regclass::text, ARRAY(
                    SELECT a.attname FROM pg_attribute a
                    WHERE a.attrelid = p.oid AND a.attnum > 0 AND a.attnum = ANY (array_agg(d.refobjsubid)))
                FROM pg_depend d
                JOIN pg_rewrite r ON d.classid = 'pg_rewrite'::regclass AND d.objid = r.oid
                JOIN pg_class v ON v.oid = r.ev_class
                WHERE d.refclassid = 'pg_class'::regclass AND d.refobjid = p.oid AND v.oid <> p.oid
                GROUP BY v.oid
            ) AS o
            WHERE tree.level > 0
        ), '[]')
        """

    private static let partition = """
        JOIN pg_class p ON p.oid = tree.relid JOIN pg_namespace pn ON pn.oid = p.relnamespace
        """

    private static func name(_ table: String, _ schema: String) -> String {
        "json_build_object('schema', \(schema).nspname, 'name', \(table).relname)"
    }

    /// A query of the columns, `attname`, that are NOT NULL in a partition and not in its table.
    static func requiredAlone(in partition: String, under table: String) -> String {
        """
        SELECT y.attname FROM pg_attribute y JOIN pg_attribute z ON z.attrelid = \(table) AND z.attname = y.attname
        WHERE y.attrelid = \(partition) AND y.attnum > 0 AND y.attnotnull AND NOT z.attnotnull
        """
    }
}
