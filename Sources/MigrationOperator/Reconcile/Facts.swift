internal import Backfill
internal import Foundation
internal import KubernetesClient
internal import MigrationEngine
internal import SchemaChange

/// What a status says of the data, whoever it is known from: the engine, the ledger, or the status of before.
struct Facts: Hashable {
    enum Proof: Hashable {
        case holds
        case missing
        case broken(String)
        /// It was proven for a spec of before; whether that is the same plan is not known yet.
        case unknown
    }

    /// Whose data it is.
    enum Source: Hashable {
        /// Of the plan that the spec asks for.
        case present
        /// Of another plan than the spec asks for.
        case other
        /// Of the plan that a spec of before asked for; whether that is the same one is not known yet.
        case before
    }

    var source: Source
    var phase: Phase = .initial
    var step: String
    var progress: MigrationStatus.Progress?
    /// What a run that is under way is held by.
    var hold: ThrottleHold?
    var verification: MigrationStatus.Verification?
    var proof: Proof
    var promise: String?
    var planHash: String?
    var plan: PlanSummary?
    var reversibleUntil: Timestamp?

    /// From the engine or the ledger.
    ///
    /// - Parameter source: as far as the report itself does not say.
    init(_ report: MigrationReport, from source: Source, proofFailure: String?, before: MigrationStatus?) {
        self.source = report.isOfOtherPlan ? .other : source
        phase = report.phase
        step = report.step
        verification = report.certificate.map { .init($0) }
        promise = report.promise
        planHash = report.planHash
        // The run that made it tells it; after that it is read from the status of before.
        plan = [report.plan, before?.plan].compactMap(\.self).first { $0.planHash == report.planHash }
        reversibleUntil = report.reversibleUntil.map {
            Timestamp(Date(timeIntervalSince1970: $0.timeIntervalSince1970.rounded(.down)))
        }
        progress = report.progress.map { .init($0) }
        hold = report.hold
        if progress == nil, report.phase >= .backfill {
            // It is done: how far it came stays to be read. An operator that began later takes it from the proof.
            progress = before?.progress
            if progress == nil, let verification {
                let rows = verification.rowsCompared
                progress = MigrationStatus.Progress(BackfillProgress(rowsDone: rows, rowsTotal: rows))
            }
            progress?.rowsPerSecond = nil
            progress?.estimatedCompletion = nil
        }
        proof = Self.proof(report, proofFailure)
        // What holds for a plan of before, or does not, says nothing of another.
        switch self.source {
        case .present: break
        case .other: proof = .missing
        case .before: if proof == .holds { proof = .unknown }
        }
    }

    /// From the status of before, while nothing fresher is known.
    init(carriedFrom status: MigrationStatus?, isOfPresentSpec: Bool) {
        // Where nothing was made yet there is nothing to be another's.
        let wasKnown = status?.condition(.expanded)?.status != .unknown
        source = isOfPresentSpec && wasKnown || (status?.phase ?? .initial) == .initial ? .present : .before
        phase = status?.phase ?? .initial
        step = status?.step ?? "Pending"
        progress = status?.progress
        verification = status?.verification
        promise = status?.promise
        planHash = status?.planHash
        plan = status?.plan
        reversibleUntil = status?.reversibleUntil
        proof =
            switch status?.condition(.verified)?.status {
            case .yes: source == .present ? .holds : .unknown
            case .unknown: .unknown
            case .no, nil: .missing
            }
    }

    private static func proof(_ report: MigrationReport, _ failure: String?) -> Proof {
        guard let certificate = report.certificate, certificate.planHash == report.planHash,
            certificate.mismatches == 0, report.phase >= .backfill
        else { return .missing }
        return (failure ?? report.proofFailure).map { .broken($0) } ?? .holds
    }
}

extension MigrationReport {
    /// Whether what is pinned is another plan than the spec asks for.
    fileprivate var isOfOtherPlan: Bool {
        if case .stalled("PlanChanged", _) = activity { return true }
        guard let planHash, let wantedPlanHash else { return false }
        return planHash != wantedPlanHash
    }
}
