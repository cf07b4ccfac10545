internal import Backfill
internal import DurableExecution
internal import DurablePromises
internal import Foundation
internal import Logging
internal import PostgreSQL
internal import SchemaChange

/// A walk whose task this worker holds, with the fence that makes it the only one to change anything: makes moves.
struct ClaimedTravel: Sendable {
    let travel: Travel
    let steps: NamedSteps
    let client: PromiseStore
    let fence: Fence
    let pool: PostgresPool

    var run: MigrationRun { travel.run }
    var ledger: Ledger { travel.run.ledger }
    var reporter: Reporter { travel.run.reporter }
    var plan: Plan { travel.record.plan }
    var walk: Int64 { travel.record.walk }

    func make(_ move: Move) async throws {
        switch move {
        case .arrive(let phase):
            if phase == .backfill { try await requireStandbys() }
            let keepFor = travel.spec.contract?.keepFor?.duration ?? .seconds(168 * 3600)
            try await fenced { try await ledger.set(phase: phase, keepFor: phase == .contract ? keepFor : nil, on: $0) }
            run.logger.info("phase complete", metadata: ["phase": "\(phase.rawValue)"])
            if let record = try await pool.withConnection({ try await ledger.read($0) }) { reporter.take(record) }
        case .apply(let step):
            announce(step.stepName, step.title)
            try await steps.once(step.id, isDone: { try await isApplied(step) }) {
                try await apply(step)
            }
        case .revert(let step):
            announce("Undoing", "undoing: \(step.title)")
            try await steps.once("undo/\(step.id)", isDone: { try await !isApplied(step) }) {
                try await revert(step)
            }
        case .forget(let step):
            try await steps.once("undo/\(step.id)", isDone: { try await !isApplied(step) }) {
                try await fenced { try await ledger.note(reverted: step, on: $0) }
            }
        case .repair(let step):
            announce("Repairing", step.title)
            // It is on the way because they are not as the ledger has them, whatever was recorded before.
            try await steps.once(step.id, isDone: { false }) {
                guard case .statements(let statements, _) = step.action else { return }
                let filled = plan.mappings.filter { travel.record.filled.contains($0.token) }
                try await execute(statements + filled.flatMap(\.settle), of: step) { _ in }
            }
        }
    }

    /// A worker may die when a step is in the ledger, and its promise not settled yet: what is done counts as done.
    func settleDone() async throws {
        let undo = "undo/"
        try await steps.settle { name in
            try await pool.withConnection { connection in
                if name == plan.repair?.id {
                    return try await TriggerFingerprint.read(plan, on: connection) == travel.record.triggers
                }
                guard name.hasPrefix(undo) else { return try await ledger.isApplied(name, on: connection) }
                return try await !ledger.isApplied(String(name.dropFirst(undo.count)), on: connection)
            }
        }
    }

    /// Whoever reads on a standby must find what is proven, before anybody is let go to read it.
    private func requireStandbys() async throws {
        try await pool.withConnection { connection in
            guard let certificate = try await ledger.read(connection)?.certificate else { return }
            let behind = try await Standbys.behind(certificate.walPosition, on: connection)
            guard !behind.isEmpty else { return }
            throw Interruption.waiting(
                reason: "WaitingForStandbys",
                message: "standbys have not replayed the proof at \(certificate.walPosition) yet: "
                    + behind.joined(separator: ", ")
            )
        }
    }

    /// What must hold outside the database just before a step that takes something from a version of the application.
    func requireGuards(_ hurts: Hurt) async throws {
        switch hurts {
        case .nobody: break
        case .oldVersion:
            reporter.working("Guarding", reason: "Guarding", "looking whether the old version is gone")
            try await pool.withConnection { try await travel.requireContractGuards(on: $0) }
        case .newVersion: try await pool.withConnection { try await travel.requireMayGoBack(on: $0) }
        }
    }

    /// Whom a step would take something from, if they were still there.
    enum Hurt {
        case nobody, oldVersion, newVersion
    }

    func fenced<Value: Sendable>(_ body: (PostgresConnection) async throws -> Value) async throws -> Value {
        try await pool.withConnection { try await ledger.fenced(fence, on: $0, body) }
    }

    func announce(_ name: String, _ title: String) {
        run.doing = title
        run.logger.info("step", metadata: ["step": "\(title)", "epoch": "\(fence.epoch)"])
        reporter.working(name, reason: name, title)
    }

    private func isApplied(_ step: Step) async throws -> Bool {
        try await pool.withConnection { try await ledger.isApplied(step.id, on: $0) }
    }

    // MARK: Doing and undoing, side by side

    private func apply(_ step: Step) async throws {
        switch step.action {
        case .statements(let statements, _) where travel.isBereft:
            // Of the archive; a walk that is bereft goes to Initial, and applies nothing.
            try await executeWhatIsLeft(statements, of: step) {
                try await ledger.note(applied: step, walk: walk, on: $0)
            }
        case .statements(let statements, _):
            try await execute(statements, of: step, hurts: step.hurtsForwards) {
                try await ledger.note(applied: step, walk: walk, on: $0)
            }
        case .buildIndex(let index):
            try await build(index, of: step, hurts: step.hurtsForwards) {
                try await ledger.note(applied: step, walk: walk, on: $0)
            }
        case .dropIndex(let index):
            try await remove(index, of: step, hurts: step.hurtsForwards) {
                try await ledger.note(applied: step, walk: walk, on: $0)
            }
        case .clearIndex(let index):
            try await clear(index, of: step) { try await ledger.note(applied: step, walk: walk, on: $0) }
        case .backfill(let index):
            try await fill(plan.mappings[index], of: step)
        case .fillMove(let index):
            try await fill(plan.columnMoves[index], of: step)
        case .concurrently(let statements, _):
            try await executeConcurrently(statements, of: step, hurts: step.hurtsForwards) {
                try await ledger.note(applied: step, walk: walk, on: $0)
            }
        case .check(let query, let message):
            let found = try await pool.withConnection { try await $0.query(query) }.rows.compactMap { $0[0] }
            guard found.isEmpty else {
                let keys = found.map { "(\($0))" }.joined(separator: ", ")
                throw Interruption.stalled(reason: "DataNotReady", message: "\(message): keys \(keys)")
            }
            try await fenced { try await ledger.note(applied: step, walk: walk, on: $0) }
        case .declaration:
            try await PublicPromise.dualWrites(under: travel.record.promise).require(
                on: client,
                answeredBy: run.guards
            )
            try await fenced { try await ledger.note(applied: step, walk: walk, on: $0) }
        case .verify:
            try await verify(step)
        }
    }

    private func revert(_ step: Step) async throws {
        if travel.isBereft, try await undoWhatIsLeft(of: step) { return }
        switch step.action {
        case .statements(_, let statements):
            try await execute(
                statements ?? [], of: step, hurts: step.hurtsBackwards, looksAtTriggers: step.phase == .contract,
                table: step.undoneAs
            ) {
                try await ledger.note(reverted: step, on: $0)
            }
        case .buildIndex(let index):
            try await remove(index, of: step, hurts: step.hurtsBackwards) {
                try await ledger.note(reverted: step, on: $0)
            }
        case .dropIndex(let index):
            try await build(index, of: step, hurts: step.hurtsBackwards) {
                try await ledger.note(reverted: step, on: $0)
            }
        case .clearIndex(let index):
            try await clear(index, of: step) { try await ledger.note(reverted: step, on: $0) }
        case .concurrently(_, let statements):
            try await executeConcurrently(statements, of: step, hurts: .nobody) {
                try await ledger.note(reverted: step, on: $0)
            }
        case .backfill, .fillMove, .check, .declaration:
            // What was filled stays; it is looked at again on the way forwards, as who writes is asked again.
            try await fenced { try await ledger.note(reverted: step, on: $0) }
        case .verify:
            try await fenced { connection in
                try await ledger.set(certificate: nil, on: connection)
                try await ledger.note(reverted: step, on: connection)
            }
            reporter.update { $0.certificate = nil }
        }
    }

    // MARK: Statements

    /// In one transaction with the ledger's note. A lock that is not to be had soon is asked for again, with jitter, and
    /// whoever holds it is named; whether it still may be done is asked anew each time.
    ///
    /// What cannot be had back is done only while the triggers are those that kept both sides right, which is looked at
    /// under the lock.
    ///
    /// - Parameters:
    ///   - table: what the step's table is called now, where that is not as ever.
    ///   - lock: the strongest that these statements take, where it is not the step's.
    func execute(
        _ statements: [String],
        of step: Step,
        hurts: Hurt = .nobody,
        looksAtTriggers: Bool = false,
        table: TableName? = nil,
        lock: String? = nil,
        note: (PostgresConnection) async throws -> Void
    ) async throws {
        try await retryingLostRaces(step) {
            try await requireGuards(hurts)
            if hurts == .oldVersion { try await fillRest(all: true) }
            try await fenced { connection in
                let before =
                    step.phase == .backfill
                    ? nil : try await TriggerRecord(of: step, plan, ledger, on: connection)
                let partitions = ProvenPartitions(plan, of: ledger.id)
                let proven = before == nil ? [] : try await partitions.proven(on: connection)
                if !statements.isEmpty {
                    try await PartitionLock(lock ?? step.lock, table ?? step.table)?.take(on: connection)
                }
                if hurts != .nobody || looksAtTriggers {
                    if let table = table ?? step.table, (lock ?? step.lock) == "ACCESS EXCLUSIVE" {
                        try await connection.query("LOCK TABLE \(table.quoted) IN ACCESS EXCLUSIVE MODE")
                    }
                    try await requireTriggers(on: connection)
                    try await requirePartitions(looksAtTriggers, on: connection)
                }
                if hurts == .oldVersion {
                    if try await !isFilled(on: connection) { throw Unfilled() }
                    if let flaw = try await BothSides.flaw(plan, on: connection) { throw flaw }
                }
                // One round trip: a lock is not held over more than it takes.
                if !statements.isEmpty {
                    for result in try await connection.pipeline(statements.map { PostgresStatement($0) }) {
                        _ = try result.get()
                    }
                }
                // Statements of the user's may have set something; the session is used again.
                if step.lock == nil { try await connection.execute("RESET SESSION AUTHORIZATION; RESET ALL") }
                if step.phase == .dualWrite, step.id != plan.repair?.id {
                    try await ledger.forgetFilled(on: connection)
                }
                try await before?.take(over: ledger, on: connection)
                try await partitions.keep(proven, on: connection)
                try await note(connection)
            }
        }
    }

    /// Runs `body` until nobody is in its way: a lock that is not to be had in time, a deadlock. Pauses in between, longer
    /// and longer, so that everybody else passes, and says who it is.
    func retryingLostRaces(_ step: Step, _ body: () async throws -> Void) async throws {
        for attempt in 1... {
            do {
                return try await body()
            } catch is Unfilled {
                continue
            } catch let error as PostgresError where Violators.arePossible(error) {
                throw try await pool.withConnection { try await Violators.named(error, travel.run.doing, on: $0) }
            } catch is PartitionLock.TakesTooLong {
                reporter.working(
                    step.stepName, reason: "WaitingForLock",
                    "\(step.title): not all partitions could be locked at once; attempt \(attempt)")
                try await pause(after: attempt)
            } catch let error as PostgresError where error.isLostRace {
                try await pool.withConnection {
                    try await reportLock(step, on: step.table, suffix: "; attempt \(attempt)", asking: $0)
                }
                run.logger.notice("waiting for a lock", metadata: ["step": "\(step.title)", "attempt": "\(attempt)"])
                try await pause(after: attempt)
            }
        }
    }

    private func pause(after attempt: Int) async throws {
        let pause = min(5, 0.2 * Double(1 << min(attempt, 6))) * Double.random(in: 0.5...1)
        try await Task.sleep(for: .seconds(pause))
    }

    /// The old version wrote a row just before the lock was there, and a worker has to be asked about it.
    fileprivate struct Unfilled: Error {}

    /// What was never proven nobody relies on: there the old side is all there is.
    private func requireTriggers(on connection: PostgresConnection) async throws {
        guard travel.record.provenAt != nil else { return }
        let record = try await ledger.read(connection)
        let known = record?.triggers ?? TriggerFingerprint.none
        guard try await TriggerFingerprint.read(plan, on: connection) == known else {
            throw Interruption.stalled(
                reason: "ProofBroken",
                message:
                    "a trigger that keeps both sides right was dropped, disabled or replaced, so what would go may be "
                    + "all there is; \(ProofCheck.remedy)"
            )
        }
    }

    /// One that has come since the last look has rows that nobody has compared.
    ///
    /// - Parameter leavesArchive: the certificate is gone then, and what has no old side yet would be filled from none.
    private func requirePartitions(_ leavesArchive: Bool, on connection: PostgresConnection) async throws {
        guard let record = try await ledger.read(connection), leavesArchive || record.certificate != nil else { return }
        guard let new = try await record.partitions.unproven(on: connection).first else { return }
        throw Interruption.waiting(
            reason: "WaitingForPartitions",
            message: "partition \(new.name) has just come; its rows are filled and compared first")
    }

    /// Says that a step waits for a lock, and who holds it: everybody but this migration's workers.
    func reportLock(
        _ step: Step,
        on table: TableName?,
        suffix: String = "",
        asking connection: PostgresConnection
    ) async throws {
        var message = "\(step.title): found a table locked\(suffix)"
        let tables = [table, step.otherTable, step.undoneAs].compactMap(\.self)
        if let table, let blockers = try await LockBlockers.describe(tables, except: ledger.id, on: connection) {
            message = "\(step.title): \(table) is locked by \(blockers)\(suffix)"
        }
        reporter.working(step.stepName, reason: "WaitingForLock", message)
    }
}

extension Step {
    /// What Contract does takes something from the old version, but for what it has done with long since.
    fileprivate var hurtsForwards: ClaimedTravel.Hurt {
        phase == .contract && !id.hasPrefix("purge/") ? .oldVersion : .nobody
    }

    fileprivate var hurtsBackwards: ClaimedTravel.Hurt { phase < .backfill ? .newVersion : .nobody }

    /// One word for the status.
    var stepName: String {
        switch action {
        case .backfill, .fillMove: "Backfilling"
        case .declaration: "Declaring"
        case .verify: "Verifying"
        case .check: "Checking"
        case .concurrently, .buildIndex, .dropIndex, .clearIndex: "Indexing"
        case .statements:
            switch phase {
            case .initial, .expand: "Expanding"
            case .dualWrite: "CreatingTriggers"
            case .backfill: "Finishing"
            case .contract: "Contracting"
            }
        }
    }
}
