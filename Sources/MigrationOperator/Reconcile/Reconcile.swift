internal import Foundation
internal import KubernetesClient
internal import MigrationEngine
internal import SchemaChange

/// What to do about a Migration, given everything that is known of it. No I/O; the same input gives the same actions.
///
/// It may be asked at any time and any number of times. When nothing is to be done it returns nothing but when to look
/// again.
public func reconcile(_ desired: Migration, _ observed: Observed) -> [Action] {
    let reconciliation = Reconciliation(migration: desired, observed: observed)
    return desired.metadata.isBeingDeleted ? reconciliation.deletion() : reconciliation.walk()
}

/// One question and what its parts need: the walk (`+Walk`), the end (`+Deletion`), the words (`+Status`).
struct Reconciliation {
    let migration: Migration
    let observed: Observed

    /// The phase to walk to. On the way out that is the beginning.
    var target: Phase {
        migration.metadata.isBeingDeleted ? .initial : migration.spec?.desiredPhase ?? .initial
    }

    var isSuspended: Bool { migration.spec?.suspend ?? false }

    /// The worker, if it was started for this very spec.
    var currentWorker: WorkerState? {
        observed.worker.flatMap { worker in
            worker.uid == migration.metadata.uid && worker.generation == migration.generation
                && worker.phase == target ? worker : nil
        }
    }

    /// What is known of the Migration's data, from the freshest source that is about this spec.
    var known: MigrationReport? {
        if let report = knownToWorker { return report }
        if case .known(let report) = observed.ledger { return report }
        return nil
    }

    /// What a run with this very spec has seen.
    private var knownToWorker: MigrationReport? {
        guard let worker = currentWorker else { return nil }
        if isTakingUp(worker) { return worker.previous }
        if let report = worker.report, report.isFromLedger { return report }
        return worker.previous
    }

    /// Whose data a report of ``known`` is about. The ledger knows of no spec: what it says is of this one where the status
    /// is, and of the same plan.
    func source(of report: MigrationReport) -> Facts.Source {
        if knownToWorker != nil { return .present }
        return isStatusOfPresentSpec && report.planHash == migration.status?.planHash ? .present : .before
    }

    /// Whether the plan that the status speaks of is the one that this spec asks for: the status was found for it, or for one
    /// that differs in nothing that a plan is made from.
    var isStatusOfPresentSpec: Bool {
        guard let status = migration.status else { return false }
        if status.observedGeneration == migration.generation {
            return status.condition(.expanded)?.status != .unknown && status.condition(.verified)?.status != .unknown
        }
        return status.specHash != nil && status.specHash == migration.spec?.planSource
    }

    /// What of the spec the plan of these facts was made from.
    func specHash(_ facts: Facts) -> String? {
        let before = migration.status
        guard facts.planHash != nil else { return nil }
        let isFound = knownToWorker != nil && facts.source == .present
        // The status of an operator that did not say so is completed where it is beyond doubt.
        let isSettled = before?.specHash == nil && before.map(isSettled) == true && facts.planHash == before?.planHash
        guard isFound || isSettled else { return before?.specHash }
        // The same generation is the same spec: nothing needs to be computed again.
        if before?.observedGeneration == migration.generation, before?.planHash == facts.planHash,
            let hash = before?.specHash
        {
            return hash
        }
        return migration.spec?.planSource
    }

    /// Whether the worker runs only to see if a wait is over: nothing to speak of has happened in it yet.
    func isTakingUp(_ worker: WorkerState) -> Bool {
        guard worker.isRunning, let previous = worker.previous else { return false }
        guard let report = worker.report else { return true }
        if report.isFromLedger {
            guard report.phase == previous.phase, report.certificate == previous.certificate else { return false }
        }
        guard case .working = report.activity else { return false }
        return worker.startedAt.distance(to: observed.now) < Timing.grace.seconds
    }

    /// Whether the status says that rows were proven, in whichever database that was. On the way out that says nothing:
    /// what is not there needs no undoing.
    var wasProven: Bool {
        !migration.metadata.isBeingDeleted && migration.status?.planHash != nil && migration.status?.verification != nil
    }

    /// Whether the database that the Secret names now is not the one that the status speaks of.
    var isUnknownToDatabase: Bool {
        wasProven && observed.ledger == .unknown
    }

    static let unknownMessage =
        "this database does not know the Migration, which was proven in another one, or before a restore; point the "
        + "Secret back to that database, or delete the Migration and apply it anew"

    /// Why the proof that is known does not hold, by the last look at it. One that is gone does not hold, either.
    var proofFailure: String? {
        guard let certificate = known?.certificate, let proof = observed.proof, proof.certificate == certificate
        else { return nil }
        switch proof.result {
        case .broken(let reason):
            return reason
        case .none:
            return "the database has no proof of it any more: it was restored, or the migration was undone by hand; "
                + "it is walked again"
        case .holds(let planHash):
            return planHash == certificate.planHash
                ? nil : "the proof in the database is of another plan, \(planHash); it is walked again"
        }
    }

    /// How long until `date`, nil when it has passed.
    func remaining(until date: Date) -> Duration? {
        let seconds = observed.now.distance(to: date)
        return seconds > 0 ? .seconds(seconds) : nil
    }

    func remaining(from start: Date, _ duration: Duration) -> Duration? {
        remaining(until: start.addingTimeInterval(duration.seconds))
    }
}

extension Duration {
    var seconds: Double { self / .seconds(1) }
}
