internal import Backfill
internal import DurableExecution
internal import DurablePromises
internal import Foundation
internal import Logging
internal import PostgreSQL
internal import SchemaChange

/// One walk on its way: claims the walk's root promise, mints a fence, and makes the moves of the route, each step as a
/// promise under the root.
struct Travel: Sendable {
    let run: MigrationRun
    let record: LedgerRecord
    let target: Phase
    /// Whether tables or columns are gone of those that it undoes: what has nothing to be undone any more is passed over.
    var isBereft = false

    var ledger: Ledger { run.ledger }
    var spec: MigrationSpec { run.spec }
    private var reporter: Reporter { run.reporter }

    /// True when the target is reached; false when the ledger changed meanwhile, and the way must be decided again.
    func go(on connection: PostgresConnection) async throws -> Bool {
        if record.target != target {
            // Somebody who walks the other way is let finish, or asked to stop by whoever started them.
            guard try await !ledger.isHeld(record, byOtherThan: run.engine.worker, on: connection) else {
                throw Interruption.heldByAnother
            }
            if try await !sayThatItArrived(on: connection) {
                _ = try await ledger.beginWalk(to: target, after: record, on: connection)
            }
            return false
        }
        let route = Move.route(of: record.plan, applied: record.applied, phase: record.phase, to: target)
        if try await !ledger.isHeld(record, byOtherThan: run.engine.worker, on: connection) {
            // Half a way back from Contract is gone all of it, whichever way it turns then.
            let goesBack = target < record.phase || target == .initial || route.first?.isRevert == true
            try await Drift.requireNone(record, goingBackTo: goesBack ? target : nil, on: connection)
        }
        if target == .initial, !isBereft, try await Drift.lacksWhatIsUndone(record, on: connection) {
            var bereft = self
            bereft.isBereft = true
            return try await bereft.go(on: connection)
        }
        if try await needsRepair(on: connection),
            let repair = record.plan.repair(whenApplied: record.applied, filled: record.filled)
        {
            // Of the archive too, before anything leaves it.
            _ = try await claimed(record.promise, on: connection) { try await $0.make(.repair(repair)) }
            return false
        }
        let moves = route
        let isGrown = record.phase == .backfill ? try await record.hasUnprovenPartitions(on: connection) : false
        if moves.isEmpty, isGrown {
            _ = try await claimed(record.promise, on: connection) { try await $0.provePartitions() }
            return false
        }
        if moves.isEmpty {
            try await requireProof(on: connection)
            let needsFilling = try await record.needsFilling(on: connection)
            // A worker that had arrived may have died before it could say so.
            let isUnsaid = try await ledger.isPending(record.promise, on: connection)
            guard needsFilling || isUnsaid else { return true }
            return try await claimed(record.promise, on: connection) { if needsFilling { try await $0.fillRest() } }
        }
        if let irreversible = moves.compactMap(\.irreversible).first {
            throw Interruption.stalled(
                reason: "CannotUndo",
                message:
                    "\(irreversible.title): nobody said how to undo it; give rollback or contractRollback in a new "
                    + "Migration, or stay at \(record.phase.rawValue)"
            )
        }
        try await waitForTurn(moves, on: connection)
        if record.isUntouched, try await planAgain(on: connection) { return false }
        try await requireTwoSides(for: moves, on: connection)
        if !isBereft, moves.contains(where: \.leavesArchive) {
            try await Latecomers.require(none: .onNewColumns, record, on: connection)
        }
        try await requireOldValues(for: moves, on: connection)
        if moves.contains(where: \.takesAway) { try await requireMayGoBack(on: connection) }
        let needsFilling = target >= .backfill ? try await record.needsFilling(on: connection) : false
        return try await claimed(record.promise, on: connection) { travel in
            if needsFilling { try await travel.fillRest() }
            if isGrown || moves.contains(where: \.leavesArchive) { try await travel.provePartitions() }
            for move in moves {
                try Task.checkCancellation()
                try await travel.make(move)
            }
        }
    }

    /// Settles a walk that is at its end, and whose worker died before it could say so: it is not abandoned for another.
    /// False when there is nothing to settle.
    private func sayThatItArrived(on connection: PostgresConnection) async throws -> Bool {
        let left = Move.route(of: record.plan, applied: record.applied, phase: record.phase, to: record.target)
        guard left.isEmpty, try await ledger.isPending(record.promise, on: connection) else { return false }
        return try await Travel(run: run, record: record, target: record.target)
            .claimed(record.promise, on: connection) { _ in }
    }

    /// Drops the archive: from then on there is no way back.
    func purge(on connection: PostgresConnection) async throws {
        if let renamed = try await Drift.renamed(record, on: connection) {
            throw Interruption.stalled(reason: Drift.reason, message: renamed)
        }
        var bereft = self
        bereft.isBereft = try await Drift.lacksWhatIsUndone(record, on: connection)
        _ = try await bereft.claimed(record.purgePromise, on: connection) { travel in
            for step in record.plan.purge { try await travel.make(.apply(step)) }
            try await travel.fenced { try await ledger.setPurged(on: $0) }
        }
    }

    /// A plan that was pinned and then waited describes the tables as they were before those it waited for. True when it
    /// differs from what they are like now, and was pinned anew, or is another worker's by now.
    private func planAgain(on connection: PostgresConnection) async throws -> Bool {
        let plan: Plan
        do {
            plan = try await Planner(name: run.name, spec: spec).plan(on: connection)
        } catch let error as PlanError {
            guard try await ledger.isOvertaken(record, on: connection) else { throw error }
            return true
        }
        guard plan != record.plan, plan.hash == record.planHash else { return false }
        try await ledger.replace(plan, after: record, on: connection)
        return true
    }

    /// Whether triggers that keep both sides right were dropped, disabled or replaced, and the user went to DualWrite to
    /// have them made again.
    private func needsRepair(on connection: PostgresConnection) async throws -> Bool {
        let steps = record.plan.steps(of: .dualWrite)
        guard target == .dualWrite, !steps.isEmpty, steps.allSatisfy({ record.applied.contains($0.id) }) else {
            return false
        }
        return try await TriggerFingerprint.read(record.plan, on: connection) != record.triggers
    }

    // MARK: The claim

    /// Runs `body` while this worker holds the task of `root`; false when that promise is settled already.
    private func claimed(
        _ root: String,
        on connection: PostgresConnection,
        _ body: @escaping @Sendable (ClaimedTravel) async throws -> Void
    ) async throws -> Bool {
        let settings = run.engine.configuration(application: "sluice/promises", schema: spec.schema)
        let promisePool = PostgresPool(settings, maximum: 2)
        let store = PromiseStore(pool: promisePool, settings: .init(lanes: 1), logger: run.logger)
        do {
            let isHeld = try await whileHeld(root, in: store, on: connection, body)
            store.close()
            await promisePool.close()
            // The walk ended, and yet there is something to do: another one begins.
            if !isHeld { _ = try await ledger.beginWalk(to: target, after: record, on: connection) }
            return isHeld
        } catch {
            store.close()
            await promisePool.close()
            throw error
        }
    }

    private func whileHeld(
        _ root: String,
        in store: PromiseStore,
        on connection: PostgresConnection,
        _ body: @escaping @Sendable (ClaimedTravel) async throws -> Void
    ) async throws -> Bool {
        let task = try await ForegroundTask.claim(
            root,
            on: store,
            worker: run.engine.worker,
            target: "poll://any@sluice",
            lease: run.engine.leaseDuration,
            logger: run.logger
        )
        guard let task else { return false }
        try await task.whileHeld { steps in
            let fence = try await ledger.mintFence(walk: record.walk, on: connection)
            let workSettings = run.engine.configuration(
                application: WorkerName.of(ledger.id, epoch: fence.epoch),
                schema: spec.schema,
                yields: true
            )
            // What was done before, and the fence, are of the history of this server: of no other that the same URL leads to.
            let server = try await ServerIdentity.read(connection)
            let pool = PostgresPool(workSettings, maximum: workers + 1) { session in
                guard try await ServerIdentity.read(session) == server else { throw Interruption.serverChanged }
            }
            do {
                let travel = ClaimedTravel(travel: self, steps: steps, client: store, fence: fence, pool: pool)
                try await travel.settleDone()
                try await body(travel)
                try await travel.forgetCalls()
                await pool.close()
            } catch {
                await pool.close()
                throw error
            }
        }
        return true
    }

    var workers: Int {
        min(16, max(1, spec.backfill?.workers ?? 2))
    }
}
