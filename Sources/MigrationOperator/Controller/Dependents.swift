internal import ControllerRuntime
internal import KubernetesClient
internal import MigrationEngine
internal import Synchronization

/// Which Migrations name which others in `spec.dependsOn`, the other way round: who is to be told of one.
final class Dependents: Sendable {
    private let dependents = Mutex<[ObjectKey: Set<ObjectKey>]>([:])

    func of(_ key: ObjectKey) -> Set<ObjectKey> {
        dependents.withLock { $0[key] ?? [] }
    }

    func note(_ change: Change<Migration>) {
        switch change {
        case .added(let new): move(new.key, from: [], to: new.dependencies)
        case .updated(let old, let new): move(new.key, from: old.dependencies, to: new.dependencies)
        case .deleted(let old): move(old.key, from: old.dependencies, to: [])
        }
    }

    private func move(_ key: ObjectKey, from old: [ObjectKey], to new: [ObjectKey]) {
        guard old != new else { return }
        dependents.withLock { dependents in
            for other in old {
                dependents[other]?.remove(key)
                if dependents[other]?.isEmpty == true { dependents[other] = nil }
            }
            for other in new { dependents[other, default: []].insert(key) }
        }
    }
}

extension Migration {
    fileprivate var dependencies: [ObjectKey] {
        (spec?.dependsOn ?? []).map { ObjectKey($0, in: metadata.namespace) }
    }
}
