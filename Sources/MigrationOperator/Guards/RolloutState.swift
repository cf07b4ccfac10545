internal import KubernetesClient

/// A Deployment with everything of its that lives, read just now.
struct RolloutState: Sendable {
    var deployment: Deployment
    /// Those that it controls.
    var replicaSets: [ReplicaSet]
    /// Those that its ReplicaSets control.
    var pods: [Pod]
}
