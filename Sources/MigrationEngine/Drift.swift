internal import PostgreSQL
internal import SchemaChange

/// What somebody else has changed of what a migration counts on: since it was planned, or between its phases.
enum Drift {
    static let reason = "Drift"

    private struct Difference: Hashable {
        let item: Reliance.Item
        let isMissing: Bool
        var lacksTable = false
        /// What gives the table its name back, where it has only another one.
        var renaming: [String] = []
        var lacksSchema = false
        var text: String

        func telling(_ renamed: RenamedTables) -> Difference {
            guard isMissing, let name = renamed.name(of: item.table) else { return self }
            var difference = self
            let other = "\(item.table.name)_other".quotedIdentifier
            // Another table has its name.
            let away = lacksTable ? [] : ["ALTER TABLE \(item.table.quoted) RENAME TO \(other)"]
            difference.renaming = away + renamed.statements(for: item.table)
            difference.text += ", and \(name) has its triggers"
            return difference
        }
    }

    /// What differs and what to do about it; nil for nothing. Tables, views, columns and their types, indexes,
    /// constraints: triggers have a fingerprint.
    ///
    /// - Parameter target: of a walk back, for which only what was there before matters: what the migration made is about to
    ///   go. At the end of it, `Initial`, a table that is gone has nothing left that could be undone; one
    ///   that has only another name has.
    static func find(
        _ record: LedgerRecord, goingBackTo target: Phase? = nil, on connection: PostgresConnection
    ) async throws -> String? {
        let differences = try await all(record, on: connection).filter { difference in
            guard let target else { return true }
            guard difference.renaming.isEmpty else { return true }
            return difference.item.isFound && !(target == .initial && difference.lacksTable)
        }
        if target == nil, differences.isEmpty, record.phase > .initial, !record.isPurged,
            let link = try await missingLink(record.plan, on: connection)
        {
            return "somebody changed what the migration counts on: \(link). Put it back, and it goes on"
        }
        guard !differences.isEmpty else { return nil }
        let shown = differences.prefix(5).map(\.text).joined(separator: "; ")
        let more = differences.count > 5 ? "; and \(differences.count - 5) more" : ""
        return "somebody changed what the migration counts on: \(shown)\(more). "
            + advice(differences, isGoingBack: target != nil)
    }

    /// Whether going to Initial finds less than it undoes: tables or columns are gone that it would see to.
    static func lacksWhatIsUndone(_ record: LedgerRecord, on connection: PostgresConnection) async throws -> Bool {
        try await all(record, on: connection).contains { $0.lacksTable || $0.isMissing && !$0.item.isFound }
    }

    /// What to do about a table that has only another name, whose archive would be looked for in vain; nil for none.
    static func renamed(_ record: LedgerRecord, on connection: PostgresConnection) async throws -> String? {
        let renamed = try await all(record, on: connection).filter { !$0.renaming.isEmpty }
        guard let first = renamed.first else { return nil }
        return "somebody changed what the migration counts on: \(first.text). \(advice(renamed, isGoingBack: true))"
    }

    private static func all(_ record: LedgerRecord, on connection: PostgresConnection) async throws -> [Difference] {
        guard !record.isPurged, !record.isUntouched else { return [] }
        var reliance = Reliance(record.plan, applied: record.applied)
        // From Contract on the table itself has the new shape, and its view may go when nobody uses it.
        if record.phase == .contract { reliance.forgetViews() }
        guard try await !differences(reliance.items, on: connection).isEmpty else { return [] }
        for later in try await laterOnes(record, on: connection) {
            reliance.follow(later.plan, applied: later.applied, isPurged: later.isPurged)
        }
        let differences = try await differences(reliance.items, on: connection)
        guard !differences.isEmpty else { return [] }
        // A worker may have gone on between the look at the ledger and that at the catalog.
        let applied = try await connection.query(
            "SELECT step FROM sluice.step WHERE migration = $1", [.text(record.id)])
        guard Set(applied.rows.compactMap { $0[0] }) == record.applied else { return [] }
        guard differences.contains(where: \.isMissing) else { return differences }
        let renamed = try await RenamedTables.find(record.plan, on: connection)
        return differences.map { $0.telling(renamed) }
    }

    /// The migrations of its tables that came after it, in their order.
    private static func laterOnes(
        _ record: LedgerRecord, on connection: PostgresConnection
    ) async throws -> [LedgerRecord] {
        try await connection.query(
            """
            SELECT \(LedgerRecord.columns) FROM sluice.migration m
            WHERE ordinal > $1 AND tables && $2::text[] ORDER BY ordinal
            """,
            [.integer(record.ordinal), .textArray(record.plan.tables.map(\.description))]
        ).rows.map(LedgerRecord.init)
    }

    /// Only what works: from where nothing but the column itself leads on, Initial is no way out.
    private static func advice(_ differences: [Difference], isGoingBack: Bool) -> String {
        let renaming = differences.first { !$0.renaming.isEmpty }?.renaming ?? []
        guard renaming.isEmpty else {
            return "Give it its name back (\(renaming.joined(separator: "; "))), and it goes on"
        }
        let columns = differences.filter { $0.isMissing && !$0.lacksTable && $0.item.kind == .column }
        let columnStatements = columns.compactMap { difference in
            difference.item.type.map {
                "ALTER TABLE \(difference.item.table.quoted) ADD COLUMN \(difference.item.name.quotedIdentifier) \($0)"
            }
        }
        let views = differences.filter { $0.item.kind == .view }
        let schemaStatements = views.first { $0.lacksSchema }?.item.schemaCreation ?? []
        let statements = columnStatements + schemaStatements + views.flatMap(\.item.creation)
        let how = statements.isEmpty ? "" : " (\(statements.joined(separator: "; ")), if it was dropped)"
        let canGoBack = differences.allSatisfy { !$0.item.isFound || $0.lacksTable }
        let lacksTable = differences.contains(where: \.lacksTable)
        let initial =
            isGoingBack || !canGoBack
            ? ""
            : lacksTable
                ? "; or set phase: Initial, which leaves what is gone as it is"
                : "; or set phase: Initial, and begin again with what there is"
        let loss = !columnStatements.isEmpty && !canGoBack ? "; what it held that does not bring back" : ""
        return "Put it back\(how), and it goes on\(loss)\(initial)"
    }

    /// - Throws: a stalled ``Interruption``.
    static func requireNone(
        _ record: LedgerRecord, goingBackTo target: Phase?, on connection: PostgresConnection
    ) async throws {
        if let difference = try await find(record, goingBackTo: target, on: connection) {
            throw Interruption.stalled(reason: reason, message: difference)
        }
    }

    /// A foreign key without which a row of another table could be one too many.
    private static func missingLink(_ plan: Plan, on connection: PostgresConnection) async throws -> String? {
        for move in plan.columnMoves {
            guard try await !connection.query(move.linkQuery).row().boolean("is_there") else { continue }
            return "the foreign key of \(move.to) that refers to \(move.table) is missing, or is another"
        }
        return nil
    }

    private static func differences(
        _ items: [Reliance.Item], on connection: PostgresConnection
    ) async throws -> [Difference] {
        guard !items.isEmpty else { return [] }
        // Types are looked up where the plan did. All sessions that come here are of that schema, or read no more after this.
        _ = try await connection.query(
            "SELECT set_config('search_path', $1, false)", [.text(SearchPath.of(items[0].table.schema))])
        let rows = try await connection.query(
            """
            SELECT kind = 'view' OR to_regclass(t) IS NOT NULL AS table_is_there,
                to_regnamespace(schema) IS NOT NULL AS schema_is_there,
                CASE kind
                WHEN 'table' THEN true
                WHEN 'view' THEN EXISTS (SELECT FROM pg_class c WHERE c.oid = to_regclass(t) AND c.relkind = 'v')
                WHEN 'column' THEN a.attname IS NOT NULL
                WHEN 'constraint' THEN EXISTS (
                    SELECT FROM pg_constraint c WHERE c.conrelid = to_regclass(t) AND c.conname = item)
                ELSE EXISTS (
                    SELECT FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid
                    WHERE c.relname = item AND i.indisvalid
                        AND c.relnamespace = (SELECT relnamespace FROM pg_class WHERE oid = to_regclass(t)))
                END AS is_there,
                CASE WHEN kind = 'column' AND to_regtype(nullif(wanted, '')) <> a.atttypid
                    OR found AND substring(wanted FROM '\\(.*\\)') IS DISTINCT FROM
                        substring(format_type(a.atttypid, a.atttypmod) FROM '\\(.*\\)')
                    THEN format_type(a.atttypid, a.atttypmod) END AS other_type
            FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::boolean[], $6::text[])
                WITH ORDINALITY AS w(kind, t, item, wanted, found, schema, ordinal)
            LEFT JOIN pg_attribute a ON kind = 'column' AND a.attrelid = to_regclass(t) AND a.attname = item
                AND NOT a.attisdropped
            ORDER BY ordinal
            """,
            [
                .textArray(items.map(\.kind.rawValue)), .textArray(items.map(\.table.quoted)),
                .textArray(items.map(\.name)), .textArray(items.map { $0.type ?? "" }),
                .textArray(items.map { $0.isFound && $0.type != nil ? "t" : "f" }),
                .textArray(items.map(\.table.schema.quotedIdentifier)),
            ]
        ).rows
        var differences: [Difference] = []
        for (item, row) in zip(items, rows) {
            let difference: Difference
            if try !row.boolean("table_is_there") {
                difference = Difference(
                    item: item, isMissing: true, lacksTable: true, text: "table \(item.table) is missing")
            } else if try !row.boolean("is_there"), item.kind == .view {
                difference = Difference(
                    item: item, isMissing: true, lacksSchema: try !row.boolean("schema_is_there"),
                    text: "view \(item.table) is missing")
            } else if try !row.boolean("is_there") {
                difference = Difference(
                    item: item, isMissing: true,
                    text: "\(item.kind.rawValue) \(item.name) of \(item.table) is missing"
                        + (item.kind == .index ? " or invalid" : ""))
            } else if let other = row["other_type"] {
                difference = Difference(
                    item: item, isMissing: false,
                    text: "column \(item.name) of \(item.table) is \(other), not \(item.type ?? "")")
            } else {
                continue
            }
            if !differences.contains(where: { $0.text == difference.text }) { differences.append(difference) }
        }
        return differences
    }
}
