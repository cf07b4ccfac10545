internal import PostgreSQL

/// Why the last run of a migration ended before it got to where it was to go, as the ledger keeps it: for those that wait
/// for it.
struct Obstacle: Codable, Hashable, Sendable {
    let isStalled: Bool
    let reason: String
    let text: String

    /// Nil for what says nothing of the migration itself.
    init?(_ interruption: Interruption) {
        guard interruption != .heldByAnother else { return nil }
        switch interruption {
        case .waiting(let reason, let message): (isStalled, self.reason, text) = (false, reason, message)
        case .stalled(let reason, let message): (isStalled, self.reason, text) = (true, reason, message)
        }
        if reason == "DatabaseUnavailable" { return nil }
    }

    var message: String { "it \(isStalled ? "has failed" : "waits") (\(reason): \(text))" }
}

extension Ledger {
    static let obstacleSchema = "ALTER TABLE sluice.migration ADD COLUMN IF NOT EXISTS obstacle text"

    /// It stands until a worker takes the migration up again.
    func note(_ obstacle: Obstacle, on connection: PostgresConnection) async throws {
        _ = try await connection.query(
            "UPDATE sluice.migration SET obstacle = $2 WHERE id = $1 AND obstacle IS DISTINCT FROM $2",
            [.text(id), .text(try LedgerJSON.encode(obstacle))]
        )
    }
}
