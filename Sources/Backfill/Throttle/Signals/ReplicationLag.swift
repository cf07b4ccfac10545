internal import PostgreSQL
internal import SchemaChange

/// How far whoever receives the WAL is behind with what it does with it: a standby with replaying, a subscriber with applying.
///
/// The time is ours: that since the server was where they are now. `replay_lag` stays as it was where replaying has stopped.
/// <https://www.postgresql.org/docs/15/monitoring-stats.html#MONITORING-PG-STAT-REPLICATION-VIEW>
struct ReplicationLag: ThrottleSignal {
    let reason = "ReplicationLag"
    let setting = "maxReplicationLag"
    let limit: Duration?
    let byteLimit: Int64?
    private var history = PositionHistory()

    init(limit: Duration?, byteLimit: Int64?) {
        self.limit = limit
        self.byteLimit = byteLimit
    }

    /// A copy that is being made has not begun to follow; a receiver that only keeps the log replays nothing, and tells what it
    /// has written.
    let statement = PostgresStatement(
        """
        SELECT pg_wal_lsn_diff(pg_current_wal_lsn(), '0/0')::bigint AS here, r.pid IS NOT NULL AS is_there, r.state IS NULL AS is_hidden,
            coalesce(nullif(r.application_name, ''), 'a receiver of the WAL') AS name,
            pg_wal_lsn_diff(coalesce(r.replay_lsn, r.write_lsn), '0/0')::bigint AS there,
            extract(epoch FROM r.replay_lag)::float8 AS lag
        FROM (VALUES (1)) AS always LEFT JOIN pg_stat_replication r ON r.state IS NULL OR r.state IN ('streaming', 'catchup')
        ORDER BY name
        """)

    mutating func finding(in rows: [PostgresRow], at now: ContinuousClock.Instant) throws -> String? {
        guard let first = rows.first else { return nil }
        let here = try first.integer("here")
        history.note(here, at: now, keeping: limit ?? .zero)
        return try rows.compactMap { row -> String? in
            guard try row.boolean("is_there") else { return nil }
            guard try !row.boolean("is_hidden") else { throw Unreadable(what: "how far standbys are") }
            let name = try row.text("name")
            // It has told nothing yet.
            guard row["there"] != nil else { return nil }
            let there = try row.integer("there")
            if let byteLimit, here - there > byteLimit {
                let (behind, limit) = (SpecByteCount(here - there), SpecByteCount(byteLimit))
                return "\(name) is \(behind.rounded) behind (the limit is \(limit.rounded))"
            }
            guard let limit, here > there else { return nil }
            let told: Duration = row["lag"] == nil ? .zero : .seconds(try row.double("lag"))
            let lag = max(told, history.since(there, at: now))
            return lag > limit ? "\(name) is \(lag.rounded) behind (the limit is \(limit.rounded))" : nil
        }.told
    }
}

/// When the server was where in its log.
struct PositionHistory: Sendable {
    private var marks: [(at: ContinuousClock.Instant, position: Int64)] = []

    /// Not more marks than that.
    private static let most = 256

    init() {}

    mutating func note(_ position: Int64, at now: ContinuousClock.Instant, keeping: Duration) {
        // So many that a limit is told to a hundredth; and one that is older than it.
        if let last = marks.last, last.at.duration(to: now) < keeping / Self.most { return }
        marks.append((now, position))
        while marks.count > 2, marks[1].at.duration(to: now) > keeping { marks.removeFirst() }
        if marks.count > Self.most * 2 { marks.removeFirst() }
    }

    /// How long ago the server went past `position`, as far as that is known.
    func since(_ position: Int64, at now: ContinuousClock.Instant) -> Duration {
        guard let passed = marks.first(where: { $0.position > position }) else { return .zero }
        return passed.at.duration(to: now)
    }
}
