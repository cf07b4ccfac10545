internal import PostgreSQL
internal import SchemaChange

extension Travel {
    /// Whether every row can be had back, before anything is undone: what is half undone could not be done again.
    func requireOldValues(on connection: PostgresConnection) async throws {
        var flaws: [String] = []
        for step in record.plan.wayBack ?? [] where record.applied.contains(step.id) {
            guard case .check(let query, let message) = step.action, try await isWhole(step, on: connection) else {
                continue
            }
            let found = try await connection.query(query).rows.compactMap { $0[0] }
            guard !found.isEmpty else { continue }
            flaws.append("\(message) \(found.map { "(\($0))" }.joined(separator: ", "))")
        }
        guard flaws.isEmpty else {
            throw Interruption.stalled(reason: "CannotUndo", message: flaws.joined(separator: "; and "))
        }
    }

    /// Of a walk that is bereft: whether what a step undoes is there. What somebody has dropped by hand has no rows to lose.
    private func isWhole(_ step: Step, on connection: PostgresConnection) async throws -> Bool {
        guard isBereft, let table = step.table else { return true }
        return try await connection.query("SELECT to_regclass($1) IS NOT NULL AS there", [.text(table.quoted)]).row()
            .boolean("there")
    }
}
