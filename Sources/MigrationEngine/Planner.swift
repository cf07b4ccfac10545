internal import PostgreSQL
internal import SchemaChange

/// Reads what a plan depends on from the live database, and makes the plan.
struct Planner: Sendable {
    let name: MigrationName
    let spec: MigrationSpec

    /// Of the changes and the database they are for.
    func hash(on connection: PostgresConnection) async throws -> String {
        let server = try await ServerIdentity.read(connection)
        return Plan.hash(
            changes: spec.changes,
            writer: spec.writer,
            views: spec.views == true,
            schema: spec.schema,
            database: "\(server.systemIdentifier)/\(server.database)"
        )
    }

    /// - Throws: `PlanError`, which says where and why.
    func plan(on connection: PostgresConnection) async throws -> Plan {
        if let flaw = PlanBuilder.flaws(in: spec.changes, writer: spec.writer).first { throw flaw }
        var tables: [String: TableDescription] = [:]
        for table in spec.changes.flatMap(\.tables) where tables[table] == nil {
            tables[table] = try await .read(TableName(schema: spec.schema, name: table), on: connection)
        }
        try await Privileges.require(in: spec.schema, on: connection)
        var baseTypes: [String: String] = [:]
        for (path, type) in PlanBuilder.types(in: spec.changes) {
            baseTypes[type] = try await baseType(of: type, at: path, on: connection)
        }
        let catalog = Catalog(schema: spec.schema, tables: tables, baseTypes: baseTypes)
        for (path, name) in PlanBuilder.newRelations(in: spec.changes) {
            try await requireFree(name, at: path, on: connection)
        }
        let trials = try PlanBuilder.trials(for: spec.changes, catalog: catalog)
        let checks = try PlanBuilder.checks(for: spec.changes, catalog: catalog)
        // Both are made on copies, which takes a right to read as well.
        let named = spec.changes.filter { $0.key != "sql" }.map { $0.tables.compactMap { tables[$0]?.name } }
        try await Privileges.require(
            owned: named.compactMap(\.first), referred: named.flatMap { $0.dropFirst() }, of: spec.changes,
            on: connection)
        try await Privileges.requireEnums(of: spec.changes, in: spec.schema, on: connection)
        for trial in trials { try await run(trial, on: connection) }
        var references: [ExpressionCheck: [String]] = [:]
        for check in checks {
            references[check] = try await run(check, on: connection)
        }
        var dependents: [DependentsProbe: ColumnDependents] = [:]
        for probe in try PlanBuilder.probes(for: spec.changes, migration: name.description, catalog: catalog) {
            dependents[probe] = try await run(probe, on: connection)
        }
        let plan = try PlanBuilder.plan(
            spec.changes,
            writer: spec.writer,
            hash: try await hash(on: connection),
            migration: name.description,
            catalog: catalog,
            references: references,
            dependents: dependents,
            views: spec.views == true
        )
        try await Privileges.require(plan, in: spec.schema, on: connection)
        if let schema = plan.viewSchema { try await requireFree(schema: schema, on: connection) }
        return plan
    }

    /// Refuses a schema of versioned views that is there already, unless it is this migration's own that is in force.
    private func requireFree(schema: String, on connection: PostgresConnection) async throws {
        let isThere = try await connection.query(
            "SELECT to_regnamespace($1) IS NOT NULL AS there", [.text(schema.quotedIdentifier)]
        ).row().boolean("there")
        guard isThere else { return }
        let ledger = Ledger(name: name)
        if try await Ledger.isInstalled(on: connection), try await ledger.isApplied("dualwrite/views", on: connection) {
            return
        }
        throw PlanError(
            .nameTaken, at: "views",
            "there is a schema \"\(schema)\" already, which the views of this Migration would need; rename or drop it, or give "
                + "the Migration another name")
    }

    /// A type and nothing else: `serial`, a default or a constraint beside it would be done without anybody having planned it.
    /// Of a domain, what it is made of.
    private func baseType(
        of type: String,
        at path: String,
        on connection: PostgresConnection
    ) async throws -> String? {
        do {
            return try await connection.query(TableDescription.typeQuery, [.text(type)]).rows.first?["base"]
        } catch {
            guard !error.isTransient else { throw error }
            let message = "\"\(type)\" is not a type that PostgreSQL knows: \(error.message) (\(error.sqlState ?? "?"))"
            throw PlanError(.invalidChange, at: path, message)
        }
    }

    /// Refuses a name that another table, view, index or sequence of the schema has.
    private func requireFree(_ name: String, at path: String, on connection: PostgresConnection) async throws {
        let rows = try await connection.query(
            """
            SELECT 1 FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
            WHERE n.nspname = $1 AND c.relname = $2
            """,
            [.text(spec.schema), .text(name)]
        ).rows
        guard rows.isEmpty else {
            throw PlanError(
                .nameTaken, at: path, "schema \"\(spec.schema)\" has something called \"\(name)\"; choose another name")
        }
    }

    /// On scratch copies.
    private func run(_ trial: Trial, on connection: PostgresConnection) async throws {
        try await rolledBack(on: connection) { connection in
            for statement in trial.setUp { _ = try await connection.query(statement) }
            do {
                _ = try await connection.query(trial.statement)
            } catch let error as PostgresError where !error.isTransient {
                throw PlanError(.invalidChange, at: trial.path, explanation(of: error))
            }
        }
    }

    private func run(_ probe: DependentsProbe, on connection: PostgresConnection) async throws -> ColumnDependents {
        let json = try await rolledBack(on: connection) { connection in
            for statement in probe.setUp { _ = try await connection.query(statement) }
            try await ask(
                probe.retype, "\(probe.path).type",
                "an index or a check of \"\(probe.column)\" cannot be had with the new type; drop it first", connection)
            try await ask(probe.check, "\(probe.path).check", "PostgreSQL does not accept the check", connection)
            _ = try await connection.query(probe.rename)
            return try await connection.query(probe.query).row()[0] ?? ""
        }
        return try LedgerJSON.decode(ColumnDependents.self, from: json)
    }

    private func ask(
        _ statement: String?, _ path: String, _ what: String, _ connection: PostgresConnection
    ) async throws {
        guard let statement else { return }
        do {
            _ = try await connection.query(statement)
        } catch {
            guard !error.isTransient else { throw error }
            throw PlanError(.dependents, at: path, "\(what): \(error.message) (\(error.sqlState ?? "?"))")
        }
    }

    private func run(_ check: ExpressionCheck, on connection: PostgresConnection) async throws -> [String] {
        try await rolledBack(on: connection) { connection in
            for statement in check.setUp { _ = try await connection.query(statement) }
            let before = try await connection.query(ExpressionCheck.file).row()[0]
            do {
                _ = try await connection.query(check.probe)
            } catch let error as PostgresError where !error.isTransient {
                throw PlanError(.invalidExpression, at: check.path, explanation(of: error))
            }
            let after = try await connection.query(ExpressionCheck.file).row()[0]
            if check.use == .defaultValue, before != after {
                throw PlanError(
                    .invalidExpression,
                    at: check.path,
                    "the default is volatile, so adding the column would rewrite the table; give forward instead"
                )
            }
            return try await connection.query(ExpressionCheck.references).rows.compactMap { $0[0] }
        }
    }

    /// What `body` answers of scratch tables, which are gone afterwards.
    private func rolledBack<Value: Sendable>(
        on connection: PostgresConnection,
        _ body: (PostgresConnection) async throws -> Value
    ) async throws -> Value {
        do {
            let _: Never = try await connection.transaction { connection in
                throw RolledBack(value: try await body(connection))
            }
        } catch let done as RolledBack<Value> {
            return done.value
        }
    }

    private func explanation(of error: PostgresError) -> String {
        switch error.sqlState {
        case "42P17":
            "it is not immutable: for the same row it could give another value tomorrow, and then nothing would be proven; "
                + "use immutable functions only (concat_ws, to_char and now are not)"
        default:
            "PostgreSQL does not accept it: \(error.message) (\(error.sqlState ?? "?"))"
                + (error.hint.map { "; \($0)" } ?? "")
        }
    }
}

/// Ends a transaction without a trace, and carries what it has answered.
private struct RolledBack<Value: Sendable>: Error {
    let value: Value
}
