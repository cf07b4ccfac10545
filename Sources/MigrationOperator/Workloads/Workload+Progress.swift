internal import KubernetesClient

/// How far a rollout is, by the status that the kind's controller wrote.
struct RolloutProgress: Hashable, Sendable {
    /// Whether that controller has seen the last change of the spec.
    var isSeen: Bool
    var wanted: Int64
    /// Pods in all, those of the present template, and those of them that serve.
    var all: Int64
    var updated: Int64
    var available: Int64

    /// Whether every pod is of the present template and serves.
    var isComplete: Bool { isSeen && all == wanted && updated == wanted && available == wanted }

    /// Whether there are pods, and all of them of the present template, serving or not.
    var hasOnlyUpdated: Bool { isSeen && updated > 0 && all == updated }
}

extension Workload {
    var progress: RolloutProgress {
        let status = object.status ?? [:]
        func count(_ name: String) -> Int64 { status[name]?.int ?? 0 }
        let wanted = Int64(object.spec.replicas ?? 1)
        switch kind {
        case .deployment, .rollout:
            return RolloutProgress(
                isSeen: isSeen, wanted: wanted, all: count("replicas"), updated: count("updatedReplicas"),
                available: count("availableReplicas"))
        case .statefulSet:
            // Kubernetes before 1.22 has no count of the available: https://kubernetes.io/docs/concepts/workloads/controllers/statefulset/
            return RolloutProgress(
                isSeen: isSeen, wanted: wanted, all: count("replicas"),
                updated: status["updateRevision"] == status["currentRevision"]
                    ? count("currentReplicas") : count("updatedReplicas"),
                available: status["availableReplicas"]?.int ?? count("readyReplicas"))
        case .daemonSet:
            return RolloutProgress(
                isSeen: isSeen, wanted: count("desiredNumberScheduled"), all: count("currentNumberScheduled"),
                updated: count("updatedNumberScheduled"), available: count("numberAvailable"))
        case .cronJob, .job:
            // They have no pods that stay: what runs is told by the pods themselves.
            return RolloutProgress(isSeen: true, wanted: 0, all: 0, updated: 0, available: 0)
        }
    }

    /// Argo writes the generation as text.
    private var isSeen: Bool {
        let observed = object.status?["observedGeneration"]
        let seen = observed?.int ?? observed?.string.flatMap { Int64($0) }
        return seen.map { $0 >= metadata.generation ?? 0 } ?? false
    }
}
