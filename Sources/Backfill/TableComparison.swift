public import PostgreSQL
public import SchemaChange

/// Compares every row of a mapping with what its side says, in one read-only statement that leaves no checkpoint: for
/// people who want to see a proof again. The proof itself is made by ``TableWalk``.
public enum TableComparison {
    public static func run(_ mapping: Mapping, on connection: PostgresConnection) async throws -> ChunkTally {
        try await connection.transaction(readOnly: true) { connection in
            try ChunkTally(try await connection.query(ChunkStatement.compare(mapping).reading).row())
        }
    }

    public static func run(_ move: ColumnMove, on connection: PostgresConnection) async throws -> ChunkTally {
        try await connection.transaction(readOnly: true) { connection in
            let statement = ChunkStatement.move(move, .compare)
            return try ChunkTally(try await connection.query(statement.reading).row())
        }
    }
}
