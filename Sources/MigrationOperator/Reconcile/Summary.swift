internal import Backfill
internal import KubernetesClient
internal import MigrationEngine
internal import SchemaChange

/// Each condition of a Migration, from where it stands and what is known of its data.
struct Summary {
    struct Finding: Hashable {
        var status: Condition.Status
        var reason: String
        var message: String

        init(_ status: Condition.Status, _ reason: String, _ message: String) {
            self.status = status
            self.reason = reason
            self.message = message
        }
    }

    let situation: Situation
    let facts: Facts
    let target: Phase
    let writer: DualWriter
    let isBeingDeleted: Bool

    var isVerified: Bool { facts.proof == .holds && facts.phase >= .backfill }

    /// Whoever goes back closes the gate first: a template that came now would need what is about to go.
    var isGateOpen: Bool { isVerified && target >= .backfill }

    /// Whether what was asked for is there, as far as a rollout needs it. Contract is told by a condition of its own,
    /// since it waits for a rollout that others begin only when this is ready.
    private var isComplete: Bool {
        switch target {
        case .contract: isGateOpen
        case .backfill: isGateOpen && facts.phase == .backfill
        default: situation == .reached
        }
    }

    func finding(_ condition: MigrationCondition) -> Finding {
        switch condition {
        case .ready: ready
        case .reconciling: reconciling
        case .stalled: stalled
        case .expanded: expanded
        case .dualWriting: dualWriting
        case .verified: verified
        case .gateOpen: gateOpen
        case .contracted: contracted
        case .throttled: throttled
        }
    }

    // MARK: Where it stands

    private var ready: Finding {
        switch situation {
        case .invalid, .suspended, .waitingForDependencies, .databaseUnavailable, .stalled, .proofBroken:
            Finding(.no, obstacle.reason, obstacle.message)
        case .waiting(DatabaseFailure.unavailable, let message):
            Finding(.no, DatabaseFailure.unavailable, message)
        case .working, .waiting, .reached:
            isComplete
                ? Finding(.yes, isGateOpen ? "GateOpen" : "PhaseReached", readyMessage)
                : Finding(.no, obstacle.reason, obstacle.message)
        }
    }

    private var readyMessage: String {
        isGateOpen ? "every row is proven; workloads that require it may roll out" : "\(target.rawValue) is complete"
    }

    private var reconciling: Finding {
        switch situation {
        case .invalid, .suspended, .stalled:
            return Finding(.no, obstacle.reason, "nothing is under way")
        case .working, .waiting, .reached, .waitingForDependencies, .databaseUnavailable, .proofBroken:
            if ready.status == .yes { return Finding(.no, "Ready", "nothing is under way that a rollout needs") }
            return Finding(.yes, obstacle.reason, obstacle.message)
        }
    }

    private var stalled: Finding {
        switch situation {
        case .invalid, .stalled: Finding(.yes, obstacle.reason, obstacle.message)
        default: Finding(.no, "NotStalled", "nothing has to be mended")
        }
    }

    /// What keeps it from being ready.
    private var obstacle: (reason: String, message: String) {
        switch situation {
        case .invalid(let findings):
            ("InvalidSpec", findings.map(\.description).joined(separator: "\n"))
        case .suspended:
            (
                "Suspended",
                isBeingDeleted
                    ? "it is to be undone, but spec.suspend is true: set it to false, or deletionPolicy to Orphan"
                    : "spec.suspend is true; what is done stays done"
            )
        case .waitingForDependencies(let message): ("WaitingForDependencies", message)
        case .databaseUnavailable(let failure): (failure.reason, failure.message)
        case .proofBroken(let reason): ("ProofBroken", reason)
        case .working(let reason, let message), .waiting(let reason, let message), .stalled(let reason, let message):
            (reason, message)
        case .reached:
            ("NotVerified", "\(facts.phase.rawValue) is complete, but there is no proof for it")
        }
    }

    // MARK: How far the data is

    /// What is there, but of another plan than the spec asks for, as far as is known.
    private var elsewhere: Finding? {
        switch facts.source {
        case .present: nil
        case .other: Finding(.no, "PlanChanged", "it is so for another plan than the spec asks for")
        case .before:
            Finding(.unknown, "SpecChanged", "it was so for the spec of before; this one has not been looked at")
        }
    }

    private var expanded: Finding {
        if facts.phase >= .expand, let elsewhere { return elsewhere }
        return facts.phase >= .expand
            ? Finding(.yes, "Expanded", "the new columns exist")
            : Finding(.no, "NotExpanded", "the new columns do not exist yet")
    }

    private var dualWriting: Finding {
        if facts.phase >= .dualWrite, let elsewhere { return elsewhere }
        return switch facts.phase {
        case .contract: Finding(.no, "Contracted", "the old columns are archived; nobody writes them")
        case .dualWrite, .backfill:
            switch writer {
            case .database:
                Finding(.yes, "TriggersInPlace", "what either version writes reaches both sides")
            case .application:
                Finding(
                    .yes, "ApplicationWrites", "the application writes both sides, and triggers note where it does not")
            }
        case .expand where target > .expand && writer == .application: Finding(.no, obstacle.reason, obstacle.message)
        case .initial, .expand: Finding(.no, "NotDualWriting", "new columns are not written with the old ones yet")
        }
    }

    private var verified: Finding {
        switch facts.proof {
        case .holds:
            Finding(.yes, "Verified", proofMessage)
        case .broken(let reason):
            Finding(.no, "ProofBroken", reason)
        case .unknown:
            Finding(.unknown, "SpecChanged", "it was verified for the spec of before; this one has not been looked at")
        case .missing:
            Finding(.no, "NotVerified", facts.verification == nil ? "no row is proven yet" : "the plan has changed")
        }
    }

    private var proofMessage: String {
        guard let proof = facts.verification else { return "every row was compared" }
        if proof.baseline == true { return "sluice baseline: the database had it already, and no row was compared" }
        return "\(proof.rowsCompared) rows compared (\(proof.oldSide) old side, \(proof.newSide) new side), "
            + "\(proof.mismatches) mismatches"
    }

    private var gateOpen: Finding {
        if isGateOpen { return Finding(.yes, "Verified", "workloads that require it may roll out") }
        if isVerified {
            return Finding(.no, "GoingBack", "it is on its way back to \(target.rawValue)")
        }
        return Finding(verified.status == .unknown ? .unknown : .no, verified.reason, verified.message)
    }

    private var throttled: Finding {
        guard case .working = situation, let hold = facts.hold else {
            return Finding(.no, "NotThrottled", "nothing holds a backfill")
        }
        return Finding(.yes, hold.reason, hold.message)
    }

    private var contracted: Finding {
        if facts.phase == .contract {
            if let elsewhere { return elsewhere }
            let until = facts.reversibleUntil.map { "; can be undone until \($0)" } ?? ""
            return Finding(.yes, "Contracted", "the old columns are archived\(until)")
        }
        guard target == .contract else {
            return Finding(.no, "NotRequested", "spec.phase does not ask for it")
        }
        return Finding(.no, obstacle.reason, obstacle.message)
    }
}
