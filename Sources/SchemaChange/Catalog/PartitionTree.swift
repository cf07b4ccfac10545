/// SQL over the partitions of a table, however deep.
public enum PartitionTree {
    /// A query of the tables that hold the rows of `table`, an SQL expression of type oid, in one column `relid`. One that is
    /// not partitioned holds its own.
    public static func leaves(of table: String) -> String {
        """
        SELECT relid FROM pg_partition_tree(\(table)) WHERE isleaf
        UNION SELECT oid::regclass FROM pg_class WHERE oid = \(table) AND relkind <> 'p'
        """
    }

    /// The members of a ``TableDescription``'s JSON that are about partitions, of the table `c`.
    ///
    /// A column of the key depends on its own table as a whole, be it named or in an expression.
    static let members = """
        'partitionKey', coalesce((
            SELECT json_agg(DISTINCT a.attname)
            FROM pg_partition_tree(c.oid) p
            JOIN pg_depend d ON d.classid = 'pg_class'::regclass AND d.refclassid = 'pg_class'::regclass
                AND d.objid = p.relid AND d.refobjid = p.relid AND d.objsubid <> 0 AND d.refobjsubid = 0
            JOIN pg_attribute a ON a.attrelid = d.objid AND a.attnum = d.objsubid
            WHERE NOT p.isleaf
        ), '[]'),
        'foreignPartitions', coalesce((
            SELECT json_agg(json_build_object('schema', fn.nspname, 'name', f.relname) ORDER BY fn.nspname, f.relname)
            FROM pg_partition_tree(c.oid) p JOIN pg_class f ON f.oid = p.relid
            JOIN pg_namespace fn ON fn.oid = f.relnamespace WHERE f.relkind = 'f'
        ), '[]')
        """
}
