internal import PostgreSQL
internal import SchemaChange

extension Travel {
    /// Whether every row can be had back, before anything is undone: what is half undone could not be done again.
    func requireOldValues(for moves: [Move], on connection: PostgresConnection) async throws {
        var flaws: [String] = []
        func look(_ query: String, _ message: String) async throws {
            let found = try await connection.query(query).rows.compactMap { $0[0] }
            guard !found.isEmpty else { return }
            flaws.append("\(message) \(found.map { "(\($0))" }.joined(separator: ", "))")
        }
        if moves.contains(where: \.leavesArchive) {
            for step in record.plan.wayBack ?? [] where record.applied.contains(step.id) {
                guard case .check(let query, let message) = step.action,
                    try await isWhole(step.table, on: connection)
                else { continue }
                try await look(query, message)
            }
        }
        for column in record.plan.requiredAgain ?? [] where moves.contains(where: { $0.reverted == column.step }) {
            let name = column.name(whenApplied: record.applied)
            guard try await isWhole(column.table, name, on: connection) else { continue }
            let check = column.check(whenApplied: record.applied)
            try await look(check.query, check.message)
        }
        guard flaws.isEmpty else {
            throw Interruption.stalled(reason: "CannotUndo", message: flaws.joined(separator: "; and "))
        }
    }

    /// The same just before `step` refuses NULL. All that was done after it is undone by then.
    func requireValues(before step: Step, on connection: PostgresConnection) async throws {
        guard record.plan.requiredAgain?.contains(where: { $0.step == step.id }) == true,
            let current = try await ledger.read(connection)
        else { return }
        var travel = Travel(run: run, record: current, target: target)
        travel.isBereft = isBereft
        try await travel.requireOldValues(for: [.revert(step)], on: connection)
    }

    /// Of a walk that is bereft: whether what a step undoes is there. What somebody has dropped by hand has no rows to lose.
    private func isWhole(
        _ table: TableName?, _ column: String? = nil, on connection: PostgresConnection
    ) async throws -> Bool {
        guard isBereft, let table else { return true }
        return try await connection.query(
            """
            SELECT to_regclass($1) IS NOT NULL AND ($2::text IS NULL OR EXISTS (
                SELECT FROM pg_attribute WHERE attrelid = to_regclass($1) AND attname = $2 AND NOT attisdropped)) AS there
            """,
            [.text(table.quoted), .optional(column)]
        ).row().boolean("there")
    }
}
