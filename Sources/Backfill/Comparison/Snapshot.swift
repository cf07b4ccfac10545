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

    /// Whose session is silent for longer is ended by the server, so that a snapshot is not kept for somebody who is gone.
    private static let silence = Duration.seconds(30)

    /// Keeps it while `body` runs.
    static func during<Value: Sendable>(
        _ pool: PostgresPool, _ body: (Snapshot) async throws -> Value
    ) async throws -> Value {
        try await pool.withConnection { holder in
            try await holder.query("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
            do {
                let row = try await holder.query(
                    """
                    SELECT pg_export_snapshot() AS id, count(set_config(name, CASE name WHEN 'transaction_timeout' THEN '0'
                        ELSE $1 END, true)) FROM pg_settings
                    WHERE name IN ('idle_in_transaction_session_timeout', 'transaction_timeout')
                    """, [.text("\(silence / .milliseconds(1))ms")]
                ).row()
                let snapshot = Snapshot(id: try row.text("id"))
                let value = try await withThrowingTaskGroup(of: Void.self) { group in
                    group.addTask {
                        while true {
                            try await Task.sleep(for: silence / 6)
                            try await holder.query("SELECT 1")
                        }
                    }
                    defer { group.cancelAll() }
                    return try await body(snapshot)
                }
                await holder.rollBack()
                return value
            } catch {
                await holder.rollBack()
                throw error
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
