internal import PostgreSQL
internal import SchemaChange

/// What is known of the triggers before a step, so that what it leaves is taken for right only if what it found was.
///
/// Somebody may have dropped one of another table while the step waited for a lock. Then the record stays as it was, which no
/// triggers will ever be like again: there is no proof until they are made anew.
struct TriggerRecord {
    private let step: Step
    private let plan: Plan
    private let isAsRecorded: Bool
    private let ofOthers: String

    init(of step: Step, _ plan: Plan, _ ledger: Ledger, on connection: PostgresConnection) async throws {
        self.step = step
        self.plan = plan
        let record = try await ledger.read(connection)
        let applied = record?.applied ?? []
        let checks = plan.mappings.contains { $0.writer == .application }
        let areMade = plan.steps.contains {
            applied.contains($0.id) && ($0.phase == .dualWrite || checks && $0.phase == .expand)
        }
        // None are there yet; all are made anew; or all go.
        let beginsAnew = !areMade || step.id == plan.repairID || step.id.hasPrefix("purge/")
        let found = try await TriggerFingerprint.read(plan, on: connection)
        isAsRecorded = beginsAnew || found == record?.triggers ?? TriggerFingerprint.none
        ofOthers = try await TriggerFingerprint.read(plan, without: step.table, on: connection)
    }

    /// After the step's statements, in the same transaction.
    func take(over ledger: Ledger, on connection: PostgresConnection) async throws {
        let others = try await TriggerFingerprint.read(plan, without: step.table, on: connection)
        guard isAsRecorded, others == ofOthers || step.id == plan.repairID || step.table == nil else { return }
        try await ledger.set(triggers: try await TriggerFingerprint.read(plan, on: connection), on: connection)
    }
}
