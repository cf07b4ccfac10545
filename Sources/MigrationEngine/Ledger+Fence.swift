internal import Backfill
internal import PostgreSQL
internal import SchemaChange

/// What only the worker does that has the fence, and how it gets it.
extension Ledger {
    /// Raises the fence: from now on no statement of an older worker does anything. Those that it has under way are ended,
    /// since a stalled one may hold the fence's row.
    ///
    /// - Throws: `Interruption.heldByAnother` when the ledger is on another walk than `walk` by now.
    func mintFence(walk: Int64, on connection: PostgresConnection) async throws -> Fence {
        var attempt = 0
        while true {
            attempt += 1
            if let fence = try await raiseFence(walk: walk, on: connection, isLastTry: attempt == 20) { return fence }
        }
    }

    /// Nil when a worker that is being ended still holds the fence's row.
    private func raiseFence(
        walk: Int64,
        on connection: PostgresConnection,
        isLastTry: Bool
    ) async throws -> Fence? {
        let present = try await connection.query(
            "SELECT 1 FROM sluice.migration WHERE id = $1 AND walk = $2::bigint",
            [.text(id), .integer(walk)]
        )
        guard !present.rows.isEmpty else { throw Interruption.heldByAnother }
        try await endWorkers(on: connection)
        do {
            let rows = try await connection.query(
                """
                UPDATE sluice.migration SET fence = fence + 1, obstacle = NULL
                WHERE id = $1 AND walk = $2::bigint RETURNING fence
                """,
                [.text(id), .integer(walk)]
            ).rows
            guard let row = rows.first else { throw Interruption.heldByAnother }
            // Those that connected in between, and saw the fence as it was: what is no transaction, such as the concurrent
            // build of an index, would go on behind it.
            try await endWorkers(on: connection)
            return Fence(migration: id, epoch: try row.integer("fence"))
        } catch {
            if (error as? PostgresError)?.sqlState == "55P03", !isLastTry { return nil }
            throw error
        }
    }

    private func endWorkers(on connection: PostgresConnection) async throws {
        _ = try await connection.query(
            """
            SELECT pg_terminate_backend(pid) FROM pg_stat_activity
            WHERE application_name LIKE $1 AND datname = current_database() AND pid <> pg_backend_pid()
            """,
            [.text(WorkerName.pattern(of: id))]
        )
    }

    /// Runs `body` in a transaction in which the fence stands until its end.
    func fenced<Value: Sendable>(
        _ fence: Fence,
        on connection: PostgresConnection,
        _ body: (PostgresConnection) async throws -> Value
    ) async throws -> Value {
        try await connection.transaction { connection in
            let row = try await connection.query(Fence.query, [.text(fence.migration), .integer(fence.epoch)]).rows
                .first
            guard row != nil else { throw FenceLost(fence) }
            return try await body(connection)
        }
    }

    func note(applied step: Step, walk: Int64, on connection: PostgresConnection) async throws {
        _ = try await connection.query(
            "INSERT INTO sluice.step (migration, step, walk) VALUES ($1, $2, $3::bigint) ON CONFLICT DO NOTHING",
            [.text(id), .text(step.id), .integer(walk)]
        )
    }

    func note(reverted step: Step, on connection: PostgresConnection) async throws {
        _ = try await connection.query(
            "DELETE FROM sluice.step WHERE migration = $1 AND step = $2",
            [.text(id), .text(step.id)]
        )
    }

    /// All rows of a mapping have been filled since its triggers are there.
    func note(filled mapping: Mapping, on connection: PostgresConnection) async throws {
        _ = try await connection.query(
            """
            UPDATE sluice.migration SET filled = array_append(filled, $2)
            WHERE id = $1 AND NOT $2 = ANY (filled)
            """, [.text(id), .text(mapping.token)])
    }

    /// The triggers go, and with them what is known of the rows.
    func forgetFilled(on connection: PostgresConnection) async throws {
        _ = try await connection.query("UPDATE sluice.migration SET filled = '{}' WHERE id = $1", [.text(id)])
    }

    /// - Parameter step: its id.
    func isApplied(_ step: String, on connection: PostgresConnection) async throws -> Bool {
        try await !connection.query(
            "SELECT 1 FROM sluice.step WHERE migration = $1 AND step = $2",
            [.text(id), .text(step)]
        ).rows.isEmpty
    }

    /// What the triggers of the dual write are like, as they were created.
    func set(triggers: String, on connection: PostgresConnection) async throws {
        _ = try await connection.query(
            "UPDATE sluice.migration SET triggers = $2 WHERE id = $1",
            [.text(id), .text(triggers)]
        )
    }

    func set(phase: Phase, keepFor: Duration?, on connection: PostgresConnection) async throws {
        _ = try await connection.query(
            """
            UPDATE sluice.migration SET phase = $2,
                kept_until = CASE WHEN $3::float8 IS NOT NULL THEN clock_timestamp() + $3::float8 * interval '1 s' END
            WHERE id = $1
            """,
            [.text(id), .text(phase.rawValue), keepFor.map { .text(String($0 / .seconds(1))) } ?? .null]
        )
    }

    func setPurged(on connection: PostgresConnection) async throws {
        _ = try await connection.query(
            "UPDATE sluice.migration SET purged = true, kept_until = NULL WHERE id = $1",
            [.text(id)]
        )
    }

    func set(certificate: Certificate?, on connection: PostgresConnection) async throws {
        _ = try await connection.query(
            """
            UPDATE sluice.migration SET certificate = $2::text, in_doubt = in_doubt AND $2::text IS NULL,
                proven_at = coalesce(proven_at, CASE WHEN $2::text IS NOT NULL THEN clock_timestamp() END)
            WHERE id = $1
            """,
            [.text(id), .optional(try certificate.map { try LedgerJSON.encode($0) })]
        )
    }

    /// The ranges of a step begin anew. What workers were asked stays counted: they are asked again.
    func restartCheckpoints(step: String, walk: Int64, on connection: PostgresConnection) async throws {
        _ = try await connection.query(
            """
            UPDATE sluice.checkpoint SET "position" = NULL, rows = 0, old_side = 0, new_side = 0, mismatches = 0,
                examples = '{}', digest = 0, done = false, calls = calls + 1
            WHERE migration = $1 AND step = $2 AND walk = $3::bigint
            """,
            [.text(id), .text(step), .integer(walk)]
        )
    }

    /// Whether a step of the walk has been begun.
    func hasCheckpoints(step: String, walk: Int64, on connection: PostgresConnection) async throws -> Bool {
        try await !connection.query(
            "SELECT 1 FROM sluice.checkpoint WHERE migration = $1 AND walk = $2::bigint AND step LIKE $3 || '%' LIMIT 1",
            [.text(id), .integer(walk), .text(step)]
        ).rows.isEmpty
    }

    func forgetCheckpoints(step: String, walk: Int64, on connection: PostgresConnection) async throws {
        _ = try await connection.query(
            "DELETE FROM sluice.checkpoint WHERE migration = $1 AND walk = $2::bigint AND step = $3",
            [.text(id), .integer(walk), .text(step)])
    }
}
