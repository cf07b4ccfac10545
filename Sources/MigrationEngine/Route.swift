internal import SchemaChange

/// The way from what is in force to a phase: pure, so that it can be tested by tables.
enum Move: Hashable, Sendable {
    case apply(Step)
    case revert(Step)
    /// Counts a step as undone whose undoing would find nothing to do.
    case forget(Step)
    /// Makes the triggers again, one of which somebody dropped, disabled or replaced. Markers and rows stay.
    case repair(Step)
    /// Every step up to this phase is in force, and none above it.
    case arrive(Phase)

    /// All moves, in order, from `applied` and `phase` to `target`.
    ///
    /// First everything above the target is undone, last in first out, then what is missing up to it is done. Whoever
    /// comes back from Contract proves again what the archive kept; and nothing is filled or compared while an old column
    /// is in the archive, so a way back from Contract that turns round goes down to the dual write first.
    static func route(of plan: Plan, applied: Set<String>, phase: Phase, to target: Phase) -> [Move] {
        var moves: [Move] = []
        var inForce = applied
        var reached = phase
        func revert(_ step: Step) {
            moves.append(.revert(step))
            inForce.remove(step.id)
        }
        let contract = plan.steps(of: .contract)
        let isInContract = phase == .contract || contract.contains { applied.contains($0.id) }
        let isProofWhole = plan.steps(of: .backfill).allSatisfy { !$0.isProof || applied.contains($0.id) }
        let leavesContract = isInContract && (target < .contract || !isProofWhole)
        if leavesContract {
            for step in plan.steps(of: .backfill).reversed() where step.isProof && inForce.contains(step.id) {
                revert(step)
            }
        }
        for undone in Phase.allCases.reversed() where undone > target || (leavesContract && undone == .contract) {
            let steps = plan.steps(of: undone).reversed().filter { inForce.contains($0.id) }
            for step in steps {
                guard let others = step.undoneBefore else { continue }
                if inForce.isSuperset(of: others) {
                    revert(step)
                } else {
                    moves.append(.forget(step))
                    inForce.remove(step.id)
                }
            }
            for step in steps where step.undoneBefore == nil { revert(step) }
            if leavesContract, undone == .contract {
                for step in plan.steps(of: .backfill).reversed()
                where step.goesWithContract == true && inForce.contains(step.id) { revert(step) }
            }
            let below = leavesContract && undone == .contract ? Phase.dualWrite : undone.previous!
            if reached > below, reached >= undone || leavesContract {
                moves.append(.arrive(below))
                reached = below
            }
        }
        for done in Phase.allCases where done > .initial && done <= target {
            for step in plan.steps(of: done) where !inForce.contains(step.id) { moves.append(.apply(step)) }
            if done > reached { moves.append(.arrive(done)) }
        }
        return moves
    }
}

extension Step {
    /// Whether it is part of what makes the proof.
    var isProof: Bool {
        switch action {
        case .backfill, .fillMove, .verify, .check: true
        case .statements, .concurrently, .buildIndex, .dropIndex, .clearIndex, .declaration: false
        }
    }
}

extension Move {
    /// Whether it takes away what a new version of the application may use.
    var takesAway: Bool {
        guard case .revert(let step) = self, step.phase < .backfill else { return false }
        switch step.action {
        case .statements, .buildIndex, .dropIndex: return true
        case .concurrently, .clearIndex, .declaration, .backfill, .fillMove, .check, .verify: return false
        }
    }

    /// The id of the step that it undoes.
    var reverted: String? {
        if case .revert(let step) = self { step.id } else { nil }
    }

    var isRevert: Bool {
        switch self {
        case .revert, .forget: true
        case .apply, .repair, .arrive: false
        }
    }

    /// Whether it brings back what Contract took away.
    var leavesArchive: Bool {
        if case .revert(let step) = self { step.phase == .contract } else { false }
    }

    var irreversible: Step? {
        if case .revert(let step) = self, case .statements(_, nil) = step.action { step } else { nil }
    }
}
