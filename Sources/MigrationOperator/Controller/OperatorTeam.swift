internal import ControllerRuntime
internal import Foundation
internal import KubernetesClient
internal import Logging
internal import MigrationEngine
internal import SchemaChange

/// The parts of a leading operator, and how news of one object reach those that it concerns.
struct OperatorTeam: Sendable {
    let migrations = Store<Migration>()
    private let reflectors: [Reflector<Migration>]
    private let approvals: [Reflector<MigrationApproval>]
    private let workloads: WorkloadWatch
    private let recorder: EventRecorder
    private let workers: WorkerRegistry
    private let migrationQueue: WorkQueue<ObjectKey>
    private let workloadQueue: WorkQueue<WorkloadKey>
    private let confirmationQueue: WorkQueue<WorkloadKey>
    private let migrationLoop: Controller<ObjectKey>
    private let gateLoop: Controller<WorkloadKey>
    private let confirmationLoop: Controller<WorkloadKey>
    private let firstRound: FirstRound
    private let dependents = Dependents()

    init(
        _ configuration: OperatorConfiguration, client: KubernetesClient, metrics: OperatorMetrics, logger: Logger
    ) {
        // Databases belong to namespaces: what is silent in one must not take the workers of all.
        migrationQueue = WorkQueue(
            name: OperatorMetrics.Loop.migrations, tenant: { $0.namespace }, metrics: metrics.queues)
        workloadQueue = WorkQueue(
            name: OperatorMetrics.Loop.gates, tenant: { $0.key.namespace }, metrics: metrics.queues)
        confirmationQueue = WorkQueue(
            name: OperatorMetrics.Loop.confirmations, tenant: { $0.key.namespace }, metrics: metrics.queues)
        let namespaces: [String?] = configuration.namespaces.isEmpty ? [nil] : configuration.namespaces
        let migrations = migrations
        reflectors = namespaces.map {
            Reflector(Migration.self, in: $0, store: migrations, client: client, logger: logger)
        }
        approvals = namespaces.map { Reflector(MigrationApproval.self, in: $0, client: client, logger: logger) }
        workloads = WorkloadWatch(client: client, namespaces: namespaces, logger: logger)
        recorder = EventRecorder(
            client: client, controller: "sluice.dev/operator", instance: configuration.identity, logger: logger)
        let queue = migrationQueue
        workers = WorkerRegistry(slots: configuration.concurrentMigrations) { queue.add($0) }
        let engines = EngineSource(
            client: client, worker: configuration.identity, leaseDuration: configuration.workerLease, logger: logger)
        let controller = MigrationController(
            client: client, store: migrations, workers: workers, engines: engines, recorder: recorder,
            proofInterval: configuration.proofInterval, logger: logger)
        let confirmations = confirmationQueue
        let gates = GateController(
            client: client, workloads: workloads, migrations: migrations, proofs: engines, recorder: recorder,
            logger: logger
        ) {
            confirmations.add($0)
        }
        let firstRound = FirstRound(logger: logger)
        self.firstRound = firstRound
        migrationLoop = Controller(
            name: OperatorMetrics.Loop.migrations, workers: configuration.concurrency, queue: migrationQueue,
            metrics: metrics.controllers, logger: logger,
            metadata: { ["migration": "\($0)"] }
        ) { key in
            defer { firstRound.looked(at: key) }
            return try await controller.reconcile(key)
        }
        func loop(
            _ name: String, _ queue: WorkQueue<WorkloadKey>,
            _ reconcile: @escaping Controller<WorkloadKey>.Reconcile
        ) -> Controller<WorkloadKey> {
            Controller(
                name: name, workers: configuration.concurrency, queue: queue, metrics: metrics.controllers,
                logger: logger, metadata: { ["workload": "\($0)"] }, reconcile: reconcile)
        }
        gateLoop = loop(OperatorMetrics.Loop.gates, workloadQueue) { try await gates.reconcile($0) }
        confirmationLoop = loop(OperatorMetrics.Loop.confirmations, confirmationQueue) { try await gates.confirm($0) }
    }

    /// Whether the first lists are in the caches.
    var hasLists: Bool { hasMigrations && workloads.isSynced }

    /// Whether the Migrations are, whatever of workloads may not be listed.
    var hasMigrations: Bool { reflectors.allSatisfy(\.isSynced) }

    /// False while a loop is stuck: all of its workers busy for minutes, and none comes to an end.
    var isHealthy: Bool { migrationLoop.isHealthy && gateLoop.isHealthy && confirmationLoop.isHealthy }

    var snapshot: OperatorSnapshot {
        let held = workloads.workloads(in: nil).filter { $0.metadata.annotations[SluiceName.held] != nil }
        return OperatorSnapshot(
            migrations: migrations.objects(), held: held.map { WorkloadKey($0.kind, $0.key) })
    }

    /// Works until its task is cancelled, and until every engine has ended.
    func run() async {
        connect()
        let resyncs = [Resync(migrations) { migrationQueue.add($0) }] + workloads.resyncs { workloadQueue.add($0) }
        await withTaskGroup { group in
            for reflector in reflectors { group.addTask { await reflector.run() } }
            for reflector in approvals { group.addTask { await reflector.run() } }
            group.addTask { await workloads.run() }
            for resync in resyncs { group.addTask { await resync.run() } }
            group.addTask { await recorder.run() }
            group.addTask {
                guard await migrationsAreListed() else { return }
                firstRound.begin(with: migrations.objects().map(\.key))
                await migrationLoop.run()
            }
            for loop in [gateLoop, confirmationLoop] {
                group.addTask {
                    guard await migrationsAreListed() else { return }
                    await loop.run()
                }
            }
        }
        await workers.stopAll()
        disconnect()
    }

    /// A decision on half a list would take what is not listed yet for missing. Of workloads none is decided about before it
    /// is listed, and one kind that cannot be listed must not keep the others from being held.
    private func migrationsAreListed() async -> Bool {
        do {
            for reflector in reflectors { try await reflector.waitUntilSynced() }
            return true
        } catch {
            return false
        }
    }

    private func connect() {
        let team = self
        migrations.observe { change in
            team.dependents.note(change)
            team.migrationQueue.add(change.key)
            if case .updated(let old, let new) = change, old.gateView == new.gateView { return }
            team.tellThose(whoWaitFor: change.object)
        }
        // Only that there is news: what is approved is read live by whoever waits for it.
        for reflector in approvals {
            reflector.store.observe { change in
                let key = ObjectKey(change.object.spec.migration, in: change.key.namespace)
                if team.workers.nudge(key) { team.migrationQueue.add(key) }
            }
        }
        workloads.observe { workload in
            team.workloadQueue.add(WorkloadKey(workload.kind, workload.key))
            team.nudge(for: workload)
        }
    }

    /// What observes a store holds the team, and so the store.
    private func disconnect() {
        migrations.stopTelling()
        for reflector in approvals { reflector.store.stopTelling() }
        workloads.stopTelling()
    }

    /// Workloads that require a Migration, and Migrations that wait for it or queue behind it.
    private func tellThose(whoWaitFor migration: Migration) {
        let name = migration.metadata.name
        let namespace = migration.metadata.namespace
        for workload in workloads.workloads(in: namespace) where workload.requires(name) {
            workloadQueue.add(WorkloadKey(workload.kind, workload.key))
        }
        for other in dependents.of(migration.key) where other != migration.key { migrationQueue.add(other) }
        for other in workers.waiting(in: namespace) where other != migration.key && workers.nudge(other) {
            migrationQueue.add(other)
        }
    }

    /// A guard that waits for a rollout need not wait for its next turn.
    private func nudge(for workload: Workload) {
        for key in workers.waiting(in: workload.metadata.namespace) {
            let isNamed =
                migrations[key]?.spec?.rollouts?.contains {
                    $0.kind == workload.kind.rawValue && $0.name == workload.metadata.name
                } ?? false
            guard isNamed || workload.requires(key.name) else { continue }
            if workers.nudge(key) { migrationQueue.add(key) }
        }
    }
}

extension Migration {
    /// What others look at.
    fileprivate var gateView: [String?] {
        [
            metadata.uid, metadata.deletionTimestamp?.description, metadata.generation?.description,
            status?.observedGeneration.description, status?.gate?.rawValue, status?.planHash, status?.phase?.rawValue,
            status?.condition(.verified)?.status.rawValue, status?.condition(.expanded)?.status.rawValue,
        ]
    }
}
