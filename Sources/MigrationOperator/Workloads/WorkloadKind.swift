public import KubernetesClient

/// The kinds of workload that gates hold and guards follow: what makes pods from a template.
public enum WorkloadKind: String, CaseIterable, Sendable, Hashable {
    case deployment = "Deployment"
    case statefulSet = "StatefulSet"
    case daemonSet = "DaemonSet"
    case cronJob = "CronJob"
    case job = "Job"
    /// Argo Rollouts' own: <https://argo-rollouts.readthedocs.io/en/stable/features/specification/>.
    case rollout = "Rollout"

    /// Where servers keep it, the best first: `batch/v1` has CronJobs since Kubernetes 1.21.
    public var resources: [ResourceDescriptor] {
        switch self {
        case .deployment: [resource("apps", "v1", "deployments")]
        case .statefulSet: [resource("apps", "v1", "statefulsets")]
        case .daemonSet: [resource("apps", "v1", "daemonsets")]
        case .cronJob: [resource("batch", "v1", "cronjobs"), resource("batch", "v1beta1", "cronjobs")]
        case .job: [resource("batch", "v1", "jobs")]
        case .rollout: [resource("argoproj.io", "v1alpha1", "rollouts")]
        }
    }

    private func resource(_ group: String, _ version: String, _ plural: String) -> ResourceDescriptor {
        ResourceDescriptor(group: group, version: version, plural: plural, kind: rawValue)
    }

    /// Whether a cluster may do without it.
    var isOptional: Bool { self == .rollout }

    /// The kind that a reference names; nil when it is none of these, or in another group.
    init?(apiVersion: String, kind: String) {
        guard let found = Self(rawValue: kind), found.resources.contains(where: { $0.apiVersion == apiVersion }) else {
            return nil
        }
        self = found
    }

    /// What stands before the slash of an `apiVersion` that names it.
    public var group: String { resources[0].group }

    /// Whether a hold keeps the first pods of a new object from being made as well.
    var holdsFirstPods: Bool {
        switch self {
        case .deployment, .cronJob, .job, .rollout: true
        case .statefulSet, .daemonSet: false
        }
    }
}
