internal import MigrationEngine
internal import SchemaChange

/// The end of a Migration. Orphan lets go; Compensate walks back to the beginning first, under the same guards.
extension Reconciliation {
    func deletion() -> [Action] {
        guard migration.hasFinalizer else { return stopIfRunning() }
        guard migration.deletionPolicy == .compensate else {
            return stopIfRunning()
                + letGo(
                    .init(
                        .normal, "Orphaned", "what the migration made stays in the database, and can be adopted again"))
        }
        guard migration.spec != nil else {
            let finding = SpecFinding(
                path: "spec", what: migration.specProblem ?? "it cannot be read", advice: Self.wayOut)
            return stopIfRunning() + tell(.invalid([finding]))
        }
        if isSuspended {
            return stopIfRunning() + tell(.suspended)
        }
        if let failure = observed.databaseFailure, !(observed.worker?.isRunning ?? false) {
            if failure.reason == DatabaseFailure.secretNotFound, observed.namespaceIsTerminating {
                return letGo(
                    .init(
                        .warning, "NotCompensated",
                        "the namespace goes away and its Secret has gone already, so nothing could be undone"))
            }
            if hasNeverReachedTheDatabase {
                return letGo(.init(.normal, "NothingToUndo", "the migration never reached its database"))
            }
            if let wait = remaining(from: failure.at, Timing.database(attempts: failure.attempts)) {
                return tell(.databaseUnavailable(failure)) + [.requeue(after: wait)]
            }
        }
        return compensation()
    }

    /// The ledger's first word, the plan's hash, never came back.
    private var hasNeverReachedTheDatabase: Bool {
        guard let failure = observed.databaseFailure, failure.reason != DatabaseFailure.unavailable else {
            return false
        }
        let status = migration.status
        return observed.ledger == .unread && status?.planHash == nil && status?.phase ?? .initial == .initial
    }

    private static let wayOut = "mend it, or set deletionPolicy to Orphan to let go of it"

    private func letGo(_ event: MigrationEvent) -> [Action] {
        [.event(event), .removeFinalizer]
    }

    private func compensation() -> [Action] {
        guard let worker = observed.worker else {
            switch observed.ledger {
            case .unread: return [.readLedger]
            case .unknown: return [.removeFinalizer]
            case .known: return [.startWorker(.initial)]
            }
        }
        guard currentWorker != nil else { return stopIfRunning() + [.startWorker(.initial)] }
        if worker.isRunning { return whileRunning(worker) }
        guard let report = worker.report, let ended = worker.endedAt else {
            return withoutReport(worker) ?? [.startWorker(.initial)]
        }
        switch report.activity {
        case .reached:
            return [.forget]
                + letGo(.init(.normal, "Compensated", "everything that the migration made was undone"))
        case .stalled:
            return again(worker, ended, Timing.stalled(fruitless: worker.fruitless), telling: report)
        case .waiting, .working:
            return again(worker, ended, Timing.waiting(fruitless: worker.fruitless), telling: report)
        }
    }
}
