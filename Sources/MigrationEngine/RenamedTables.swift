internal import PostgreSQL
internal import SchemaChange

/// Tables of a plan that have another name, or another schema, than when it was made. They are told by the plan's triggers,
/// which a table takes along.
struct RenamedTables {
    /// By the name that the plan knows: what they are called now.
    private let present: [TableName: TableName]

    static func find(_ plan: Plan, on connection: PostgresConnection) async throws -> RenamedTables {
        guard !plan.tokens.isEmpty else { return RenamedTables(present: [:]) }
        let rows = try await connection.query(
            """
            SELECT n.nspname AS schema, c.relname AS name, string_agg(t.tgname, ' ') AS triggers
            FROM pg_trigger t JOIN pg_proc p ON p.oid = t.tgfoid
            JOIN pg_class c ON c.oid = t.tgrelid JOIN pg_namespace n ON n.oid = c.relnamespace
            WHERE p.pronamespace = to_regnamespace('sluice') AND t.tgparentid = 0 AND t.tgname ~ $1
            GROUP BY n.nspname, c.relname
            """, [.text(TriggerFingerprint.own(plan))]
        ).rows
        let found = try rows.map { row in
            let table = TableName(schema: try row.text("schema"), name: try row.text("name"))
            return (table, triggers: try row.text("triggers"))
        }
        let missing = plan.guardedTables.filter { table in !found.contains { $0.0 == table } }
        let renamed = found.filter { !plan.guardedTables.contains($0.0) }
        var present: [TableName: TableName] = [:]
        for table in missing {
            let tokens = plan.mappings.filter { $0.table == table }.map(\.token)
            let same = renamed.filter { _, triggers in tokens.contains(where: triggers.contains) }
            present[table] = (missing.count == 1 && renamed.count == 1 ? renamed : same).first?.0
        }
        return RenamedTables(present: present)
    }

    func name(of table: TableName) -> TableName? { present[table] }

    /// What gives a table the name back that the plan knows; none where it has that.
    func statements(for table: TableName) -> [String] {
        guard let now = present[table] else { return [] }
        let moved = TableName(schema: table.schema, name: now.name)
        let move = "ALTER TABLE \(now.quoted) SET SCHEMA \(table.schema.quotedIdentifier)"
        let rename = "ALTER TABLE \(moved.quoted) RENAME TO \(table.name.quotedIdentifier)"
        return (now.schema == table.schema ? [] : [move]) + (now.name == table.name ? [] : [rename])
    }
}
