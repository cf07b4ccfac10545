internal import PostgreSQL
internal import SchemaChange

/// A file of rows that is walked by ranges of pages: a table's, or that of a partition.
///
/// To walk by pages is faster than by keys, and sound for the same reason: every row version that is written after the triggers
/// committed is right, so only pages that were there then have to be seen. It ends when the file is written anew (`VACUUM
/// FULL`, `CLUSTER`, `TRUNCATE`, pg_repack): then every row may stand anywhere, and the walk starts again.
public struct HeapFile: Hashable, Sendable {
    /// `pg_class.oid`.
    public let relation: Int64
    /// `pg_relation_filenode`: another one when the file is written anew.
    public let filenode: Int64

    public init(relation: Int64, filenode: Int64) {
        self.relation = relation
        self.filenode = filenode
    }
}

/// As text, `oid/filenode`.
extension HeapFile: RawRepresentable, Codable {
    public var rawValue: String { "\(relation)/\(filenode)" }

    public init?(rawValue: String) {
        let numbers = rawValue.split(separator: "/", omittingEmptySubsequences: false).map { Int64($0) }
        guard numbers.count == 2, let relation = numbers[0], let filenode = numbers[1] else { return nil }
        self.init(relation: relation, filenode: filenode)
    }
}

/// A file as it was when it was looked at.
struct FoundHeapFile: Sendable {
    let file: HeapFile
    /// Quoted, with its schema.
    let name: String
    let pages: Int64

    /// The files of all partitions of `table`, or its own. Nil where one of them is no heap, and has no pages to walk by.
    static func all(of table: TableName, on connection: PostgresConnection) async throws -> [FoundHeapFile]? {
        let rows = try await connection.query(
            """
            SELECT c.oid::bigint AS relation, pg_relation_filenode(c.oid)::bigint AS filenode,
                quote_ident(n.nspname) || '.' || quote_ident(c.relname) AS name, c.relkind = 'r' AND a.amname = 'heap' AS is_heap,
                pg_relation_size(c.oid) / current_setting('block_size')::bigint AS pages
            FROM (\(PartitionTree.leaves(of: "$1::regclass"))) AS leaf
            JOIN pg_class c ON c.oid = leaf.relid JOIN pg_namespace n ON n.oid = c.relnamespace
            LEFT JOIN pg_am a ON a.oid = c.relam
            ORDER BY c.oid
            """, [.text(table.quoted)]
        ).rows
        var found: [FoundHeapFile] = []
        for row in rows {
            guard try row.boolean("is_heap") else { return nil }
            found.append(
                FoundHeapFile(
                    file: HeapFile(
                        relation: try row.integer("relation"), filenode: try row.integer("filenode")),
                    name: try row.text("name"), pages: try row.integer("pages")))
        }
        return found
    }
}

extension [String] {
    /// Of a range of pages: the page at which it begins, or ends.
    var page: Int64? { first.flatMap { Int64($0) } }
}

/// The file that was being walked is not there any more, or is another one.
struct HeapFileMoved: Error {}
