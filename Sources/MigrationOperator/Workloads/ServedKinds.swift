internal import ControllerRuntime
internal import KubernetesClient
internal import Synchronization

/// Which kinds of workload the cluster has, and of which it is known.
final class ServedKinds: Sendable {
    private let resources = Mutex<[WorkloadKind: ResourceDescriptor]>([:])
    private let latches = Dictionary(uniqueKeysWithValues: WorkloadKind.allCases.map { ($0, Latch()) })

    subscript(kind: WorkloadKind) -> ResourceDescriptor? {
        get { resources.withLock { $0[kind] } }
        set { resources.withLock { $0[kind] = newValue } }
    }

    /// Its objects are listed, or there is no such kind.
    func settle(_ kind: WorkloadKind) { latches[kind]?.open() }

    func isSettled(_ kind: WorkloadKind) -> Bool { latches[kind]?.isOpen ?? true }

    /// - Throws: `CancellationError`.
    func settled(_ kind: WorkloadKind) async throws { try await latches[kind]?.wait() }
}
