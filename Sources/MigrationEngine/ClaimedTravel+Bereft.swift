internal import Backfill
internal import PostgreSQL
internal import SchemaChange

/// On the way to Initial, somebody has dropped tables or columns that would have been undone.
extension ClaimedTravel {
    /// Undoes what is there of what a step made; false where the step says nothing of catalog objects.
    ///
    /// Statements about something that is gone are passed over, each for itself; any other error ends it.
    func undoWhatIsLeft(of step: Step) async throws -> Bool {
        let statements: [String]
        switch step.action {
        case .statements(_, let revert): statements = revert ?? []
        // Built again, it would be for nobody.
        case .dropIndex(let index):
            let exists = try await pool.withConnection {
                try await $0.query("SELECT to_regclass($1) IS NOT NULL AS there", [.text(index.table.quoted)]).row()
                    .boolean("there")
            }
            guard !exists else { return false }
            statements = []
        case .concurrently, .buildIndex, .clearIndex, .backfill, .fillMove, .check, .declaration, .verify: return false
        }
        try await executeWhatIsLeft(statements, of: step, hurts: step.phase < .backfill ? .newVersion : .nobody) {
            try await travel.run.ledger.note(reverted: step, on: $0)
        }
        return true
    }

    func executeWhatIsLeft(
        _ statements: [String], of step: Step, hurts: Hurt = .nobody, note: (PostgresConnection) async throws -> Void
    ) async throws {
        try await retryingLostRaces(step) {
            try await requireGuards(hurts)
            try await fenced { connection in
                for statement in statements {
                    try await connection.execute("SAVEPOINT sluice_left")
                    do {
                        try await connection.query(statement)
                    } catch let error as PostgresError where Self.isAboutNothing(error) {
                        try await connection.execute("ROLLBACK TO SAVEPOINT sluice_left")
                    }
                    try await connection.execute("RELEASE SAVEPOINT sluice_left")
                }
                if step.lock == nil { try await connection.execute("RESET SESSION AUTHORIZATION; RESET ALL") }
                try await note(connection)
            }
        }
    }

    /// No such table, column, or other object.
    private static func isAboutNothing(_ error: PostgresError) -> Bool {
        ["42P01", "42703", "42704"].contains(error.sqlState)
    }
}
