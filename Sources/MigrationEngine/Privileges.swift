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

    /// That the types which get another value are enums, and this role's.
    static func requireEnums(of changes: [Change], in schema: String, on connection: PostgresConnection) async throws {
        for (index, change) in changes.enumerated() {
            guard case .addEnumValue(let value) = change else { continue }
            let path = "changes[\(index)].\(change.key).type"
            let rows = try await connection.query(
                """
                SELECT quote_ident(current_user) AS role, quote_ident(pg_get_userbyid(t.typowner)) AS owner,
                    pg_has_role(t.typowner, 'USAGE') AS is_own, CASE t.typtype WHEN 'e' THEN NULL WHEN 'd' THEN 'a domain'
                        WHEN 'c' THEN CASE c.relkind WHEN 'c' THEN 'a composite type' ELSE 'the row type of a table or view' END
                        WHEN 'r' THEN 'a range' WHEN 'm' THEN 'a multirange' ELSE 'a base type' END AS kind
                FROM pg_type t LEFT JOIN pg_class c ON c.oid = t.typrelid
                WHERE t.typnamespace = to_regnamespace($1) AND t.typname = $2
                """, [.text(schema.quotedIdentifier), .text(value.type)]
            ).rows
            guard let row = rows.first else {
                throw PlanError(
                    .invalidChange, at: path,
                    "there is no type \"\(value.type)\" in schema \"\(schema)\"; check the name and spec.database.schema"
                )
            }
            if let kind = row["kind"] {
                throw PlanError(
                    .invalidChange, at: path, "\"\(value.type)\" is \(kind), and values are added to an enum; name one")
            }
            if try !row.boolean("is_own") {
                let owner = try row.text("owner")
                throw missing(
                    path, "alter type \(schema).\(value.type), which belongs to \(owner)",
                    "\(owner) TO \(try row.text("role"))")
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
