internal import PostgreSQL
internal import SchemaChange

/// Dead rows of the table that wait for a vacuum. A backfill leaves one for each row; more than that is not its own doing.
/// <https://www.postgresql.org/docs/15/monitoring-stats.html#MONITORING-PG-STAT-ALL-TABLES-VIEW>
struct DeadRows: ThrottleSignal {
    let reason = "DeadRows"
    let setting = "maxDeadRows"
    /// In percent of the live ones.
    let limit: Int64
    let table: TableName

    /// Where there are fewer, it does not matter how many live ones there are.
    private static let few = 10_000

    /// Statistics begin anew after a crash, and with a copy of a database: what the planner knows of live rows is older, and kept.
    var statement: PostgresStatement {
        PostgresStatement(
            """
            SELECT coalesce(sum(n_dead_tup), 0)::bigint AS dead, coalesce(sum(greatest(n_live_tup, c.reltuples)), 0)::bigint AS live
            FROM (\(PartitionTree.leaves(of: "$1::regclass"))) AS leaf JOIN pg_stat_user_tables s ON s.relid = leaf.relid
            JOIN pg_class c ON c.oid = leaf.relid
            """, [.text(table.quoted)])
    }

    func finding(in rows: [PostgresRow], at now: ContinuousClock.Instant) throws -> String? {
        guard let row = rows.first else { return nil }
        let (dead, live) = (try row.integer("dead"), try row.integer("live"))
        guard dead > Self.few, dead > live / 100 * limit else { return nil }
        return "\(table) has \(dead) dead rows beside \(live) live ones (the limit is \(limit) %); it needs a vacuum"
    }
}
