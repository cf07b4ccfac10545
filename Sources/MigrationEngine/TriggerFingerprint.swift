internal import PostgreSQL
internal import SchemaChange

/// What tells whether the triggers that keep a proof true are still those with which it was made.
///
/// Besides their state and source, the `xmin` of their catalog rows: to disable a trigger, write, and enable it again
/// leaves everything else as it was.
enum TriggerFingerprint {
    static func read(_ plan: Plan, on connection: PostgresConnection) async throws -> String {
        let tables = Array(Set(plan.mappings.map { $0.table.quoted })).sorted()
        // Those of other migrations of the table come and go.
        let own = "_(\(plan.mappings.map(\.token).joined(separator: "|")))(_|$)"
        return try await connection.query(
            """
            SELECT coalesce(md5(string_agg(concat_ws(' ', t.tgrelid, t.oid, t.tgname, t.tgenabled, t.xmin, p.oid, p.xmin,
                md5(p.prosrc)), E'\\n' ORDER BY t.tgrelid, t.tgname)), 'none') AS fingerprint
            FROM pg_trigger t JOIN pg_proc p ON p.oid = t.tgfoid
            WHERE t.tgrelid = ANY (SELECT to_regclass(name) FROM unnest($1::text[]) AS name)
                AND p.pronamespace = to_regnamespace('sluice') AND t.tgname ~ $2
            """,
            [.textArray(tables), .text(own)]
        ).row().text("fingerprint")
    }
}
