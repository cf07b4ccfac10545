import ControllerRuntime
import Foundation
import KubernetesClient
import Logging
import MigrationEngine
import SchemaChange
import Synchronization
import TestSupport
import Testing

@testable import MigrationOperator

/// A Migration whose Secret names a server that lets clients in, or not even that, and says nothing.
private struct Silent: Sendable {
    let client: KubernetesClient
    let migration: Migration
    let server: SilentPostgres

    var engines: EngineSource {
        EngineSource(client: client, worker: "test", leaseDuration: .seconds(10), logger: Logger(label: "test"))
    }
}

private func withSilence(
    _ spec: String = "", lets: Bool = true, _ body: (Silent) async throws -> Void
) async throws {
    let client = try testClient()
    try await Installer(client: client).install()
    let server = try SilentPostgres(lets: lets)
    defer { server.stop() }
    try await withNamespace { namespace in
        let kubectl = try Kubectl(namespace: namespace)
        try await kubectl("create", "secret", "generic", "db", "--from-literal=url=\(server.url)")
        try await kubectl("apply", "-f", "-", input: manifest(spec))
        let migration = try await client.get(Migration.self, ObjectKey("split", in: namespace))
        try await body(Silent(client: client, migration: migration, server: server))
    }
}

@Suite("Looking at a database that is silent", .timeLimit(.minutes(1)))
struct LookTests {
    @Test("whatever a loop reads ends at its deadline", arguments: [true, false])
    func deadline(lets: Bool) async throws {
        try await withSilence(lets: lets) { silent in
            let engines = silent.engines
            let migration = silent.migration
            let began = ContinuousClock.now
            let deadline = began + .seconds(1)
            let looks: [@Sendable () async throws -> Void] = [
                { _ = try await engines.checkProof(migration, by: deadline) },
                { _ = try await engines.hasExpanded(migration, plan, by: deadline) },
                { _ = try await engines.engine(for: migration, by: deadline).observe(migration.migrationName) },
                { _ = try await engines.engine(for: migration, by: deadline).needsFilling(migration.migrationName) },
                { try await engines.engine(for: migration, by: deadline).forget(migration.migrationName) },
            ]
            await withTaskGroup { group in
                for look in looks { group.addTask { await #expect(throws: (any Error).self) { try await look() } } }
            }
            #expect(.now - began < .seconds(6))
            #expect(silent.server.count == looks.count)
        }
    }

    @Test("is told as one that is away, by a loop that goes on")
    func told() async throws {
        try await withSilence { silent in
            var migration = silent.migration
            // At rest, so that an operator that takes it up only looks.
            migration.metadata.finalizers = [SluiceName.finalizer]
            var status = try #require(
                reconcile(MigrationOperatorTests.migration(), observed(worker(report(.backfill), endedAgo: 1))).status)
            status.observedGeneration = migration.generation
            migration.status = status
            let controller = controller(silent, of: migration)
            let began = ContinuousClock.now
            _ = try await controller.reconcile(migration.key)
            #expect(.now - began < .seconds(6))
            let told = try await silent.client.get(Migration.self, migration.key)
            #expect(told.status?.text(.ready) == "False DatabaseUnavailable")
            #expect(told.status?.condition(.ready)?.message?.contains("did not answer in time") == true)
        }
    }

    @Test("a run is logged where one was started, and not where none was")
    func logged() async throws {
        try await withSilence { silent in
            var migration = silent.migration
            migration.metadata.finalizers = [SluiceName.finalizer]
            let lines = Mutex<[String]>([])
            let logger = Logger(label: "test") { _ in LineLog { line in lines.withLock { $0.append(line) } } }
            let workers = WorkerRegistry { _ in }
            let controller = controller(silent, of: migration, workers: workers, logger: logger)
            let line = "info: a worker started [migration=\(migration.key), phase=Backfill]"
            _ = try await controller.reconcile(migration.key)
            #expect(lines.withLock { $0 } == [line])
            _ = try await controller.reconcile(migration.key)
            #expect(lines.withLock { $0 } == [line], "it runs already")
            await workers.stopAll()
            let closed = WorkerRegistry { _ in }
            await closed.stopAll()
            _ = try await self.controller(silent, of: migration, workers: closed, logger: logger).reconcile(
                migration.key)
            #expect(lines.withLock { $0 } == [line], "none is started any more")
        }
    }

    @Test("the Secret is read once the run has its slot, as it is then")
    func secretInSlot() async throws {
        try await withSilence { silent in
            var migration = silent.migration
            migration.metadata.finalizers = [SluiceName.finalizer]
            let workers = WorkerRegistry(slots: 1) { _ in }
            let other = ObjectKey("other", in: migration.key.namespace)
            let isTaken = Latch()
            workers.start(other, uid: nil, generation: 1, phase: .backfill) { _ in
                isTaken.open()
                try await Task.sleep(for: .seconds(3600))
                return report(.initial)
            }
            try await isTaken.wait()
            let controller = controller(silent, of: migration, workers: workers)
            _ = try await controller.reconcile(migration.key)
            try await eventually("it waits") { workers.state(migration.key)?.waitsForSlot == true }
            try await silent.client.delete(Secret.self, ObjectKey("db", in: migration.key.namespace))
            await workers.stop(other)
            try await eventually("it has looked", within: .seconds(5)) { workers.state(migration.key)?.endedAt != nil }
            _ = try await controller.reconcile(migration.key)
            let told = try await silent.client.get(Migration.self, migration.key)
            #expect(told.status?.text(.ready) == "False SecretNotFound")
            #expect(silent.server.count == 0, "nobody was asked by the Secret of before")
            await workers.stopAll()
        }
    }

    private func controller(
        _ silent: Silent, of migration: Migration, workers: WorkerRegistry = WorkerRegistry { _ in },
        logger: Logger = Logger(label: "test")
    ) -> MigrationController {
        let store = Store<Migration>()
        store.put(migration)
        return MigrationController(
            client: silent.client, store: store, workers: workers, engines: silent.engines,
            recorder: EventRecorder(
                client: silent.client, controller: "sluice.dev/operator", instance: "t", logger: logger),
            proofInterval: .seconds(60), lookLimit: .seconds(1), logger: logger)
    }
}
