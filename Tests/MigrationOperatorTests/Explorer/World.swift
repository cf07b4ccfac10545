import Foundation
import KubernetesClient
import MigrationEngine
import SchemaChange
import Testing

@testable import MigrationOperator

/// A cluster with one Migration and one Deployment that requires it, their target database, and an operator: everything
/// that decisions are made from, and every step that anybody may take next.
///
/// The decisions are the product's own, ``reconcile(_:_:)`` and ``decideGate(_:)``. What performs them is told here in a
/// few lines, one write a step, so that a crash may come between any two.
struct World: Hashable {
    // The API server's.
    var migration: Migration?
    var version = 0
    var births = 0
    var workload = World.oldVersion
    var database = TargetDatabase()
    var process = OperatorProcess()

    /// Whether, since the present template came, a live look found the proof of the live plan to hold: not what was
    /// concluded, but what was so.
    var hasBeenProven = false
    /// Whether pods of the template that requires the Migration run.
    var runsNewPods = false
    /// Who may still interfere, one after the other; nil is whoever.
    var interferences: [Step?]

    /// A property that does not hold, in words.
    struct Violation: Error, CustomStringConvertible {
        var description: String
    }

    /// What a user may ask for.
    struct Wish: Hashable, CustomStringConvertible {
        var phase: Phase
        var plan = "a"
        var isSuspended = false

        var description: String { "\(phase.rawValue) of plan \(plan)\(isSuspended ? ", suspended" : "")" }
    }

    static let wishes = [
        Wish(phase: .backfill), Wish(phase: .expand), Wish(phase: .initial), Wish(phase: .contract),
        Wish(phase: .backfill, plan: "b"), Wish(phase: .backfill, isSuspended: true),
        Wish(phase: .backfill, plan: "b", isSuspended: true),
    ]

    private static let wished = Dictionary(uniqueKeysWithValues: wishes.map { ($0, $0.migration) })

    enum Step: Hashable, CustomTestStringConvertible {
        // The operator's.
        case reconcile(most: Int)
        case lookAtGate, hold, beginToConfirm, readLive, askForProof, writeConfirmed
        // Of what it waits for.
        case seeChanges, engine, rollOut, timePasses
        // Of whoever interferes.
        case wish(Wish), delete, crash, loseDatabase, dropTrigger, apply, rollBack
        /// It is back, which is only a question of time.
        case findDatabase

        var testDescription: String {
            if case .wish(let wish) = self { "\(wish)" } else { "\(self)" }
        }
    }

    init(interferences: [Step?]) {
        self.interferences = interferences
        create(Self.wishes[0])
        renumber()
    }

    // MARK: Which steps there are

    /// Those that come by themselves, sooner or later, as far as they change anything now.
    var fairSteps: [Step] {
        var steps: [Step] = []
        if process.cached?.metadata.resourceVersion != migration?.metadata.resourceVersion { steps.append(.seeChanges) }
        if database.isAway { steps.append(.findDatabase) }
        if process.worker?.isRunning == true { steps.append(.engine) }
        steps.append(.reconcile(most: .max))
        steps.append(process.hold == nil ? .lookAtGate : .hold)
        switch process.confirmation {
        case .rest: steps.append(.beginToConfirm)
        case .reading: steps.append(.readLive)
        case .asking: steps.append(.askForProof)
        case .writing: steps.append(.writeConfirmed)
        }
        if !workload.isPaused, !runsNewPods, workload.requires("split") { steps.append(.rollOut) }
        return steps + [.timePasses]
    }

    var interferingSteps: [Step] {
        guard let next = interferences.first else { return [] }
        return next.map { [$0] } ?? Self.interferences
    }

    static let interferences: [Step] =
        wishes.map { .wish($0) } + [.delete, .crash, .loseDatabase, .dropTrigger, .apply, .rollBack]
        // Death after each of the actions of a round.
        + (0..<4).map { .reconcile(most: $0) }

    // MARK: Taking one

    /// The world after a step.
    ///
    /// - Throws: ``Violation`` where the step does what must never be done.
    func after(_ step: Step) throws -> World {
        var world = self
        switch step {
        case .reconcile(.max): try world.reconcileOnce(.max)
        case .reconcile(let most):
            try world.reconcileOnce(most)
            world.process = OperatorProcess()
            world.interferences.removeFirst()
        case .lookAtGate: world.lookAtGate()
        case .hold: world.hold()
        case .beginToConfirm: world.beginToConfirm()
        case .readLive: world.readLive()
        case .askForProof: world.askForProof()
        case .writeConfirmed: world.writeConfirmed()
        case .seeChanges: world.process.cached = world.migration
        case .engine: world.engine()
        case .rollOut: try world.rollOut()
        case .timePasses: world.process.grow()
        case .findDatabase: world.database.isAway = false
        case .wish(let wish):
            world.interferences.removeFirst()
            world.wish(wish)
        case .delete:
            world.interferences.removeFirst()
            world.delete()
        case .crash:
            world.interferences.removeFirst()
            world.process = OperatorProcess()
        case .loseDatabase:
            world.interferences.removeFirst()
            world.database.isAway = true
        case .dropTrigger:
            world.interferences.removeFirst()
            world.database.hasTriggers = false
        case .apply:
            world.interferences.removeFirst()
            world.apply(requires: "split")
        case .rollBack:
            world.interferences.removeFirst()
            world.apply(requires: nil)
        }
        try world.check()
        world.renumber()
        return world
    }

    /// Versions say which of two is newer, and nothing else: the same situation is to be the same world, however many
    /// writes ago it began.
    private mutating func renumber() {
        func number(_ migration: Migration?) -> Int {
            migration.flatMap { Int($0.metadata.resourceVersion ?? "") } ?? 0
        }
        let (cached, live) = (number(process.cached), number(migration))
        if process.lastWrite <= cached { process.lastWrite = 0 }
        let ranks = [0, cached, live, process.lastWrite, version].sorted()
        func rank(_ number: Int) -> Int { Set(ranks.prefix { $0 <= number }).count - 1 }
        process.cached?.metadata.resourceVersion = "\(rank(cached))"
        migration?.metadata.resourceVersion = "\(rank(live))"
        process.lastWrite = rank(process.lastWrite)
        version = rank(version)
        renumberWorkload()
    }

    /// What has to hold in every world.
    private func check() throws {
        if let status = migration?.status, let generation = migration?.metadata.generation {
            guard status.observedGeneration <= generation else {
                throw Violation(description: "a status speaks of a generation that has not been")
            }
            let isOpen = RequiredMigration(migration) == .open(planHash: status.planHash ?? "")
            if let spec = migration?.spec, migration?.metadata.isBeingDeleted == false {
                for type in [MigrationCondition.expanded, .dualWriting, .verified, .contracted]
                where status.holds(type, for: generation) && status.planHash != spec.planHash {
                    throw Violation(description: "\(type.rawValue) of another plan than the spec asks for")
                }
            }
            if isOpen, (migration?.spec?.desiredPhase ?? .initial) < .backfill {
                throw Violation(description: "the gate is open for who goes back")
            }
        }
    }

    // MARK: Whoever interferes

    private mutating func create(_ wish: Wish) {
        births += 1
        var created = Self.wished[wish]!
        created.metadata.uid = "u\(births)"
        created.metadata.finalizers = []
        store(created)
    }

    private mutating func wish(_ wish: Wish) {
        guard var changed = migration else { return create(wish) }
        let wished = Self.wished[wish]!
        guard changed.rawSpec != wished.rawSpec else { return }
        (changed.spec, changed.rawSpec) = (wished.spec, wished.rawSpec)
        changed.metadata.generation = (changed.metadata.generation ?? 1) + 1
        store(changed)
    }

    private mutating func delete() {
        guard var deleted = migration, !deleted.metadata.isBeingDeleted else { return }
        guard deleted.hasFinalizer else { return store(nil) }
        deleted.metadata.deletionTimestamp = Timestamp(now)
        deleted.metadata.generation = (deleted.metadata.generation ?? 1) + 1
        store(deleted)
    }

    private mutating func store(_ object: Migration?) {
        version += 1
        migration = object
        migration?.metadata.resourceVersion = "\(version)"
    }

    // MARK: What the operator waits for

    private mutating func engine() {
        guard var worker = process.worker, worker.isRunning, let spec = process.cached?.spec ?? migration?.spec else {
            return
        }
        let activity = database.step(spec.planHash, to: worker.phase)
        var report = database.isAway ? nil : database.report
        if report == nil { report = MigrationReport(isFromLedger: !database.isAway, activity: activity) }
        report?.activity = activity
        if report?.isFromLedger == true { report?.wantedPlanHash = spec.planHash }
        worker.report = report
        if case .working = activity {
        } else {
            worker.endedAt = now
            worker.fruitless = activity == .reached ? 0 : min(worker.fruitless + 1, 2)
        }
        process.worker = worker
    }

    // MARK: The operator, a Migration

    /// A round that only read something is followed by one that knows it, as in the controller. Ends after so many actions.
    private mutating func reconcileOnce(_ most: Int) throws {
        guard let cached = process.cached else {
            process.worker = nil
            process.memory = MigrationMemory.Entry()
            return
        }
        guard Int(cached.metadata.resourceVersion ?? "")! >= process.lastWrite else { return }
        if process.memory.uid != cached.metadata.uid {
            process.memory = MigrationMemory.Entry(uid: cached.metadata.uid)
        }
        var left = most
        for _ in 0..<8 {
            var next = Next.rest
            for action in reconcile(cached, process.observed(proofInterval: .seconds(60))) {
                guard left > 0 else { return }
                left -= 1
                switch try perform(action, for: cached) {
                case .rest: break
                case .lookAgain: next = .lookAgain
                case .stop: return
                }
                if process.memory.failure?.at == now, next == .lookAgain, database.isAway { break }
            }
            if next == .rest { return }
        }
    }

    /// What comes after an action.
    private enum Next {
        case rest, lookAgain
        /// Somebody wrote it meanwhile.
        case stop
    }

    private mutating func perform(_ action: Action, for cached: Migration) throws -> Next {
        switch action {
        case .addFinalizer: return patch(cached) { $0.metadata.finalizers = [SluiceName.finalizer] } ? .rest : .stop
        case .removeFinalizer:
            guard
                database.planHash == nil || cached.deletionPolicy == .orphan
                    || migration?.metadata.uid != cached.metadata.uid
            else { throw Violation(description: "let go of a Migration that is not undone") }
            process.memory = MigrationMemory.Entry()
            return patch(cached) { $0.metadata.finalizers = [] } ? .rest : .stop
        case .startWorker(let phase):
            guard isLive(cached) else { return .stop }
            try start(phase, for: cached)
        case .stopWorker: process.worker = nil
        case .readLedger, .checkProof, .forget:
            guard !database.isAway else {
                process.memory.failure = DatabaseFailure(
                    reason: DatabaseFailure.unavailable, message: "it is away", at: now,
                    attempts: min((process.memory.failure?.attempts ?? 0) + 1, 2))
                return .lookAgain
            }
            if action == .forget, !isLive(cached) { return .stop }
            look(action, cached)
            if action != .forget { return .lookAgain }
        case .writeStatus(let status): return write(status, of: cached) ? .rest : .stop
        case .event, .requeue: break
        }
        return .rest
    }

    private mutating func start(_ phase: Phase, for cached: Migration) throws {
        guard process.worker?.isRunning != true else { throw Violation(description: "two engines at once") }
        guard migration?.metadata.uid != cached.metadata.uid || migration?.hasFinalizer == true else {
            throw Violation(description: "an engine began before the finalizer was there")
        }
        let last = process.worker
        var worker = WorkerState(
            uid: cached.metadata.uid, generation: cached.generation, phase: phase, startedAt: now)
        if let last, last.uid == worker.uid, last.generation == worker.generation, last.phase == phase {
            worker = last.next(startedAt: now)
        }
        process.worker = worker
        process.memory.failure = nil
        process.memory.ledger = .unread
    }

    private mutating func look(_ action: Action, _ cached: Migration) {
        process.memory.failure = nil
        switch action {
        case .readLedger:
            process.memory.ledger =
                database.report.map { report in
                    var report = report
                    report.activity = .reached
                    return .known(report)
                } ?? .unknown
            process.memory.ledgerReadAt = now
        case .checkProof:
            let observed = process.observed(proofInterval: .seconds(60))
            let known = Reconciliation(migration: cached, observed: observed).known?.certificate
            process.memory.proof = ProofReading(.init(database.check), at: now, of: known)
        default:
            database.forget()
        }
    }

    /// Whether it is still what is there, as a read of it says.
    private func isLive(_ cached: Migration) -> Bool {
        migration?.metadata.uid == cached.metadata.uid && migration?.metadata.generation == cached.metadata.generation
    }

    /// By the version that was seen, or that our own write before it made.
    private mutating func patch(_ cached: Migration, _ change: (inout Migration) -> Void) -> Bool {
        let seen = max(Int(cached.metadata.resourceVersion ?? "") ?? 0, process.lastWrite)
        guard var changed = migration, changed.metadata.resourceVersion == "\(seen)" else { return false }
        change(&changed)
        store(changed.metadata.isBeingDeleted && !changed.hasFinalizer ? nil : changed)
        process.lastWrite = version
        return true
    }

    private mutating func write(_ status: MigrationStatus, of cached: Migration) -> Bool {
        if migration?.metadata.uid == cached.metadata.uid, migration?.status == status { return true }
        guard patch(cached, { $0.status = status }) else { return false }
        process.memory.lastStatusWrite = now
        return true
    }
}

extension World {
    /// Quick, of what differs most often: there are many to be told apart.
    func hash(into hasher: inout Hasher) {
        hasher.combine(database)
        hasher.combine(interferences)
        hasher.combine(hasBeenProven)
        hasher.combine(runsNewPods)
        hasher.combine(workload.object.spec.paused)
        hasher.combine(workload.metadata.annotations)
        hasher.combine(version)
        for migration in [migration, process.cached] {
            hasher.combine(migration?.metadata.generation)
            hasher.combine(migration?.metadata.resourceVersion)
            hasher.combine(migration?.status?.step)
        }
        hasher.combine(process.hold)
        hasher.combine(process.confirmation)
        hasher.combine(process.worker)
        hasher.combine(process.lastWrite)
        hasher.combine(process.memory.ledgerReadAt)
        hasher.combine(process.memory.lastStatusWrite)
        hasher.combine(process.memory.proof?.at)
        hasher.combine(process.memory.failure?.attempts)
    }
}

extension World.Wish {
    fileprivate var migration: Migration {
        MigrationOperatorTests.migration(
            """
            "phase": "\(phase.rawValue)", "suspend": \(isSuspended), "deletionPolicy": "Compensate",
            "contract": {"withoutRollouts": true}, "views": \(plan == "b")
            """)
    }
}

extension MigrationSpec {
    /// Stands in for the hash over the changes and the rest that a plan is made from: views or none is quick to see.
    fileprivate var planHash: String { views == true ? "sha256:b" : "sha256:a" }
}
