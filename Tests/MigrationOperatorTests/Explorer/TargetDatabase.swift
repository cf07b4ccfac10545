import Foundation
import MigrationEngine
import SchemaChange

@testable import MigrationOperator

/// What a target database knows of the one Migration, and what an engine does there in one step: its rules, without rows.
struct TargetDatabase: Hashable {
    /// Nil while the ledger does not know the Migration.
    var planHash: String?
    var phase = Phase.initial
    var walk = 0
    /// The plan whose rows are proven.
    var proof: String?
    /// Whether this plan was ever proven, so that somebody may depend on it.
    var wasProven = false
    var hasTriggers = true
    var isAway = false

    /// Whether a look at the proof says that it holds.
    var holdsProof: Bool { proof != nil && proof == planHash && hasTriggers && phase >= .backfill }

    var report: MigrationReport? {
        guard let planHash else { return nil }
        return MigrationReport(
            planHash: planHash, phase: phase, step: phase.rawValue, certificate: proof.map { certificate(plan: $0) },
            promise: "w\(walk)", activity: .working(reason: "Working", message: "on its way"))
    }

    var check: ProofCheck {
        guard let proof else { return .none }
        return holdsProof ? .holds(certificate(plan: proof)) : .broken(reason: "a trigger is gone")
    }

    /// One step of a run that walks to `target` with `plan`.
    mutating func step(_ plan: String, to target: Phase) -> MigrationReport.Activity {
        guard !isAway else { return .waiting(reason: "DatabaseUnavailable", message: "it is away") }
        guard let pinned = planHash else {
            if target == .initial { return .reached }
            (planHash, walk) = (plan, walk + 1)
            return going
        }
        if pinned != plan, target != .initial {
            guard !wasProven else { return .stalled(reason: "PlanChanged", message: "somebody may depend on it") }
            if phase == .initial { planHash = plan } else { goBack() }
            return going
        }
        if phase > target {
            goBack()
            return going
        }
        if phase < target { return goOn() }
        if phase >= .backfill, !holdsProof {
            return .stalled(reason: "ProofBroken", message: "a trigger is gone; go to DualWrite and on again")
        }
        return .reached
    }

    private var going: MigrationReport.Activity { .working(reason: "Working", message: "on its way") }

    private mutating func goBack() {
        if phase >= .backfill, phase != .contract { proof = nil }
        phase = phase.previous!
        if phase == .initial { wasProven = false }
    }

    private mutating func goOn() -> MigrationReport.Activity {
        let next = Phase.allCases[Phase.allCases.firstIndex(of: phase)! + 1]
        if next == .dualWrite { hasTriggers = true }
        if next == .backfill {
            guard hasTriggers else { return .stalled(reason: "ProofBroken", message: "a trigger is gone") }
            (proof, wasProven) = (planHash, true)
        }
        if next == .contract, !holdsProof { return .stalled(reason: "ProofBroken", message: "a trigger is gone") }
        phase = next
        return going
    }

    mutating func forget() {
        self = TargetDatabase(isAway: isAway)
    }
}
