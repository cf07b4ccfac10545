internal import PostgreSQL

/// Transactions that have been open for long: every row that a backfill writes leaves a dead one, which no vacuum may take
/// away while they could still see it.
/// <https://www.postgresql.org/docs/15/monitoring-stats.html#MONITORING-PG-STAT-ACTIVITY-VIEW>
struct OldTransactions: ThrottleSignal {
    let reason = "OldTransactions"
    let setting = "maxTransactionAge"
    let limit: Duration

    /// Of another role's session one sees nothing but whose it is, unless one may.
    var statement: PostgresStatement {
        PostgresStatement(
            """
            SELECT 'pid ' || pid || coalesce(' (' || nullif(application_name, '') || ')', '') AS name,
                query = '<insufficient privilege>' AS is_hidden,
                extract(epoch FROM clock_timestamp() - xact_start)::float8 AS age
            FROM pg_stat_activity
            WHERE datname = current_database() AND (
                query = '<insufficient privilege>' AND usesysid IS NOT NULL OR coalesce(backend_xmin, backend_xid) IS NOT NULL
                    AND xact_start < clock_timestamp() - make_interval(secs => $1::float8))
            UNION ALL
            SELECT 'prepared transaction ' || quote_literal(gid), false, extract(epoch FROM clock_timestamp() - prepared)::float8
            FROM pg_prepared_xacts
            WHERE database = current_database() AND prepared < clock_timestamp() - make_interval(secs => $1::float8)
            ORDER BY 3 DESC NULLS LAST
            """, [.text(String(limit / .seconds(1)))])
    }

    func finding(in rows: [PostgresRow], at now: ContinuousClock.Instant) throws -> String? {
        guard try !rows.contains(where: { try $0.boolean("is_hidden") }) else {
            throw Unreadable(what: "how long other roles' transactions have been open")
        }
        return try rows.map { row in
            let age = Duration.seconds(try row.double("age"))
            return "\(try row.text("name")) has been open for \(age.rounded) (the limit is \(limit.rounded))"
        }.told
    }
}
