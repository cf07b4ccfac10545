internal import PostgreSQL
internal import SchemaChange

/// A partitioned table or one of its partitions, with what there is on it of an index of the table.
struct IndexPart: Sendable {
    /// `pg_class.oid` of the table, and of the one whose partition it is.
    let relation: String
    let parent: String?
    let table: TableName
    /// Whether it holds rows, and no partitions.
    let isLeaf: Bool
    /// Nil where there is none yet.
    let index: TableName?
    let isValid: Bool
    let isAttached: Bool

    /// From the top down. None when the table is gone.
    static func read(_ index: ConcurrentIndex, on connection: PostgresConnection) async throws -> [IndexPart] {
        try await connection.query(
            """
            SELECT t.relid::oid::text AS relation, CASE WHEN t.level > 0 THEN t.parentrelid::oid::text END AS parent,
                n.nspname, c.relname, t.isleaf, x.nspname AS index_schema, x.relname AS index_name,
                coalesce(x.indisvalid, false) AS valid, coalesce(x.attached, false) AS attached
            FROM pg_partition_tree(to_regclass($1)) t
            JOIN pg_class c ON c.oid = t.relid JOIN pg_namespace n ON n.oid = c.relnamespace
            LEFT JOIN LATERAL (
                SELECT xn.nspname, xc.relname, i.indisvalid, EXISTS (
                        SELECT FROM pg_inherits h WHERE h.inhrelid = i.indexrelid) AS attached
                FROM pg_index i JOIN pg_class xc ON xc.oid = i.indexrelid JOIN pg_namespace xn ON xn.oid = xc.relnamespace
                WHERE i.indrelid = t.relid AND (
                    xc.relname = $2 || CASE WHEN t.level = 0 THEN '' ELSE '_' || t.relid::oid END
                    OR i.indexrelid IN (
                        SELECT p.relid FROM pg_index r JOIN pg_class rc ON rc.oid = r.indexrelid
                        CROSS JOIN LATERAL pg_partition_tree(r.indexrelid) p
                        WHERE r.indrelid = to_regclass($1) AND rc.relname = $2))
                ORDER BY attached DESC LIMIT 1
            ) x ON true
            ORDER BY t.level, t.relid
            """, [.text(index.table.quoted), .text(index.builtAs)]
        ).rows.map(IndexPart.init)
    }

    private init(_ row: PostgresRow) throws {
        relation = try row.text("relation")
        parent = row["parent"]
        table = TableName(schema: try row.text("nspname"), name: try row.text("relname"))
        isLeaf = try row.boolean("isleaf")
        index = row["index_name"].flatMap { name in
            row["index_schema"].map { TableName(schema: $0, name: name) }
        }
        isValid = try row.boolean("valid")
        isAttached = try row.boolean("attached")
    }

    /// Those of a build that was not finished which belong to no index of the table.
    static func unattached(_ index: ConcurrentIndex, on connection: PostgresConnection) async throws -> [TableName] {
        try await connection.query(
            """
            SELECT n.nspname, c.relname
            FROM pg_partition_tree(to_regclass($1)) t JOIN pg_index i ON i.indrelid = t.relid
            JOIN pg_class c ON c.oid = i.indexrelid JOIN pg_namespace n ON n.oid = c.relnamespace
            WHERE c.relname = $2 || '_' || t.relid::oid
                AND NOT EXISTS (SELECT FROM pg_inherits h WHERE h.inhrelid = c.oid)
            """, [.text(index.table.quoted), .text(index.builtAs)]
        ).rows.map { TableName(schema: try $0.text("nspname"), name: try $0.text("relname")) }
    }

    /// What the index is called here until all are there.
    func builtAs(_ index: ConcurrentIndex) -> String {
        parent == nil ? index.builtAs : "\(index.builtAs)_\(relation)"
    }

    /// The statement that gives it its name; nil where it has one.
    func renaming(of whole: ConcurrentIndex) -> String? {
        guard parent != nil, let index, index.name == builtAs(whole), let name = whole.name else { return nil }
        let own = whole.partitions?[table.quoted] ?? [table.name, name].asObjectName
        return "ALTER INDEX \(index.quoted) RENAME TO \(own.quotedIdentifier)"
    }
}
