internal import PostgreSQL
internal import SchemaChange

/// What is there of an index that is to be built.
enum IndexState: Sendable {
    case absent
    /// Somebody was stopped who built it, or is still at it.
    case invalid
    case valid

    static func read(_ index: ConcurrentIndex, on connection: PostgresConnection) async throws -> IndexState {
        let rows = try await connection.query(
            """
            SELECT i.indisvalid AS valid FROM pg_index i
            JOIN pg_class x ON x.oid = i.indexrelid JOIN pg_namespace n ON n.oid = x.relnamespace
            WHERE n.nspname = $1 AND x.relname = $2 AND i.indrelid = to_regclass($3)
            """,
            [.text(index.table.schema), .text(index.builtAs), .text(index.table.quoted)]
        ).rows
        guard let row = rows.first else { return .absent }
        return try row.boolean("valid") ? .valid : .invalid
    }
}

/// How far a session has come that builds or drops an index, as another one sees it.
struct IndexProgress: Sendable {
    /// As PostgreSQL names it, with a share of the work; empty when it says nothing.
    var phase: String
    /// Whom it waits for, for people.
    var blockers: String?

    /// <https://www.postgresql.org/docs/15/progress-reporting.html#CREATE-INDEX-PROGRESS-REPORTING>
    static func read(of process: Int32, on connection: PostgresConnection) async throws -> IndexProgress {
        let row = try await connection.query(
            """
            SELECT phase, CASE
                WHEN lockers_total > lockers_done THEN lockers_done || ' of ' || lockers_total || ' transactions'
                WHEN blocks_total > 0 THEN (100 * blocks_done / blocks_total) || ' %'
                WHEN tuples_total > 0 THEN (100 * tuples_done / tuples_total) || ' %'
                END AS share
            FROM pg_stat_progress_create_index WHERE pid = $1::bigint
            """,
            [.integer(Int64(process))]
        ).rows.first
        let phase = try row.map { row in
            let phase = try row.text("phase")
            return row["share"].map { "\(phase), \($0)" } ?? phase
        }
        let blockers = try await LockBlockers.describe(blocking: process, on: connection)
        return IndexProgress(phase: phase ?? (blockers == nil ? "" : "it cannot begin yet"), blockers: blockers)
    }
}
