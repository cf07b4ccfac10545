internal import PostgreSQL

/// Standbys (with `hot_standby_feedback`) and slots that keep dead rows from being vacuumed.
struct OldSnapshots: ThrottleSignal {
    let reason = "OldSnapshots"
    let setting = "maxSnapshotAge"
    /// In transactions.
    let limit: Int64

    let statement = PostgresStatement(
        """
        SELECT 'slot ' || slot_name AS name, age(xmin) AS age FROM pg_replication_slots WHERE xmin IS NOT NULL
        UNION ALL
        SELECT 'standby ' || coalesce(application_name, pid::text), age(backend_xmin) FROM pg_stat_replication
        WHERE backend_xmin IS NOT NULL
        ORDER BY 2 DESC
        """)

    func finding(in rows: [PostgresRow], at now: ContinuousClock.Instant) throws -> String? {
        try rows.compactMap { row -> String? in
            let age = try row.integer("age")
            guard age > limit else { return nil }
            return
                "\(try row.text("name")) keeps rows of \(age) transactions ago from being vacuumed (the limit is \(limit))"
        }.told
    }
}
