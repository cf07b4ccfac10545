internal import PostgreSQL
internal import SchemaChange

/// What tells whether the triggers that keep a proof true are still those with which it was made.
///
/// Besides their state and source, the `xmin` of their catalog rows: to disable a trigger, write, and enable it again
/// leaves everything else as it was. The functions in a trigger's `WHEN` count as its own does.
enum TriggerFingerprint {
    /// Of a plan that has no triggers, or none yet.
    static let none = "none"

    /// - Parameter excluded: a table whose triggers are not looked at.
    static func read(
        _ plan: Plan, without excluded: TableName? = nil, on connection: PostgresConnection
    ) async throws -> String {
        // Those of other migrations of the table come and go. A trigger of a user's that would run before ours or after
        // them was not there when the plan was made; it breaks what ours keep.
        let own = "_(\(plan.tokens.joined(separator: "|")))(_|$)"
        return try await connection.query(
            """
            SELECT coalesce(md5(string_agg(concat_ws(' ', t.tgrelid, t.oid, t.tgname, t.tgenabled, t.xmin, p.oid, p.xmin,
                md5(p.prosrc), (
                    SELECT string_agg(concat_ws(' ', w.oid, w.xmin), ' ' ORDER BY w.oid) FROM pg_depend d
                    JOIN pg_proc w ON w.oid = d.refobjid AND w.oid <> p.oid
                    WHERE (d.classid, d.objid) = ('pg_trigger'::regclass, t.oid) AND d.refclassid = 'pg_proc'::regclass
                )), E'\\n' ORDER BY t.tgrelid, t.tgname)), '\(none)') AS fingerprint
            FROM pg_trigger t JOIN pg_proc p ON p.oid = t.tgfoid
            WHERE t.tgrelid = ANY (SELECT to_regclass(name) FROM unnest($1::text[]) AS name)
                AND CASE WHEN p.pronamespace = to_regnamespace('sluice') THEN t.tgname ~ $2
                    ELSE NOT t.tgisinternal AND t.tgtype & 3 = 3
                        AND (t.tgname COLLATE "C" < $3 OR t.tgname COLLATE "C" >= $4) END
            """,
            [
                .textArray(plan.guardedTables.filter { $0 != excluded }.map(\.quoted)), .text(own),
                .text(Plan.firstTriggerName),
                .text(Plan.lastTriggerName),
            ]
        ).row().text("fingerprint")
    }
}
