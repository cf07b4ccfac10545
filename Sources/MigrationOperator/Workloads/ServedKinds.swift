internal import KubernetesClient
internal import Synchronization

/// Which kinds of workload the cluster has, and of which it is known.
final class ServedKinds: Sendable {
    private let resources = Mutex<[WorkloadKind: ResourceDescriptor]>([:])
    private let settled = Mutex<Set<WorkloadKind>>([])

    subscript(kind: WorkloadKind) -> ResourceDescriptor? {
        get { resources.withLock { $0[kind] } }
        set { resources.withLock { $0[kind] = newValue } }
    }

    /// Its objects are listed, or there is no such kind.
    func settle(_ kind: WorkloadKind) { _ = settled.withLock { $0.insert(kind) } }

    func isSettled(_ kind: WorkloadKind) -> Bool { settled.withLock { $0.contains(kind) } }
}
