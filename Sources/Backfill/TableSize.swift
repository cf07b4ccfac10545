public import PostgreSQL
public import SchemaChange

/// How many rows a table has, about.
public enum TableSize {
    /// The planner's estimate, or a count where the table was never analyzed.
    public static func estimate(of table: TableName, on connection: PostgresConnection) async throws -> Int64 {
        let row = try await connection.query(
            "SELECT reltuples::bigint AS rows FROM pg_class WHERE oid = $1::regclass",
            [.text(table.quoted)]
        ).row()
        let estimate = try row.integer("rows")
        if estimate > 0 { return estimate }
        return try await connection.query("SELECT count(*) AS rows FROM \(table.quoted)").row().integer("rows")
    }
}
