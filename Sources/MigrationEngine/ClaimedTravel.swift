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
                try await execute(statements, of: step) { try await ledger.doubt(on: $0) }
            }
        }
    }

    /// A worker may die when a step is in the ledger, and its promise not settled yet: what is done counts as done.
    func settleDone() async throws {
        let undo = "undo/"
        try await steps.settle { name in
            try await pool.withConnection { connection in
                if name == plan.repairID {
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
            // Somebody may have left a column NULL since: whom a constraint then refuses every write.
            try await pool.withConnection { try await travel.requireValues(before: step, on: $0) }
            let settled = plan.settling(whenUndone: step, filled: travel.record.filled)
            try await execute(
                (statements ?? []) + settled, of: step, hurts: step.hurtsBackwards,
                looksAtTriggers: step.phase == .contract,
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
