internal import PostgreSQL

/// The physical standbys that are connected, as far as this role may see them: without `pg_read_all_stats` it sees none.
/// <https://www.postgresql.org/docs/current/monitoring-stats.html#MONITORING-PG-STAT-REPLICATION-VIEW>
enum Standbys {
    /// Those that have not replayed up to `position`, as `name (at 0/3000060)`.
    ///
    /// A subscriber of a publication has its own rows, and no position of ours; a copy that is being made, or a
    /// receiver that only keeps the log (`pg_receivewal`) and so tells of nothing that it replayed, is read by nobody.
    static func behind(_ position: String, on connection: PostgresConnection) async throws -> [String] {
        try await connection.query(
            """
            SELECT r.application_name || ' (at ' || coalesce(r.replay_lsn::text, 'nothing') || ')'
            FROM pg_stat_replication r LEFT JOIN pg_replication_slots s ON s.active_pid = r.pid
            WHERE r.state IN ('streaming', 'catchup') AND coalesce(s.slot_type, 'physical') = 'physical'
                AND (r.replay_lsn < $1::pg_lsn OR (r.replay_lsn IS NULL AND r.write_lsn IS NULL))
            ORDER BY 1 LIMIT 5
            """,
            [.text(position)]
        ).rows.compactMap { $0[0] }
    }
}
