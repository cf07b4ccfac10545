internal import PostgreSQL
internal import SchemaChange

/// A vacuum of the table that must come to its end: one against wraparound, or any.
///
/// Told by its lock, which everybody may see, and by the age from which on a vacuum is one against wraparound.
/// <https://www.postgresql.org/docs/15/routine-vacuuming.html#VACUUM-FOR-WRAPAROUND>
struct RunningVacuum: ThrottleSignal {
    let reason = "Vacuum"
    let setting = "autovacuum"
    let policy: AutovacuumPolicy
    let table: TableName

    var statement: PostgresStatement {
        PostgresStatement(
            """
            WITH relation AS (
                SELECT c.oid, c.relname, c.relfrozenxid, c.relminmxid, c.reloptions
                FROM (\(PartitionTree.leaves(of: "$1::regclass"))) AS leaf
                JOIN pg_class owner ON owner.oid = leaf.relid JOIN pg_class c ON c.oid IN (owner.oid, owner.reltoastrelid)
            )
            SELECT r.relname AS name, l.pid FROM relation r
            JOIN pg_locks l ON l.relation = r.oid AND l.mode = 'ShareUpdateExclusiveLock' AND l.granted
                AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())
            LEFT JOIN pg_stat_progress_vacuum v ON v.pid = l.pid
            LEFT JOIN pg_options_to_table(r.reloptions) AS own ON own.option_name = 'autovacuum_freeze_max_age'
            WHERE v.pid IS NOT NULL AND ($2::boolean OR age(r.relfrozenxid) > least(
                current_setting('autovacuum_freeze_max_age')::bigint, own.option_value::bigint)
                OR mxid_age(r.relminmxid) > current_setting('autovacuum_multixact_freeze_max_age')::bigint)
            ORDER BY 1
            """, [.text(table.quoted), .boolean(policy == .any)])
    }

    func finding(in rows: [PostgresRow], at now: ContinuousClock.Instant) throws -> String? {
        let kind = policy == .any ? "is being vacuumed" : "is being vacuumed against wraparound"
        return try rows.map { "\(try $0.text("name")) \(kind) (pid \(try $0.text("pid")))" }.told
    }
}
