internal import KubernetesClient

/// A workload with everything of its that lives, read just now.
struct RolloutState: Sendable {
    var workload: Workload
    /// Those that it controls.
    var replicaSets: [ReplicaSet] = []
    /// Those of a CronJob.
    var jobs: [Workload] = []
    /// Those that it controls, or its ReplicaSets or Jobs do.
    var pods: [Pod] = []
}
