import KubernetesClient
import MigrationOperator
import Synchronization
import TestSupport

/// What happened to the workloads of a namespace, in the order of the versions that etcd gave: one count for all objects.
///
/// <https://kubernetes.io/docs/reference/using-api/api-concepts/#resource-versions> promises that order for one resource
/// only; with one etcd behind the server, as here, it is its revision.
final class GateHistory: Sendable {
    private struct Events {
        /// The version at which the first ReplicaSet of an image appeared.
        var begun: [String: UInt64] = [:]
        /// The version at which a Migration's gate was first open.
        var opened: [String: UInt64] = [:]
    }

    private let events = Mutex(Events())

    func begun(_ image: String) -> UInt64? { events.withLock { $0.begun[image] } }
    func opened(_ migration: String) -> UInt64? { events.withLock { $0.opened[migration] } }

    /// Runs the body while it notes what happens. Returns once both watches have ended.
    func following<Value: Sendable>(
        _ stage: Stage,
        _ body: @escaping @Sendable () async throws -> Value
    ) async throws -> Value {
        let sets = try await stage.client.list(ReplicaSet.self, in: stage.namespace).resourceVersion
        let migrations = try await stage.client.list(Migration.self, in: stage.namespace).resourceVersion
        return try await withThrowingTaskGroup(of: Value?.self) { group in
            group.addTask {
                try await self.follow(ReplicaSet.self, in: stage, from: sets) { set, version, events in
                    if let image = set.image, events.begun[image] == nil { events.begun[image] = version }
                }
                return nil
            }
            group.addTask {
                try await self.follow(Migration.self, in: stage, from: migrations) { migration, version, events in
                    let name = migration.metadata.name
                    if case .open = RequiredMigration(migration), events.opened[name] == nil {
                        events.opened[name] = version
                    }
                }
                return nil
            }
            group.addTask { try await body() }
            defer { group.cancelAll() }
            // A watch does not end before the body: what it missed would count as not having happened.
            guard let value = try await group.next() ?? nil else { throw TestFailure("a watch ended too early") }
            return value
        }
    }

    private func follow<Object: KubernetesObject>(
        _ type: Object.Type,
        in stage: Stage,
        from version: String,
        _ note: @Sendable (Object, UInt64, inout Events) -> Void
    ) async throws {
        let options = WatchOptions(resourceVersion: version, timeout: .seconds(1200))
        for try await event in try await stage.client.watch(type, in: stage.namespace, options) {
            switch event {
            case .added(let object), .modified(let object):
                guard let version = event.resourceVersion.flatMap({ UInt64($0) }) else { continue }
                events.withLock { note(object, version, &$0) }
            case .deleted, .bookmark: break
            }
        }
    }
}
