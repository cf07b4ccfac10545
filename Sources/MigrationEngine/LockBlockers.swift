internal import PostgreSQL
internal import SchemaChange

/// Who holds a table so that a statement of ours could not have its lock.
///
/// For people: `pid 4711 (psql, user app, idle in transaction for 35 s)`, the longest first; nil when nobody is left.
enum LockBlockers {
    /// Who holds one of the tables. The workers of `migration` itself are left out.
    static func describe(
        _ tables: [TableName],
        except migration: String,
        on connection: PostgresConnection
    ) async throws -> String? {
        try await describe(
            """
            FROM pg_locks l JOIN pg_stat_activity a ON a.pid = l.pid
            WHERE l.relation IN (SELECT to_regclass(name) FROM unnest($1::text[]) AS name) AND l.granted
                AND a.application_name NOT LIKE $2
                AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())
            """,
            [.textArray(tables.map(\.quoted)), .text(WorkerName.pattern(of: migration))],
            on: connection)
    }

    /// Whom a session waits for.
    static func describe(blocking process: Int32, on connection: PostgresConnection) async throws -> String? {
        try await describe(
            "FROM pg_stat_activity a WHERE a.pid = ANY (pg_blocking_pids($1::int))",
            [.integer(Int64(process))],
            on: connection)
    }

    private static func describe(
        _ sessions: String,
        _ parameters: [PostgresValue],
        on connection: PostgresConnection
    ) async throws -> String? {
        let rows = try await connection.query(
            """
            SELECT DISTINCT a.pid, a.usename, coalesce(nullif(a.application_name, ''), 'no name') AS application,
                coalesce(a.state, 'active') AS state,
                floor(extract(epoch FROM clock_timestamp() - coalesce(a.xact_start, a.query_start)))::bigint AS seconds
            \(sessions)
            ORDER BY seconds DESC NULLS LAST LIMIT 3
            """,
            parameters
        ).rows
        guard !rows.isEmpty else { return nil }
        return try rows.map { row in
            """
            pid \(try row.text("pid")) (\(try row.text("application")), user \(row["usename"] ?? "?"), \
            \(try row.text("state")) for \(row["seconds"] ?? "?") s)
            """
        }.joined(separator: ", ")
    }
}
