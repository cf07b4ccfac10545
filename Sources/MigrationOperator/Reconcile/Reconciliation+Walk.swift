internal import Foundation
internal import MigrationEngine
internal import SchemaChange

/// Towards the phase that is asked for.
extension Reconciliation {
    func walk() -> [Action] {
        let findings = SpecValidation.findings(migration)
        guard findings.isEmpty else {
            return stopIfRunning() + tell(.invalid(findings))
        }
        if isSuspended {
            return stopIfRunning() + tell(.suspended)
        }
        if !isRunning, let wait = dependencyWait() {
            // Nothing is written by a Migration that has not begun, so it needs no finalizer yet.
            return tell(.waitingForDependencies(wait)) + [.requeue(after: .seconds(30))]
        }
        let prepare: [Action] = migration.hasFinalizer ? [] : [.addFinalizer]
        if let failure = observed.databaseFailure, !isRunning,
            let wait = remaining(from: failure.at, Timing.database(attempts: failure.attempts))
        {
            return prepare + tell(.databaseUnavailable(failure)) + [.requeue(after: wait)]
        }
        guard let worker = observed.worker else { return prepare + takeUp() }
        guard currentWorker != nil else { return prepare + stopIfRunning() + start() }
        if worker.isRunning { return prepare + whileRunning(worker) }
        return prepare + afterRun(worker)
    }

    private var isRunning: Bool { observed.worker?.isRunning ?? false }

    func stopIfRunning() -> [Action] {
        isRunning ? [.stopWorker] : []
    }

    func whileRunning(_ worker: WorkerState) -> [Action] {
        // The Secret is read again once the run has its slot. Until then it is as it was.
        if worker.report == nil, let failure = observed.databaseFailure { return tell(.databaseUnavailable(failure)) }
        let shown = shownActivity(of: worker)
        // What it waited for before is waited for still, whether it has a slot or not.
        if worker.waitsForSlot, !(shown?.isObstacle ?? false) {
            return tell(
                .waiting(
                    reason: Situation.waitingForSlot,
                    message: "as many Migrations are worked on as may be, or as many of this namespace; it begins when "
                        + "one of them ends"))
        }
        guard let shown else {
            // The old status stands until there is something to say; kstatus sees that the generation is behind.
            let isNew = migration.status?.conditions == nil || migration.status?.step == Situation.waitingForSlot
            return isNew ? tell(.working(reason: Situation.starting, message: "a worker takes it up")) : []
        }
        return tell(Situation(shown))
    }

    /// What is told of a run: what it says itself, once it has come further than the one before.
    private func shownActivity(of worker: WorkerState) -> MigrationReport.Activity? {
        if isTakingUp(worker) { return worker.obstacle ?? worker.previous?.activity }
        guard let report = worker.report, report.isFromLedger || report.activity.isObstacle else {
            return worker.obstacle ?? worker.report?.activity
        }
        return report.activity
    }

    private func afterRun(_ worker: WorkerState) -> [Action] {
        guard let report = worker.report, let ended = worker.endedAt else {
            return withoutReport(worker) ?? start()
        }
        switch report.activity {
        case .reached:
            return atRest(report, since: ended)
        case .stalled:
            return again(worker, ended, Timing.stalled(fruitless: worker.fruitless), telling: report)
        case .waiting, .working:
            return again(worker, ended, Timing.waiting(fruitless: worker.fruitless), telling: report)
        }
    }

    /// After a run that did not come as far as its database: something was in the way that may be gone in a moment.
    func withoutReport(_ worker: WorkerState) -> [Action]? {
        guard let ended = worker.endedAt else { return nil }
        return remaining(from: ended, Timing.database(attempts: worker.fruitless)).map { [.requeue(after: $0)] }
    }

    func again(
        _ worker: WorkerState, _ ended: Date, _ wait: Duration, telling report: MigrationReport
    ) -> [Action] {
        if isUnknownToDatabase { return unknownToDatabase() }
        let situation = Situation(report.activity)
        if let rest = remaining(from: ended, wait) { return tell(situation) + [.requeue(after: rest)] }
        return start(telling: situation)
    }

    /// Starts a worker. Where rows were proven already, in the database that knows of it only: in another one, everything
    /// would be done anew, and nobody asked for that.
    private func start(telling situation: Situation? = nil) -> [Action] {
        let start = (situation.map { tell($0) } ?? []) + [.startWorker(target)]
        guard wasProven else { return start }
        switch observed.ledger {
        case .unread: return [.readLedger]
        case .unknown: return unknownToDatabase()
        case .known: return isLedgerFresh ? start : [.readLedger]
        }
    }

    private var isLedgerFresh: Bool {
        observed.ledgerReadAt.flatMap { remaining(from: $0, observed.proofInterval) } != nil
    }

    /// Somebody has to say which database is meant. Until then it is looked now and then.
    private func unknownToDatabase() -> [Action] {
        guard observed.databaseFailure == nil, let read = observed.ledgerReadAt,
            let rest = remaining(from: read, observed.proofInterval)
        else { return [.readLedger] }
        return tell(.stalled(reason: "PlanChanged", message: Self.unknownMessage)) + [.requeue(after: rest)]
    }

    /// After a start of the operator: what is settled is only looked at, everything else is walked on.
    private func takeUp() -> [Action] {
        guard let status = migration.status, isSettled(status) else { return start() }
        switch observed.ledger {
        case .unread:
            return [.readLedger]
        case .known(let report)
        where report.activity == .reached && report.phase == target && report.planHash == status.planHash
            && (target < .backfill || report.certificate != nil):
            return atRest(report, since: nil)
        case .known, .unknown:
            return start()
        }
    }

    /// Whether the status says that this very spec is complete.
    func isSettled(_ status: MigrationStatus) -> Bool {
        status.phase == target && status.planHash != nil
            && status.holds(.ready, for: migration.generation)
            && (target < .backfill || status.holds(.verified, for: migration.generation))
    }

    /// Nothing to do but to look at the proof now and then, and to drop the archive when it has been kept long enough.
    private func atRest(_ report: MigrationReport, since ended: Date?) -> [Action] {
        if let failure = proofFailure { return mending(failure, since: ended) }
        // The status keeps saying that the database is away until a look at it has succeeded.
        if observed.databaseFailure != nil { return [.checkProof] }
        if let due = purgeDue(report, since: ended), remaining(until: due) == nil {
            return start(telling: .reached)
        }
        var actions = tell(.reached)
        if let wait = purgeDue(report, since: ended).flatMap({ remaining(until: $0) }) {
            actions.append(.requeue(after: wait))
        }
        guard report.certificate != nil, report.phase >= .backfill else { return actions }
        let last = [ended, observed.proof?.at].compactMap(\.self).max()
        if let last, let rest = remaining(from: last, observed.proofInterval) {
            actions.append(.requeue(after: rest))
        } else {
            actions.append(.checkProof)
        }
        return actions
    }

    /// When a run is to drop the archive: it does so when it finds it kept for long enough. One that did not is followed
    /// by another a while later.
    private func purgeDue(_ report: MigrationReport, since ended: Date?) -> Date? {
        guard target == .contract, report.phase == .contract, let until = report.reversibleUntil else { return nil }
        guard let ended, ended >= until else { return until }
        return ended.addingTimeInterval(observed.proofInterval.seconds)
    }

    /// A run may mend it. Whether it did is seen by another look, and if it did not, the next run is a while away.
    private func mending(_ failure: String, since ended: Date?) -> [Action] {
        if let ended, let looked = observed.proof?.at, looked < ended { return [.checkProof] }
        if isUnknownToDatabase { return unknownToDatabase() }
        if isLedgerOlderThanFailure { return [.readLedger] }
        let told = tell(.proofBroken(failure))
        if let ended, let rest = remaining(from: ended, observed.proofInterval) {
            return told + [.requeue(after: rest)]
        }
        return told + [.startWorker(target)]
    }

    /// Whether the ledger is to be read before anything is done about a proof that is gone: what it said before the look
    /// is over. A proof that is broken is one that the ledger has.
    private var isLedgerOlderThanFailure: Bool {
        guard let proof = observed.proof else { return false }
        if case .broken = proof.result { return false }
        guard observed.ledger != .unread, let read = observed.ledgerReadAt else { return true }
        return read < proof.at
    }

    /// For whom it waits before it begins; nil when for nobody.
    private func dependencyWait() -> String? {
        let begun = known?.phase ?? migration.status?.phase ?? .initial
        guard target > .initial, begun < .backfill, let dependencies = migration.spec?.dependsOn else { return nil }
        if !observed.dependencyCycle.isEmpty {
            return "dependsOn goes round in a circle: \(observed.dependencyCycle.joined(separator: " → "))"
        }
        let waits = dependencies.compactMap { name -> String? in
            switch observed.dependencies[name] ?? .missing {
            case .verified: nil
            case .missing: "\(name), which does not exist"
            case .notVerified(let state): "\(name), which is not verified (\(state))"
            }
        }
        return waits.isEmpty ? nil : "waits for \(waits.joined(separator: "; and for "))"
    }
}
