internal import SchemaChange

/// What to do next for a migration, by what the ledger knows and what is wanted: pure.
enum WalkDecision: Hashable, Sendable {
    /// Nothing is in force and nothing is wanted.
    case rest
    /// Make a plan from the live database and pin it.
    case pin
    /// Undo the pinned plan, which nobody depends on yet, to make way for another.
    case undoOldPlan
    case travel
    /// The archive has been kept for long enough.
    case purge
    case refuse(Interruption)

    static func decide(_ record: LedgerRecord?, planHash: String, target: Phase) -> WalkDecision {
        guard let record else { return target == .initial ? .rest : .pin }
        if target == .initial {
            if record.isPurged { return .refuse(.notReversible) }
            return record.isUntouched && record.target == .initial ? .rest : .travel
        }
        if record.planHash != planHash {
            if record.isUntouched { return .pin }
            guard record.provenAt == nil else { return .refuse(.planChanged) }
            return .undoOldPlan
        }
        // Whoever comes back from Initial finds a catalog that may have changed.
        if record.isUntouched && record.target == .initial { return .pin }
        if record.isPurged {
            return target == .contract ? .rest : .refuse(.notReversible)
        }
        if target == .contract, record.phase == .contract, record.isKeepingOver { return .purge }
        return .travel
    }
}

extension Interruption {
    static let planChanged = Interruption.stalled(
        reason: "PlanChanged",
        message: "the changes differ from the plan that was proven, and an application may depend on it; "
            + "restore them, or set phase: Initial first, or write a second Migration"
    )
    static let notReversible = Interruption.stalled(
        reason: "NotReversible",
        message:
            "the archive is gone since contract.keepFor is over; write a new Migration that brings the columns back"
    )
}
