internal import PostgreSQL
internal import SchemaChange

/// What somebody else has changed of what a migration counts on: since it was planned, or between its phases.
enum Drift {
    static let reason = "Drift"

    /// What differs and what to do about it; nil for nothing. Columns and their types, indexes, constraints: triggers have a
    /// fingerprint.
    ///
    /// - Parameter goingBack: then only what was there before matters. What the migration made is about to go.
    static func find(
        _ record: LedgerRecord, goingBack: Bool = false, on connection: PostgresConnection
    ) async throws -> String? {
        guard !record.isPurged, !record.isUntouched else { return nil }
        let items = Reliance(record.plan, applied: record.applied).items.filter { !goingBack || $0.isFound }
        guard !items.isEmpty else { return nil }
        var differences = try await differences(items, on: connection)
        if !goingBack, record.phase > .initial { differences += try await missingLinks(record.plan, on: connection) }
        guard !differences.isEmpty else { return nil }
        // A worker may have gone on between the look at the ledger and that at the catalog.
        let applied = try await connection.query(
            "SELECT step FROM sluice.step WHERE migration = $1", [.text(record.id)])
        guard Set(applied.rows.compactMap { $0[0] }) == record.applied else { return nil }
        let shown = differences.prefix(5).joined(separator: "; ")
        let more = differences.count > 5 ? "; and \(differences.count - 5) more" : ""
        return "somebody changed what the migration counts on: \(shown)\(more). Put it back, and it goes on"
            + (goingBack ? "" : "; or set phase: Initial, and begin again with what there is")
    }

    /// - Throws: a stalled ``Interruption``.
    static func requireNone(
        _ record: LedgerRecord, goingBack: Bool, on connection: PostgresConnection
    ) async throws {
        if let difference = try await find(record, goingBack: goingBack, on: connection) {
            throw Interruption.stalled(reason: reason, message: difference)
        }
    }

    /// Foreign keys without which a row of another table could be one too many.
    private static func missingLinks(_ plan: Plan, on connection: PostgresConnection) async throws -> [String] {
        var missing: [String] = []
        for move in plan.columnMoves {
            guard try await !connection.query(move.linkQuery).row().boolean("is_there") else { continue }
            missing.append("the foreign key of \(move.to) that refers to \(move.table) is missing, or is another")
        }
        return missing
    }

    private static func differences(
        _ items: [Reliance.Item], on connection: PostgresConnection
    ) async throws -> [String] {
        // Types are looked up where the plan did. All sessions that come here are of that schema, or read no more after this.
        _ = try await connection.query(
            "SELECT set_config('search_path', $1, false)", [.text(SearchPath.of(items[0].table.schema))])
        let rows = try await connection.query(
            """
            SELECT to_regclass(t) IS NOT NULL AS table_is_there,
                CASE kind
                WHEN 'table' THEN true
                WHEN 'column' THEN a.attname IS NOT NULL
                WHEN 'constraint' THEN EXISTS (
                    SELECT FROM pg_constraint c WHERE c.conrelid = to_regclass(t) AND c.conname = item)
                ELSE EXISTS (
                    SELECT FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid
                    WHERE i.indrelid = to_regclass(t) AND c.relname = item AND i.indisvalid)
                END AS is_there,
                CASE WHEN kind = 'column' AND to_regtype(nullif(wanted, '')) <> a.atttypid
                    OR found AND substring(wanted FROM '\\(.*\\)') IS DISTINCT FROM
                        substring(format_type(a.atttypid, a.atttypmod) FROM '\\(.*\\)')
                    THEN format_type(a.atttypid, a.atttypmod) END AS other_type
            FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::boolean[])
                WITH ORDINALITY AS w(kind, t, item, wanted, found, ordinal)
            LEFT JOIN pg_attribute a ON kind = 'column' AND a.attrelid = to_regclass(t) AND a.attname = item
                AND NOT a.attisdropped
            ORDER BY ordinal
            """,
            [
                .textArray(items.map(\.kind.rawValue)), .textArray(items.map(\.table.quoted)),
                .textArray(items.map(\.name)), .textArray(items.map { $0.type ?? "" }),
                .textArray(items.map { $0.isFound && $0.type != nil ? "t" : "f" }),
            ]
        ).rows
        var differences: [String] = []
        for (item, row) in zip(items, rows) {
            var text: String?
            if try !row.boolean("table_is_there") {
                text = "table \(item.table) is missing"
            } else if try !row.boolean("is_there") {
                text =
                    "\(item.kind.rawValue) \(item.name) of \(item.table) is missing"
                    + (item.kind == .index ? " or invalid" : "")
            } else if let other = row["other_type"] {
                text = "column \(item.name) of \(item.table) is \(other), not \(item.type ?? "")"
            }
            if let text, !differences.contains(text) { differences.append(text) }
        }
        return differences
    }
}
