internal import ControllerRuntime
internal import Foundation
internal import KubernetesClient
internal import Logging
internal import MigrationEngine
internal import SchemaChange

/// Reads what ``reconcile(_:_:)`` wants to know of a Migration, and performs what it says.
final class MigrationController: Sendable {
    private let client: KubernetesClient
    private let store: Store<Migration>
    private let workers: WorkerRegistry
    private let engines: EngineSource
    private let recorder: EventRecorder
    private let proofInterval: Duration
    private let lookLimit: Duration
    private let logger: Logger
    private let memory = MigrationMemory()
    private let lastWrites = LastWrites()

    init(
        client: KubernetesClient, store: Store<Migration>, workers: WorkerRegistry, engines: EngineSource,
        recorder: EventRecorder, proofInterval: Duration, lookLimit: Duration = Timing.look, logger: Logger
    ) {
        self.client = client
        self.store = store
        self.workers = workers
        self.engines = engines
        self.recorder = recorder
        self.proofInterval = proofInterval
        self.lookLimit = lookLimit
        self.logger = logger
    }

    func reconcile(_ key: ObjectKey) async throws -> ReconcileResult {
        guard var migration = store[key] else {
            await workers.stop(key)
            memory.forget(key)
            lastWrites.forget(key)
            return .done
        }
        guard lastWrites.isReached(by: migration.metadata, for: key) else {
            return .requeue(after: .milliseconds(50))
        }
        // A round that only read something is followed by one that knows it.
        for _ in 0..<8 {
            let actions = MigrationOperator.reconcile(migration, observe(migration))
            let outcome: Outcome
            do {
                outcome = try await perform(actions, on: &migration)
            } catch let error as KubernetesError where error.code == .conflict {
                // Somebody wrote it meanwhile: what the cache hears of it brings us here again, mostly sooner.
                return .requeue(after: .milliseconds(250))
            }
            if !outcome.goesOn { return outcome.requeue.map { .requeue(after: $0) } ?? .done }
        }
        return .requeue(after: .seconds(1))
    }

    private func observe(_ migration: Migration) -> Observed {
        let entry = memory[migration]
        var observed = Observed(now: Date())
        observed.worker = workers.state(migration.key)
        observed.ledger = entry.ledger
        observed.ledgerReadAt = entry.ledgerReadAt
        observed.proof = entry.proof
        observed.databaseFailure = entry.failure
        observed.lastStatusWrite = entry.lastStatusWrite
        observed.namespaceIsTerminating = entry.namespaceIsTerminating
        observed.proofInterval = proofInterval
        let graph = DependencyGraph { [store] in store[ObjectKey($0, in: migration.metadata.namespace)] }
        observed.dependencies = graph.states(of: migration)
        observed.dependencyCycle = graph.cycle(through: migration.metadata.name)
        return observed
    }

    private struct Outcome {
        var goesOn = false
        var requeue: Duration?
    }

    /// - Parameter migration: as it was decided about; what is written gives it another version.
    private func perform(_ actions: [Action], on migration: inout Migration) async throws -> Outcome {
        var outcome = Outcome()
        for action in actions {
            do {
                switch action {
                case .addFinalizer: try await addFinalizer(&migration)
                case .removeFinalizer: try await removeFinalizer(&migration)
                case .startWorker(let phase): startWorker(migration, phase)
                case .stopWorker: await workers.stop(migration.key)
                case .readLedger:
                    try await readLedger(migration)
                    outcome.goesOn = true
                case .checkProof:
                    try await checkProof(migration)
                    outcome.goesOn = true
                case .forget: try await forget(migration)
                case .writeStatus(let status): try await write(status, of: &migration)
                case .event(let event): record(event, migration)
                case .requeue(let delay): outcome.requeue = min(outcome.requeue ?? delay, delay)
                }
            } catch let failure as EngineSource.Failure {
                try await failed(failure, migration)
                return Outcome(goesOn: true)
            }
        }
        return outcome
    }

    // MARK: The database

    /// Nothing is begun or forgotten in a database by what the cache has alone: an API server may show what was.
    ///
    /// - Throws: a conflict, when there is another Migration or another spec by now.
    private func requireLive(_ migration: Migration) async throws {
        let live = try await client.find(Migration.self, migration.key)
        guard let live, live.metadata.uid == migration.metadata.uid, live.generation == migration.generation else {
            throw KubernetesError(.conflict, "the Migration \(migration.key) is not what the cache has any more")
        }
    }

    private func startWorker(_ migration: Migration, _ phase: Phase) {
        guard let spec = migration.spec else { return }
        memory.change(migration) { $0.ledger = .unread }
        let key = migration.key
        let name = migration.migrationName
        let uid = migration.metadata.uid
        let guards = RolloutGuards(
            client: client, migration: key, uid: uid, generation: migration.generation, spec: spec)
        let asked = ContinuousClock.now
        let isNew = workers.start(key, uid: uid, generation: migration.generation, phase: phase) { [self] report in
            let engine = try await engineInSlot(for: migration, askedAt: asked)
            return try await engine.run(name, uid: uid, spec: spec, to: phase, guards: guards, report: report)
        }
        guard isNew else { return }
        logger.info("a worker started", metadata: ["migration": "\(key)", "phase": "\(phase.rawValue)"])
    }

    /// Looks at the Migration and its Secret once the run may begin: it may have waited for long, and either may be another by
    /// now.
    private func engineInSlot(
        for migration: Migration, askedAt: ContinuousClock.Instant
    ) async throws -> MigrationEngine {
        do {
            try await requireLive(migration)
            let engine = try await engines.engine(for: migration)
            // That the database knows what was proven in it was read before the wait, perhaps in another one.
            let reconciliation = Reconciliation(migration: migration, observed: Observed(now: Date()))
            if reconciliation.wasProven, .now - askedAt > Self.shortWait {
                try await readLedger(migration)
                guard memory[migration].ledger != .unknown else {
                    throw KubernetesError(.conflict, "the Secret of \(migration.key) names another database by now")
                }
            }
            memory.change(migration) { entry in
                entry.failure = nil
                entry.ledger = .unread
            }
            return engine
        } catch let failure as EngineSource.Failure {
            try await failed(failure, migration)
            throw failure
        } catch  where !Task.isCancelled {
            logger.info("a run did not begin", metadata: ["migration": "\(migration.key)", "error": "\(error)"])
            throw error
        }
    }

    private static let shortWait: Duration = .seconds(1)

    private func readLedger(_ migration: Migration) async throws {
        let report = try await looking(at: migration) { try await $0.observe(migration.migrationName) }
        memory.change(migration) { entry in
            entry.failure = nil
            entry.ledger = report.map { .known($0) } ?? .unknown
            entry.ledgerReadAt = Date()
        }
    }

    private func checkProof(_ migration: Migration) async throws {
        let known = Reconciliation(migration: migration, observed: observe(migration)).known?.certificate
        let check = try await looking(at: migration) { try await $0.checkProof(migration.migrationName) }
        memory.change(migration) { entry in
            entry.failure = nil
            entry.proof = ProofReading(.init(check), at: Date(), of: known)
        }
        // Rows that the old version wrote since, and a worker has to be asked about: a run asks.
        if let spec = migration.spec, spec.suspend != true, spec.desiredPhase >= .backfill, case .holds = check,
            try await looking(at: migration, { try await $0.needsFilling(migration.migrationName) })
        {
            startWorker(migration, spec.desiredPhase)
        }
    }

    private func forget(_ migration: Migration) async throws {
        try await requireLive(migration)
        try await looking(at: migration) { try await $0.forget(migration.migrationName) }
    }

    /// Lends an engine, for as long as a look may take. What the database refuses, or leaves without an answer, is no error
    /// of the operator's: it is said in the status and tried again.
    private func looking<Result>(
        at migration: Migration, _ body: (MigrationEngine) async throws -> Result
    ) async throws -> Result {
        let engine = try await engines.engine(for: migration, by: .now + lookLimit)
        do {
            return try await body(engine)
        } catch let error as CancellationError {
            throw error
        } catch {
            throw EngineSource.Failure(reason: DatabaseFailure.unavailable, message: "\(error)")
        }
    }

    private func failed(_ failure: EngineSource.Failure, _ migration: Migration) async throws {
        var isTerminating = false
        if migration.metadata.isBeingDeleted, failure.reason == DatabaseFailure.secretNotFound,
            let namespace = migration.metadata.namespace
        {
            isTerminating = try await client.find(.namespaces, ObjectKey(namespace))?.metadata.isBeingDeleted ?? true
        }
        memory.change(migration) { entry in
            entry.failure = DatabaseFailure(
                reason: failure.reason, message: failure.message, at: Date(),
                attempts: (entry.failure?.attempts ?? 0) + 1)
            entry.namespaceIsTerminating = isTerminating
        }
    }

    // MARK: The object

    private func addFinalizer(_ migration: inout Migration) async throws {
        try await setFinalizers(migration.metadata.finalizers + [SluiceName.finalizer], of: &migration)
    }

    private func removeFinalizer(_ migration: inout Migration) async throws {
        try await setFinalizers(migration.metadata.finalizers.filter { $0 != SluiceName.finalizer }, of: &migration)
        memory.forget(migration.key)
    }

    /// By the version that was seen: a finalizer that somebody else added meanwhile must not be lost.
    private func setFinalizers(_ finalizers: [String], of migration: inout Migration) async throws {
        guard let version = migration.metadata.resourceVersion else { return }
        let fields: JSONValue = ["metadata": ["finalizers": .array(finalizers.map { .string($0) })]]
        let key = migration.key
        let written = try await unlessGone { () throws(KubernetesError) in
            try await client.patch(
                Migration.self, key, .merge(fields, ifVersion: version), fieldManager: SluiceName.finalizerManager)
        }
        note(written, &migration)
    }

    private func write(_ status: MigrationStatus, of migration: inout Migration) async throws {
        var fields: JSONValue = ["status": try JSONValue(encoding: status)]
        // An older status must not take the place of a newer one, nor that of an object made anew under the same name: the
        // server compares the version only, not the UID.
        fields["metadata"] = migration.metadata.resourceVersion.map { ["resourceVersion": .string($0)] }
        let body = fields
        let key = migration.key
        let written = try await unlessGone { () throws(KubernetesError) in
            try await client.apply(
                Migration.self, key, body, fieldManager: SluiceName.statusManager, force: true, subresource: "status")
        }
        note(written, &migration)
        memory.change(migration) { $0.lastStatusWrite = Date() }
    }

    /// What we wrote was of the version that we saw, so that there is nothing new in it but its own version.
    private func note(_ written: Migration?, _ migration: inout Migration) {
        guard let written else { return }
        lastWrites.wrote(written)
        migration.metadata.resourceVersion = written.metadata.resourceVersion
    }

    /// What is written to an object that has gone needs no writing.
    private func unlessGone(
        _ body: () async throws(KubernetesError) -> Migration
    ) async throws(KubernetesError) -> Migration? {
        do {
            return try await body()
        } catch {
            guard error.code == .notFound else { throw error }
            return nil
        }
    }

    private func record(_ event: MigrationEvent, _ migration: Migration) {
        recorder.record(
            event.severity == .warning ? .warning : .normal,
            regarding: ObjectReference(Migration.resource, migration.metadata), reason: event.reason,
            note: event.message)
    }
}

extension ProofReading.Result {
    init(_ check: ProofCheck) {
        switch check {
        case .holds(let certificate): self = .holds(planHash: certificate.planHash)
        case .broken(let reason): self = .broken(reason: reason)
        case .none: self = .none
        }
    }
}
