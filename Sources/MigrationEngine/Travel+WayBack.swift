internal import PostgreSQL
internal import SchemaChange

extension Travel {
    /// Whether every row can be had back, before anything is undone: what is half undone could not be done again.
    func requireOldValues(on connection: PostgresConnection) async throws {
        var flaws: [String] = []
        for step in record.plan.wayBack ?? [] where record.applied.contains(step.id) {
            guard case .check(let query, let message) = step.action else { continue }
            let found = try await connection.query(query).rows.compactMap { $0[0] }
            guard !found.isEmpty else { continue }
            flaws.append("\(message) \(found.map { "(\($0))" }.joined(separator: ", "))")
        }
        guard flaws.isEmpty else {
            throw Interruption.stalled(reason: "CannotUndo", message: flaws.joined(separator: "; and "))
        }
    }
}
