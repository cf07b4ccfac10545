internal import ControllerRuntime
internal import KubernetesClient
internal import Logging

/// The workloads of all kinds that the cluster has, as they were last seen.
///
/// Kinds that the cluster lacks, as Rollouts where Argo is not installed, are looked for again every minute.
final class WorkloadWatch: Sendable {
    private let client: KubernetesClient
    private let namespaces: [String?]
    private let stores: [WorkloadKind: Store<WorkloadObject>]
    private let served = ServedKinds()
    private let logger: Logger
    private let searchInterval: Duration

    /// - Parameter namespaces: nil stands for all of them.
    init(client: KubernetesClient, namespaces: [String?], searchInterval: Duration = .seconds(60), logger: Logger) {
        self.client = client
        self.namespaces = namespaces
        self.searchInterval = searchInterval
        self.logger = logger
        stores = Dictionary(uniqueKeysWithValues: WorkloadKind.allCases.map { ($0, Store<WorkloadObject>()) })
    }

    subscript(key: WorkloadKey) -> Workload? {
        stores[key.kind]?[key.key].map { Workload(key.kind, $0) }
    }

    /// All of a namespace, in no order.
    func workloads(in namespace: String?) -> [Workload] {
        stores.flatMap { kind, store in store.objects(in: namespace).map { Workload(kind, $0) } }
    }

    /// Under which group and version the cluster has a kind; nil while that is not known, or it has not.
    func resource(of kind: WorkloadKind) -> ResourceDescriptor? { served[kind] }

    func observe(_ handler: @escaping @Sendable (Workload) -> Void) {
        for (kind, store) in stores {
            store.observe { handler(Workload(kind, $0.object)) }
        }
    }

    func stopTelling() {
        for store in stores.values { store.stopTelling() }
    }

    /// For each kind, what gives the keys of its objects again from time to time.
    func resyncs(_ add: @escaping @Sendable (WorkloadKey) -> Void) -> [Resync] {
        stores.map { kind, store in Resync(store) { add(WorkloadKey(kind, $0)) } }
    }

    /// Lists and watches until its task is cancelled.
    func run() async {
        await withTaskGroup { group in
            for kind in WorkloadKind.allCases {
                group.addTask { await self.watch(kind) }
            }
        }
    }

    /// Whether every kind that the cluster has is listed.
    var isSynced: Bool { WorkloadKind.allCases.allSatisfy(served.isSettled) }

    private func watch(_ kind: WorkloadKind) async {
        guard let store = stores[kind], let resource = await find(kind) else { return }
        let reflectors = namespaces.map {
            Reflector(WorkloadObject.self, resource, in: $0, store: store, client: client, logger: logger)
        }
        await withTaskGroup { group in
            for reflector in reflectors { group.addTask { await reflector.run() } }
            group.addTask {
                for reflector in reflectors { try? await reflector.waitUntilSynced() }
                self.served.settle(kind)
            }
        }
    }

    /// Where the cluster has the kind. Looks until it has, or the task is cancelled.
    private func find(_ kind: WorkloadKind) async -> ResourceDescriptor? {
        while !Task.isCancelled {
            do {
                for resource in kind.resources where try await client.supports(resource) {
                    served[kind] = resource
                    return resource
                }
                served.settle(kind)
            } catch {
                logger.info(
                    "cannot find out whether the cluster has \(kind.rawValue)s", metadata: ["error": "\(error)"])
            }
            try? await Task.sleep(for: served.isSettled(kind) ? searchInterval : .seconds(2))
        }
        return nil
    }
}
