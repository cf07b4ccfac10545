internal import PostgreSQL
internal import SchemaChange

/// A moment of the database that several sessions see: `pg_export_snapshot`
/// (<https://www.postgresql.org/docs/current/functions-admin.html#FUNCTIONS-SNAPSHOT-SYNCHRONIZATION>).
///
/// Nobody vacuums what is deleted while it is there. It locks nothing: whoever reads in it does so in transactions of their own,
/// each as short as it can be.
struct Snapshot: Sendable {
    private let id: String
    let takenAt = ContinuousClock.now

    /// Keeps it while `body` runs.
    static func during<Value: Sendable>(
        _ pool: PostgresPool, _ body: (Snapshot) async throws -> Value
    ) async throws -> Value {
        try await pool.withConnection { holder in
            try await holder.transaction(isolation: .repeatableRead, readOnly: true) { holder in
                // A limit of the server's would end it in the middle.
                let row = try await holder.query(
                    """
                    SELECT pg_export_snapshot() AS id, count(set_config(name, '0', true)) FROM pg_settings
                    WHERE name IN ('idle_in_transaction_session_timeout', 'transaction_timeout')
                    """
                ).row()
                return try await body(Snapshot(id: try row.text("id")))
            }
        }
    }

    private init(id: String) {
        self.id = id
    }

    /// A transaction that sees the database as it was, but for the catalog, which is as it is.
    func transaction<Value: Sendable>(
        on connection: PostgresConnection, _ body: (PostgresConnection) async throws -> Value
    ) async throws -> Value {
        try await connection.transaction(isolation: .repeatableRead, readOnly: true) { connection in
            try await connection.execute("SET TRANSACTION SNAPSHOT \(id.quotedLiteral)")
            return try await body(connection)
        }
    }
}
