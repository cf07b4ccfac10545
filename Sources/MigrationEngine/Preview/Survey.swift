internal import Backfill
internal import PostgreSQL
internal import SchemaChange

/// Looks at the live database for what a plan means there. Reads only, and a bounded part of each table.
struct Survey: Sendable {
    let name: MigrationName
    let spec: MigrationSpec

    /// The findings that need no plan, as the database makes them weigh. With an error among them nothing is planned.
    func written(on connection: PostgresConnection) async throws -> [Finding] {
        let findings = spec.lintable.findings
        let tables = Set(findings.filter { $0.known?.isForgivenWhenSmall == true }.compactMap(\.table)).sorted()
        guard !tables.isEmpty else { return findings }
        let quoted = tables.map { $0.split(separator: ".").map { String($0).quotedIdentifier }.joined(separator: ".") }
        let rows = try await connection.query(
            """
            SELECT (
                SELECT coalesce(sum(pg_total_relation_size(relid)), 0)::bigint
                FROM (\(PartitionTree.leaves(of: "to_regclass(t.name)"))) leaf
            ) AS bytes
            FROM unnest($1::text[]) WITH ORDINALITY AS t(name, ordinal) ORDER BY ordinal
            """, [.textArray(quoted)]
        ).rows
        var bytes: [String: Int64] = [:]
        for (table, row) in zip(tables, rows) { bytes[table] = try row.integer("bytes") }
        return findings.map { finding in
            var finding = finding
            if finding.severity == .error, finding.known?.isForgivenWhenSmall == true, let table = finding.table,
                let size = bytes[table], size <= LintCode.smallTable
            {
                finding.severity = .warning
            }
            return finding
        }
    }

    func preview(of plan: Plan, _ written: [Finding], on connection: PostgresConnection) async throws -> PlanPreview {
        var facts: [TableFacts] = []
        for table in plan.tables {
            let rows = try await connection.query(TableFacts.query, [.text(table.schema), .text(table.name)]).rows
            if let json = rows.first?[0] { facts.append(try LedgerJSON.decode(TableFacts.self, from: json)) }
        }
        let live = LiveLint(
            plan, migration: name.description, hasViews: spec.views == true, tables: facts,
            database: try await databaseFacts(on: connection))
        var findings = written + live.findings
        var estimates: [BackfillEstimate] = []
        for mapping in plan.mappings {
            guard let table = facts.first(where: { $0.name == mapping.table }) else { continue }
            let rows = try await TableSize.estimate(of: mapping.table, on: connection)
            let path = live.path(of: mapping)
            do {
                estimates.append(try await estimate(mapping, table, rows: rows, on: connection))
                findings += try await roundTrip(mapping, rows: rows, at: path, on: connection).map { [$0] } ?? []
            } catch let error as PostgresError where !error.isTransient {
                // A sample that takes too long (57014) says nothing of the rows.
                guard error.sqlState != "57014" else { continue }
                findings.append(
                    Finding(
                        .rowFails, at: path,
                        "an expression fails on a row of the sample: \(error.messageWithoutValues) (\(error.sqlState ?? "?")); "
                            + "so would a write of such a row"))
            }
        }
        for move in plan.columnMoves {
            let target = facts.first { $0.name == move.to } ?? TableFacts(name: move.to)
            estimates.append(try await estimate(move, target, on: connection))
        }
        findings = spec.lintable.allowing(findings)
        return PlanPreview(plan, estimates: estimates, findings: findings.sorted { $0.severity < $1.severity })
    }

    private func databaseFacts(on connection: PostgresConnection) async throws -> DatabaseFacts {
        let slots = try await connection.query(
            """
            SELECT slot_name || ' (' || plugin || ')' AS slot FROM pg_replication_slots
            WHERE slot_type = 'logical' AND database = current_database() ORDER BY 1
            """
        ).rows
        let answering = try await connection.query("SELECT pg_backend_pid()::bigint AS pid").row().integer("pid")
        return DatabaseFacts(
            logicalSlots: try slots.map { try $0.text("slot") },
            isPooled: answering != Int64(connection.processID))
    }

    // MARK: The sample

    /// In a transaction that can write nothing, and for a few seconds at most.
    private func sampling<Value: Sendable>(
        on connection: PostgresConnection, _ body: (PostgresConnection) async throws -> Value
    ) async throws -> Value {
        try await connection.transaction { connection in
            _ = try await connection.query("SET TRANSACTION READ ONLY")
            _ = try await connection.query("SET LOCAL statement_timeout = '5s'")
            return try await body(connection)
        }
    }

    private func estimate(
        _ mapping: Mapping, _ facts: TableFacts, rows: Int64, on connection: PostgresConnection
    ) async throws -> BackfillEstimate {
        let workers = min(16, max(1, spec.backfill?.workers ?? 2))
        guard let queries = SampleQueries(mapping) else {
            let width = Double(facts.heapBytes) / Double(max(rows, 1))
            return EstimateMethod.estimate(
                mapping, facts, rows: rows, sampled: 0, rowBytes: width, addedBytes: 0, secondsOfExpressions: 0,
                workers: workers)
        }
        let percent = SampleQueries.percent(ofRows: rows)
        return try await sampling(on: connection) { connection in
            // Once so that the pages are in memory, and once for the clock.
            _ = try await connection.query(queries.width(percent: percent))
            let clock = ContinuousClock()
            let before = clock.now
            _ = try await connection.query(queries.width(percent: percent))
            let between = clock.now
            let row = try await connection.query(queries.added(percent: percent)).row()
            let expressions = (clock.now - between) - (between - before)
            return EstimateMethod.estimate(
                mapping, facts, rows: rows, sampled: try row.integer("rows"), rowBytes: try row.double("width"),
                addedBytes: try row.double("added"), secondsOfExpressions: max(0, expressions / .seconds(1)),
                workers: workers)
        }
    }

    private func estimate(
        _ move: ColumnMove, _ target: TableFacts, on connection: PostgresConnection
    ) async throws -> BackfillEstimate {
        let rows = try await TableSize.estimate(of: move.table, on: connection)
        let query = move.sample(percent: SampleQueries.percent(ofRows: rows), limit: SampleQueries.rows)
        let row = try await sampling(on: connection) { try await $0.query(query).row() }
        return EstimateMethod.estimate(
            move, target, rows: rows, filled: Int64(Double(rows) * (try row.double("share"))),
            sampled: try row.integer("rows"), rowBytes: try row.double("width"),
            workers: min(16, max(1, spec.backfill?.workers ?? 2)))
    }

    private func roundTrip(
        _ mapping: Mapping, rows: Int64, at path: String, on connection: PostgresConnection
    ) async throws -> Finding? {
        let percent = SampleQueries.percent(ofRows: rows)
        guard let query = SampleQueries(mapping)?.roundTrip(percent: percent) else { return nil }
        let row = try await sampling(on: connection) { try await $0.query(query).row() }
        let changed = try row.integer("changed")
        guard changed > 0 else { return nil }
        return Finding(
            .roundTripLoses, at: path,
            "backward(forward(row)) is not what \(changed) of \(try row.integer("rows")) sampled rows of \(mapping.table) hold, "
                + "among them keys (\(try row.text("keys")))",
            table: mapping.table.description)
    }
}
