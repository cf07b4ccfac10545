internal import Backfill
internal import DurablePromises
internal import Foundation
internal import PostgreSQL
internal import SchemaChange

/// The tables in the target in which a migration's state lives: schema `sluice`. Data, ledger and promises are restored
/// together, and fail over together.
struct Ledger: Sendable {
    let name: MigrationName

    var id: String { name.description }

    func read(_ connection: PostgresConnection) async throws -> LedgerRecord? {
        try await connection.query("SELECT \(LedgerRecord.columns) FROM sluice.migration m WHERE id = $1", [.text(id)])
            .rows.first.map(LedgerRecord.init)
    }

    /// Enters a migration, or pins a new plan for one of which nothing is in force.
    func pin(
        _ plan: Plan,
        uid: String?,
        target: Phase,
        server: ServerIdentity,
        on connection: PostgresConnection
    ) async throws {
        // One at a time, so that of two that touch one table the later sees the earlier.
        try await connection.transaction { connection in
            _ = try await connection.query("LOCK TABLE sluice.migration IN SHARE ROW EXCLUSIVE MODE")
            _ = try await connection.query(
                """
                INSERT INTO sluice.migration AS m (id, uid, plan_hash, plan, tables, target, server)
                VALUES ($1, $2, $3, $4, $5::text[], $6, $7)
                ON CONFLICT (id) DO UPDATE SET uid = $2, plan_hash = $3, plan = $4, tables = $5::text[], target = $6,
                    server = $7, walk = m.walk + 1, ordinal = DEFAULT, triggers = NULL, certificate = NULL,
                    proven_at = NULL, kept_until = NULL, purged = false, filled = '{}',
                    obstacle = NULL, in_doubt = false
                WHERE m.phase = 'Initial' AND NOT EXISTS (SELECT FROM sluice.step s WHERE s.migration = m.id)
                """,
                [
                    .text(id), .optional(uid), .text(plan.hash), .text(try LedgerJSON.encode(plan)),
                    .textArray(plan.tables.map(\.description)), .text(target.rawValue),
                    .text(try LedgerJSON.encode(server)),
                ]
            )
        }
    }

    /// Enters a migration that the database has already: contracted, and nothing is kept of what was before.
    func enter(
        _ plan: Plan, provenBy certificate: Certificate, server: ServerIdentity, on connection: PostgresConnection
    ) async throws {
        _ = try await connection.query(
            """
            INSERT INTO sluice.migration AS m
                (id, plan_hash, plan, tables, target, phase, certificate, proven_at, purged, server)
            VALUES ($1, $2, $3, $4::text[], 'Contract', 'Contract', $5, clock_timestamp(), true, $6)
            ON CONFLICT (id) DO UPDATE SET plan_hash = $2, plan = $3, tables = $4::text[], target = 'Contract',
                phase = 'Contract', certificate = $5, proven_at = clock_timestamp(), purged = true, server = $6,
                walk = m.walk + 1, ordinal = DEFAULT, triggers = NULL, kept_until = NULL, in_doubt = false
            """,
            [
                .text(id), .text(plan.hash), .text(try LedgerJSON.encode(plan)),
                .textArray(plan.tables.map(\.description)), .text(try LedgerJSON.encode(certificate)),
                .text(try LedgerJSON.encode(server)),
            ]
        )
    }

    /// Pins the same changes as they are rendered now. Keeps the place in the queue.
    func replace(_ plan: Plan, after record: LedgerRecord, on connection: PostgresConnection) async throws {
        _ = try await connection.query(
            """
            UPDATE sluice.migration m SET plan = $3, tables = $4::text[], walk = walk + 1
            WHERE id = $1 AND walk = $2::bigint AND NOT EXISTS (SELECT FROM sluice.step s WHERE s.migration = m.id)
            """,
            [
                .text(id), .integer(record.walk), .text(try LedgerJSON.encode(plan)),
                .textArray(plan.tables.map(\.description)),
            ]
        )
    }

    /// Whether another worker is at the present walk, and its lease lasts.
    func isHeld(
        _ record: LedgerRecord,
        byOtherThan worker: String,
        on connection: PostgresConnection
    ) async throws -> Bool {
        try await !connection.query(
            """
            SELECT 1 FROM sluice.task WHERE id = $1 AND state = 'acquired' AND pid <> $2
                AND lease_expires_at > extract(epoch FROM clock_timestamp()) * 1000
            """,
            [.text(record.promise), .text(worker)]
        ).rows.isEmpty
    }

    /// Whether a walk has not said that it is over, as after the death of a worker that had come to its end.
    func isPending(_ promise: String, on connection: PostgresConnection) async throws -> Bool {
        try await !connection.query(
            "SELECT 1 FROM sluice.promise WHERE id = $1 AND state = 'pending'", [.text(promise)]
        ).rows.isEmpty
    }

    /// Whether the archive is gone, and who dropped it died before it could say so.
    func isPurgeUnsaid(_ record: LedgerRecord, on connection: PostgresConnection) async throws -> Bool {
        guard record.isPurged else { return false }
        return try await isPending(record.purgePromise, on: connection)
    }

    /// Begins another walk, unless somebody else did since `record` was read. False then.
    func beginWalk(to target: Phase, after record: LedgerRecord, on connection: PostgresConnection) async throws -> Bool
    {
        try await connection.query(
            "UPDATE sluice.migration SET walk = walk + 1, target = $3, obstacle = NULL WHERE id = $1 AND walk = $2::bigint",
            [.text(id), .integer(record.walk), .text(target.rawValue)]
        ).affectedRows == 1
    }

    func adopt(uid: String, on connection: PostgresConnection) async throws {
        _ = try await connection.query("UPDATE sluice.migration SET uid = $2 WHERE id = $1", [.text(id), .text(uid)])
    }

    /// The proof was made on another server, or in another history of this one: what is in force must be proven again.
    /// Contract is behind its proof, and stays.
    func moveTo(_ server: ServerIdentity, on connection: PostgresConnection) async throws {
        try await connection.transaction { connection in
            _ = try await connection.query(
                """
                UPDATE sluice.migration SET server = $2, walk = walk + 1,
                    certificate = CASE WHEN phase = 'Contract' THEN certificate END,
                    phase = CASE WHEN phase = 'Backfill' THEN 'DualWrite' ELSE phase END
                WHERE id = $1
                """,
                [.text(id), .text(try LedgerJSON.encode(server))]
            )
            _ = try await connection.query(
                """
                DELETE FROM sluice.step WHERE migration = $1 AND (step = 'backfill/verify' OR step LIKE 'backfill/%/fill')
                    AND NOT EXISTS (SELECT FROM sluice.migration WHERE id = $1 AND phase = 'Contract')
                """,
                [.text(id)]
            )
        }
    }

    /// Removes the entry of a migration of which nothing is in force.
    ///
    /// - Parameter cleanUp: done before, while nobody else can do anything with the entry. After a crash it is there again.
    /// - Throws: `Interruption.heldByAnother` when something is in force.
    func remove(
        on connection: PostgresConnection,
        cleanUp: (PostgresConnection) async throws -> Void
    ) async throws {
        try await whileUndone(on: connection) { connection in
            let found = try await connection.query("SELECT FROM sluice.migration WHERE id = $1", [.text(id)])
            if found.affectedRows > 0 { try await cleanUp(connection) }
            _ = try await connection.query("DELETE FROM sluice.checkpoint WHERE migration = $1", [.text(id)])
            _ = try await connection.query("DELETE FROM sluice.partition WHERE migration = $1", [.text(id)])
            _ = try await connection.query("DELETE FROM sluice.migration WHERE id = $1", [.text(id)])
        }
    }

    /// Runs `body` in a transaction in which nothing of the migration is in force: somebody else may have walked it on
    /// meanwhile.
    ///
    /// - Throws: `Interruption.heldByAnother` when something is.
    func whileUndone<Value: Sendable>(
        on connection: PostgresConnection,
        _ body: (PostgresConnection) async throws -> Value
    ) async throws -> Value {
        try await connection.transaction { connection in
            let found = try await connection.query(
                "SELECT phase FROM sluice.migration WHERE id = $1 FOR UPDATE", [.text(id)])
            let steps = try await connection.query(
                "SELECT 1 FROM sluice.step WHERE migration = $1 LIMIT 1", [.text(id)])
            guard found.rows.allSatisfy({ $0["phase"] == Phase.initial.rawValue }), steps.rows.isEmpty else {
                throw Interruption.heldByAnother
            }
            return try await body(connection)
        }
    }
}
