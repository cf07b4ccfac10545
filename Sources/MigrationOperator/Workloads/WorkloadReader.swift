internal import KubernetesClient

/// Reads workloads live, whichever version of their kind the cluster has.
struct WorkloadReader: Sendable {
    let client: KubernetesClient

    /// Nil where there is none, or no such kind.
    func find(_ kind: WorkloadKind, _ key: ObjectKey) async throws(KubernetesError) -> Workload? {
        for resource in kind.resources {
            do {
                return Workload(kind, try await client.get(WorkloadObject.self, resource, key))
            } catch  where error.code == .notFound {
                continue
            }
        }
        return nil
    }

    /// Those of all kinds, of one namespace or of all.
    func workloads(in namespace: String?) async throws(KubernetesError) -> [Workload] {
        var found: [Workload] = []
        for kind in WorkloadKind.allCases {
            found += try await objects(of: kind, in: namespace).map { Workload(kind, $0) }
        }
        return found
    }

    /// A workload with what lives of it.
    func state(of workload: Workload) async throws(KubernetesError) -> RolloutState {
        let namespace = workload.key.namespace
        var owners = Set([workload.metadata.uid].compactMap(\.self))
        var sets: [ReplicaSet] = []
        var jobs: [Workload] = []
        let selector = ListOptions(labelSelector: workload.object.spec.selector?.query)
        switch workload.kind {
        case .deployment, .rollout:
            sets = try await client.list(ReplicaSet.self, in: namespace, selector).items
                .filter { owners.contains($0.metadata.controller?.uid ?? "") }
            owners.formUnion(sets.compactMap(\.metadata.uid))
        case .cronJob:
            jobs = try await objects(of: .job, in: namespace)
                .filter { owners.contains($0.metadata.controller?.uid ?? "") }
                .map { Workload(.job, $0) }
            owners.formUnion(jobs.compactMap(\.metadata.uid))
        case .statefulSet, .daemonSet, .job:
            break
        }
        let pods = try await client.list(Pod.self, in: namespace, selector).items
            .filter { owners.contains($0.metadata.controller?.uid ?? "") }
        return RolloutState(workload: workload, replicaSets: sets, jobs: jobs, pods: pods)
    }

    private func objects(
        of kind: WorkloadKind, in namespace: String?
    ) async throws(KubernetesError) -> [WorkloadObject] {
        for resource in kind.resources {
            do {
                return try await client.list(WorkloadObject.self, resource, in: namespace).items
            } catch  where error.code == .notFound {
                continue
            }
        }
        return []
    }
}
