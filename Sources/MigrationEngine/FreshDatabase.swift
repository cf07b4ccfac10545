internal import PostgreSQL
public import SchemaChange

/// What is too large for a database that nobody uses yet.
public struct UsedTable: Error, CustomStringConvertible {
    public let table: TableName
    /// Of its rows, in all partitions, with TOAST.
    public let bytes: Int64

    public var description: String {
        "\(table) holds \(bytes) bytes, so this is no fresh database"
    }
}

extension MigrationEngine {
    /// Refuses a database in which a table that `spec` changes is more than small: there is something to be lost, or somebody
    /// to wait.
    ///
    /// - Throws: ``UsedTable``.
    public func requireFresh(for spec: MigrationSpec) async throws {
        try await connected(to: spec.schema) { connection in
            let rows = try await connection.query(
                """
                SELECT n.nspname, c.relname, (
                    SELECT sum(pg_table_size(relid)) FROM (\(PartitionTree.leaves(of: "c.oid"))) leaf)::bigint AS bytes
                FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
                WHERE n.nspname = $1 AND c.relname = ANY ($2::text[]) AND c.relkind IN ('r', 'p')
                ORDER BY bytes DESC LIMIT 1
                """, [.text(spec.schema), .textArray(spec.changes.flatMap(\.tables))]
            ).rows
            guard let largest = rows.first, try largest.integer("bytes") > LintCode.smallTable else { return }
            throw UsedTable(
                table: TableName(schema: try largest.text("nspname"), name: try largest.text("relname")),
                bytes: try largest.integer("bytes"))
        }
    }
}
