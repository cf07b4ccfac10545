internal import PostgreSQL
internal import SchemaChange

/// WAL that a replication slot keeps on disk for somebody who does not fetch it.
/// <https://www.postgresql.org/docs/15/view-pg-replication-slots.html>
struct SlotWAL: ThrottleSignal {
    let reason = "SlotWAL"
    let setting = "maxSlotWAL"
    let limit: Int64

    let statement = PostgresStatement(
        """
        SELECT slot_name AS name, pg_wal_lsn_diff(pg_current_wal_lsn(), restart_lsn)::bigint AS kept
        FROM pg_replication_slots WHERE restart_lsn IS NOT NULL ORDER BY 2 DESC
        """)

    func finding(in rows: [PostgresRow], at now: ContinuousClock.Instant) throws -> String? {
        try rows.compactMap { row -> String? in
            let kept = try row.integer("kept")
            guard kept > limit else { return nil }
            return
                "slot \(try row.text("name")) keeps \(SpecByteCount(kept).rounded) of WAL "
                + "(the limit is \(SpecByteCount(limit).rounded))"
        }.told
    }
}
