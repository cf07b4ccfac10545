public import PostgreSQL
public import SchemaChange

/// How many rows a table has, about.
public enum TableSize {
    /// The planner's estimate, of a partitioned table the sum of its partitions', or a count where it was never analyzed.
    public static func estimate(of table: TableName, on connection: PostgresConnection) async throws -> Int64 {
        let row = try await connection.query(
            """
            SELECT coalesce(sum(greatest(c.reltuples, 0)), 0)::bigint AS rows
            FROM (\(PartitionTree.leaves(of: "$1::regclass"))) leaf JOIN pg_class c ON c.oid = leaf.relid
            """,
            [.text(table.quoted)]
        ).row()
        let estimate = try row.integer("rows")
        if estimate > 0 { return estimate }
        return try await connection.query("SELECT count(*) AS rows FROM \(table.quoted)").row().integer("rows")
    }
}
