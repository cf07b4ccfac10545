internal import PostgreSQL

/// Sessions that wait for a lock which a worker of this migration holds.
/// <https://www.postgresql.org/docs/15/view-pg-locks.html>
struct BlockedSessions: ThrottleSignal {
    let reason = "BlockedSessions"
    let setting = "maxBlocked"
    let limit: Duration
    /// What the names of this migration's sessions are like.
    let workers: String

    var isOfWrites: Bool { false }

    /// Who is blocked is asked only of those that wait: it takes all locks of the lock table.
    var statement: PostgresStatement {
        PostgresStatement(
            """
            SELECT l.pid, coalesce(nullif(a.application_name, ''), 'a session') AS name,
                extract(epoch FROM clock_timestamp() - l.waitstart)::float8 AS waited
            FROM pg_locks l JOIN pg_stat_activity a ON a.pid = l.pid
            WHERE NOT l.granted AND l.waitstart < clock_timestamp() - make_interval(secs => $2::float8)
                AND a.application_name NOT LIKE $1
                AND EXISTS (
                    SELECT FROM unnest(pg_blocking_pids(l.pid)) AS blocker JOIN pg_stat_activity ours ON ours.pid = blocker
                    WHERE ours.application_name LIKE $1)
            ORDER BY l.waitstart
            """, [.text(workers), .text(String(limit / .seconds(1)))])
    }

    func finding(in rows: [PostgresRow], at now: ContinuousClock.Instant) throws -> String? {
        try rows.map { row in
            let waited = Duration.seconds(try row.double("waited"))
            return
                "\(try row.text("name")) (pid \(try row.text("pid"))) has waited \(waited.rounded) for a row or table of "
                + "the backfill's (the limit is \(limit.rounded))"
        }.told
    }
}
