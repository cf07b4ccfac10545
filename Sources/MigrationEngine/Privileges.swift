internal import PostgreSQL
internal import SchemaChange

/// What the role is not allowed to, found before anything is begun, with the GRANT that is missing.
enum Privileges {
    /// What every Migration needs of its database.
    ///
    /// - Throws: `PlanError` with the code `MissingPrivilege`.
    static func require(in schema: String, on connection: PostgresConnection) async throws {
        let row = try await connection.query(
            """
            SELECT quote_ident(current_user) AS role, quote_ident(current_database()) AS database,
                has_database_privilege(current_database(), 'TEMP') AS may_try,
                coalesce(has_schema_privilege(to_regnamespace('sluice')::oid, 'CREATE'),
                    has_database_privilege(current_database(), 'CREATE')) AS may_keep,
                to_regnamespace('sluice') IS NULL AS is_new,
                coalesce(has_schema_privilege(to_regnamespace($1)::oid, 'USAGE'), true) AS may_look
            """, [.text(schema.quotedIdentifier)]
        ).row()
        let role = try row.text("role")
        let database = try row.text("database")
        if try !row.boolean("may_try") {
            throw missing("database", "try anything on empty copies", "TEMPORARY ON DATABASE \(database) TO \(role)")
        }
        if try !row.boolean("may_keep") {
            throw missing(
                "database",
                "keep its ledger in schema sluice, unless that is given to it (CREATE SCHEMA sluice AUTHORIZATION \(role))",
                try row.boolean("is_new")
                    ? "CREATE ON DATABASE \(database) TO \(role)" : "ALL ON SCHEMA sluice TO \(role)")
        }
        if try !row.boolean("may_look") {
            throw missing(
                "database.schema", "find the tables of schema \(schema)",
                "USAGE ON SCHEMA \(schema.quotedIdentifier) TO \(role)")
        }
    }

    /// What this plan needs besides. Tables that it makes itself are not there yet, and so are no matter.
    static func require(_ plan: Plan, in schema: String, on connection: PostgresConnection) async throws {
        let (owned, referred) = plan.rights
        try await require(owned: owned, referred: referred, of: plan.changes, on: connection)
        let row = try await connection.query(
            """
            SELECT quote_ident(current_user) AS role, quote_ident(current_database()) AS database,
                coalesce(has_schema_privilege(to_regnamespace($1)::oid, 'CREATE'), true) AS may_make,
                has_database_privilege(current_database(), 'CREATE') AS may_make_schemas
            """, [.text(schema.quotedIdentifier)]
        ).row()
        let role = try row.text("role")
        if plan.makesRelations, try !row.boolean("may_make") {
            throw missing(
                "database.schema", "make or rename tables and indexes in schema \(schema)",
                "CREATE ON SCHEMA \(schema.quotedIdentifier) TO \(role)")
        }
        if plan.viewSchema != nil, try !row.boolean("may_make_schemas") {
            throw missing(
                "views", "make a schema for its views", "CREATE ON DATABASE \(try row.text("database")) TO \(role)")
        }
    }

    /// - Parameter changes: to say where the table is named.
    static func require(
        owned: [TableName], referred: [TableName] = [], of changes: [Change], on connection: PostgresConnection
    ) async throws {
        let rows = try await connection.query(
            """
            SELECT quote_ident(current_user) AS role, quote_ident(pg_get_userbyid(c.relowner)) AS owner,
                pg_has_role(c.relowner, 'USAGE') AS is_own, has_table_privilege(c.oid, 'REFERENCES') AND has_table_privilege(c.oid, 'SELECT') AS may_refer
            FROM unnest($1::text[]) WITH ORDINALITY AS t(name, ordinal)
            LEFT JOIN pg_class c ON c.oid = to_regclass(name) ORDER BY ordinal
            """, [.textArray((owned + referred).map(\.quoted))]
        ).rows
        for (index, (table, row)) in zip(owned + referred, rows).enumerated() where row["owner"] != nil {
            let role = try row.text("role")
            if index < owned.count, try !row.boolean("is_own") {
                let owner = try row.text("owner")
                throw missing(
                    path(of: table, changes), "alter \(table), which belongs to \(owner)", "\(owner) TO \(role)")
            }
            if try !row.boolean("may_refer") {
                throw missing(
                    path(of: table, changes), "make a foreign key to \(table)",
                    "SELECT, REFERENCES ON TABLE \(table.quoted) TO \(role)")
            }
        }
    }

    private static func path(of table: TableName, _ changes: [Change]) -> String {
        let index = changes.firstIndex { $0.tables.contains(table.name) }
        return index.map { "changes[\($0)].\(changes[$0].key)" } ?? "changes"
    }

    private static func missing(_ path: String, _ what: String, _ grant: String) -> PlanError {
        PlanError(.missingPrivilege, at: path, "the role may not \(what); GRANT \(grant)")
    }
}
