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

    var phase: Phase = .initial
    var step: String
    var progress: MigrationStatus.Progress?
    var verification: MigrationStatus.Verification?
    var proof: Proof
    var promise: String?
    var planHash: String?
    var plan: PlanSummary?
    var reversibleUntil: Timestamp?

    /// From the engine or the ledger.
    init(_ report: MigrationReport, proofFailure: String?, before: MigrationStatus?) {
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
    }

    /// From the status of before, while nothing fresher is known.
    init(carriedFrom status: MigrationStatus?, generation: Int64) {
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
            case .yes: status?.holds(.verified, for: generation) == true ? .holds : .unknown
            case .unknown: .unknown
            case .no, nil: .missing
            }
    }

    private static func proof(_ report: MigrationReport, _ failure: String?) -> Proof {
        // The proof is of the plan that was pinned; the spec asks for another one.
        if case .stalled("PlanChanged", _) = report.activity { return .missing }
        guard let certificate = report.certificate, certificate.planHash == report.planHash,
            certificate.mismatches == 0, report.phase >= .backfill
        else { return .missing }
        return (failure ?? report.proofFailure).map { .broken($0) } ?? .holds
    }
}
