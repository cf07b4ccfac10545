internal import PostgreSQL
internal import SchemaChange

/// What tells whether the triggers that keep a proof true are still those with which it was made.
///
/// Besides their state and source, the `xmin` of their catalog rows: to disable a trigger, write, and enable it again
/// leaves everything else as it was. The functions in a trigger's `WHEN` count as its own does.
enum TriggerFingerprint {
    /// Of a plan that has no triggers, or none yet.
    static let none = "none"

    /// What the names of a plan's triggers match.
    static func own(_ plan: Plan) -> String { "_(\(plan.tokens.joined(separator: "|")))(_|$)" }

    /// - Parameter excluded: a table whose triggers are not looked at.
    static func read(
        _ plan: Plan, without excluded: TableName? = nil, on connection: PostgresConnection
    ) async throws -> String {
        // Those of other migrations of the table come and go. A trigger of a user's that would run before ours or after
        // them was not there when the plan was made; it breaks what ours keep. Partitions come and go too, each with a clone
        // of every trigger: only one that is not as its original is told.
        try await connection.query(
            """
            WITH guarded AS (SELECT to_regclass(name) AS root FROM unnest($1::text[]) AS name),
            original AS (
                SELECT t.*, t.xmin AS version, p.pronamespace = to_regnamespace('sluice') IS TRUE AS is_ours, p.xmin AS source, p.prosrc
                FROM guarded JOIN pg_trigger t ON t.tgrelid = root JOIN pg_proc p ON p.oid = t.tgfoid
            ),
            partition AS (
                SELECT root, relid FROM guarded CROSS JOIN LATERAL pg_partition_tree(root) WHERE relid <> root
            ),
            found AS (
                SELECT concat_ws(' ', t.tgrelid, t.oid, t.tgname, t.tgenabled, t.version, t.tgfoid, t.source, md5(t.prosrc), (
                    SELECT string_agg(concat_ws(' ', w.oid, w.xmin), ' ' ORDER BY w.oid) FROM pg_depend d
                    JOIN pg_proc w ON w.oid = d.refobjid AND w.oid <> t.tgfoid
                    WHERE (d.classid, d.objid) = ('pg_trigger'::regclass, t.oid) AND d.refclassid = 'pg_proc'::regclass
                )) AS line, t.tgrelid, t.tgname
                FROM original t
                WHERE CASE WHEN is_ours THEN t.tgname ~ $2
                    ELSE NOT t.tgisinternal AND t.tgtype & 3 = 3
                        AND (t.tgname COLLATE "C" < $3 OR t.tgname COLLATE "C" >= $4) END
                UNION ALL
                SELECT concat_ws(' ', relid, 'has no', t.tgname, 'as its table'), relid, t.tgname
                FROM partition JOIN original t ON t.tgrelid = root
                WHERE is_ours AND t.tgname ~ $2 AND NOT EXISTS (
                    SELECT FROM pg_trigger c WHERE c.tgrelid = relid AND c.tgparentid <> 0
                        AND (c.tgname, c.tgfoid, c.tgenabled) = (t.tgname, t.tgfoid, t.tgenabled))
                UNION ALL
                SELECT concat_ws(' ', relid, c.oid, c.tgname, c.tgenabled, c.xmin), relid, c.tgname
                FROM partition JOIN pg_trigger c ON c.tgrelid = relid AND c.tgparentid = 0
                WHERE NOT c.tgisinternal AND c.tgtype & 3 = 3
                    AND (c.tgname COLLATE "C" < $3 OR c.tgname COLLATE "C" >= $4)
            )
            SELECT coalesce(md5(string_agg(line, E'\\n' ORDER BY tgrelid, tgname)), '\(none)') AS fingerprint FROM found
            """,
            [
                .textArray(plan.guardedTables.filter { $0 != excluded }.map(\.quoted)), .text(own(plan)),
                .text(Plan.firstTriggerName),
                .text(Plan.lastTriggerName),
            ]
        ).row().text("fingerprint")
    }
}
