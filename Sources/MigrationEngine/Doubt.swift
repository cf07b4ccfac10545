internal import PostgreSQL
internal import SchemaChange

/// Rows of which one side may hold what the other does not, and nobody knows which: nothing that holds them is taken away.
extension Ledger {
    static let doubtSchema =
        "ALTER TABLE sluice.migration ADD COLUMN IF NOT EXISTS in_doubt boolean NOT NULL DEFAULT false"

    /// Notes that rows may have been written past the triggers, or were found not to be as their side says. It stands until a
    /// comparison has found every row right.
    ///
    /// What was never proven nobody relies on: there the old side is all there is.
    func doubt(on connection: PostgresConnection) async throws {
        _ = try await connection.query(
            "UPDATE sluice.migration SET in_doubt = true WHERE id = $1 AND proven_at IS NOT NULL", [.text(id)])
    }
}

extension LedgerRecord {
    static let doubt =
        "rows were written past the triggers that keep both sides right, or are not as their side says, and no comparison "
        + "has found all of them right since"

    private static let wayOut =
        "set phase: Backfill, which compares every row and names those (Mismatch); "
        + "to write one side of such a row gives up what its other side holds"

    /// - Throws: a stalled ``Interruption`` when the triggers are not as the ledger has them.
    func requireTriggers(of plan: Plan, on connection: PostgresConnection) async throws {
        guard provenAt != nil else { return }
        guard try await TriggerFingerprint.read(plan, on: connection) == triggers ?? TriggerFingerprint.none else {
            throw Interruption.stalled(
                reason: "ProofBroken",
                message:
                    "a trigger that keeps both sides right was dropped, disabled or replaced, so what would go may be "
                    + "all there is; \(ProofCheck.remedy)"
            )
        }
    }

    /// - Throws: a stalled ``Interruption`` while the rows are in doubt.
    func requireComparison() throws {
        guard isInDoubt else { return }
        throw Interruption.stalled(
            reason: "ProofBroken", message: "what would go may be all there is: \(Self.doubt); \(Self.wayOut)")
    }
}

extension Travel {
    /// Looks before anything is undone, the proof first of all, whether what would go is on the other side as well. Each step
    /// looks again, under its lock.
    ///
    /// Of a walk that is bereft somebody has dropped a part by hand, and so given it up.
    func requireTwoSides(for moves: [Move], on connection: PostgresConnection) async throws {
        let takesAway = moves.contains(where: \.takesAway)
        guard !isBereft, takesAway || moves.contains(where: \.leavesArchive),
            try await !ledger.isHeld(record, byOtherThan: run.engine.worker, on: connection),
            let current = try await ledger.read(connection)
        else { return }
        try await current.requireTriggers(of: record.plan, on: connection)
        if takesAway { try current.requireComparison() }
    }
}
