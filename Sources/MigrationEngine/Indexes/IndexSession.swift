internal import Backfill
internal import PostgreSQL

/// A session for statements that take hours and are no transaction: its waits have no limit.
struct IndexSession: Sendable {
    /// Of whose kind the session is; it is none of them.
    let pool: PostgresPool
    let fence: Fence

    /// Runs `body` in such a session, and `beside` while that lasts, which is told the session's process.
    ///
    /// The session's name is that of its worker, by which whoever takes over ends it; and it does nothing once that has
    /// happened: the fence is looked at when the session is there to be found.
    ///
    /// - Throws: `FenceLost` when another worker has taken over.
    func run(
        _ body: (PostgresConnection) async throws -> Void,
        beside: @escaping @Sendable (Int32) async throws -> Void
    ) async throws {
        let session = try await PostgresConnection.connect(configuration)
        do {
            let stands = try await session.query(Fence.query, [.text(fence.migration), .integer(fence.epoch)])
            guard !stands.rows.isEmpty else { throw FenceLost(fence) }
            // Where the server can, it finds out that its client is gone. Not every system it runs on has that.
            _ = try? await session.query("SET client_connection_check_interval = '5s'")
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { try await beside(session.processID) }
                defer { group.cancelAll() }
                try await body(session)
            }
            await session.close()
        } catch {
            await session.close()
            throw error
        }
    }

    private var configuration: PostgresConfiguration {
        var configuration = pool.configuration
        let unlimited = ["lock_timeout", "statement_timeout", "idle_in_transaction_session_timeout"]
        configuration.settings.removeAll { unlimited.contains($0.0) }
        configuration.settings += unlimited.map { ($0, "0") }
        return configuration
    }
}
