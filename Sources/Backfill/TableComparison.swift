public import PostgreSQL
internal import SchemaChange

/// Compares rows with what their side says, in one read-only statement that leaves no checkpoint: for people who want to see
/// a proof again. The proof itself is made by ``TableWalk``.
public enum TableComparison {
    /// - Parameter statement: one that compares.
    public static func run(
        _ statement: ChunkStatement, of span: KeySpan, on connection: PostgresConnection
    ) async throws -> ChunkTally {
        let (condition, values) = Keyset(statement.mapping).between(span.after, span.upTo, parametersFrom: 1)
        return try await connection.transaction(readOnly: true) { connection in
            try ChunkTally(
                try await connection.query(statement.reading(where: condition), values.map { .text($0) }).row())
        }
    }
}
