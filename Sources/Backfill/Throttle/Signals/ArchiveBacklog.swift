internal import PostgreSQL
internal import SchemaChange

/// WAL that is finished and not archived yet: it stays on disk until it is.
///
/// From the name of the last file that was archived, which everybody may read; history and backup files say nothing.
/// <https://www.postgresql.org/docs/15/monitoring-stats.html#MONITORING-PG-STAT-ARCHIVER-VIEW>
struct ArchiveBacklog: ThrottleSignal {
    let reason = "ArchiveBacklog"
    let setting = "maxArchiveBacklog"
    let limit: Int64

    let statement = PostgresStatement(
        """
        WITH segment AS (SELECT pg_size_bytes(current_setting('wal_segment_size')) AS size),
        names AS (
            SELECT last_archived_wal AS archived, pg_walfile_name(pg_current_wal_lsn()) AS present, failed_count FROM pg_stat_archiver
        )
        SELECT failed_count, CASE WHEN archived ~ '^[0-9A-F]{24}' THEN
            (('x' || substr(present, 9, 8))::bit(32)::bigint - ('x' || substr(archived, 9, 8))::bit(32)::bigint) * 4294967296
            + (('x' || substr(present, 17, 8))::bit(32)::bigint - ('x' || substr(archived, 17, 8))::bit(32)::bigint - 1) * size
            END AS backlog
        FROM names, segment WHERE current_setting('archive_mode') <> 'off'
        """)

    func finding(in rows: [PostgresRow], at now: ContinuousClock.Instant) throws -> String? {
        guard let row = rows.first else { return nil }
        guard row["backlog"] != nil else {
            // Since its statistics began: after a crash they begin anew.
            let failures = try row.integer("failed_count")
            return failures > 0 ? "nothing was archived yet, and \(failures) attempts failed" : nil
        }
        let backlog = try row.integer("backlog")
        guard backlog > limit else { return nil }
        return
            "\(SpecByteCount(backlog).rounded) of WAL wait to be archived (the limit is \(SpecByteCount(limit).rounded))"
    }
}
