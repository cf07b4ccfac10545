public import KubernetesClient

/// A workload of any kind, as far as its gate and the guards look at it.
public struct Workload: Sendable, Hashable {
    public var kind: WorkloadKind
    public var object: WorkloadObject

    public init(_ kind: WorkloadKind, _ object: WorkloadObject) {
        self.kind = kind
        self.object = object
    }

    public var metadata: ObjectMeta { object.metadata }
    public var key: ObjectKey { object.key }
    public var template: PodTemplate { object.spec.podTemplate }

    /// `Deployment api`.
    var name: String { "\(kind.rawValue) \(metadata.name)" }

    /// What its pods need.
    var requirements: [Requirement] { Requirement.parse(template.annotations[SluiceName.requires]) }

    func requires(_ migration: String) -> Bool { requirements.contains { $0.migration == migration } }

    /// The names of the migrations that its template requires.
    var required: [String] { requirements.map(\.migration) }

    /// Whether its own owner is what is held: a CronJob's Jobs run as the CronJob was let. Not one that somebody makes of it by
    /// hand, also while it is held: `kubectl create job --from=cronjob/…` marks such a one, and so do others.
    var isOwnedByWorkload: Bool {
        if kind == .job, metadata.annotations[Self.instantiated] == "manual" { return false }
        return metadata.controller.map { WorkloadKind(apiVersion: $0.apiVersion, kind: $0.kind) != nil } ?? false
    }

    /// <https://kubernetes.io/docs/reference/labels-annotations-taints/#cronjob-kubernetes-io-instantiate>, with the value
    /// that kubectl writes.
    private static let instantiated = "cronjob.kubernetes.io/instantiate"

    /// Which pods are meant to be there; of a kind that counts nodes or starts pods at times, any.
    var wantsPods: Bool {
        switch kind {
        case .deployment, .statefulSet, .rollout: object.spec.replicas ?? 1 > 0
        case .daemonSet: object.status?["desiredNumberScheduled"]?.int ?? 1 > 0
        case .cronJob: object.spec.suspend != true
        case .job: !isFinished
        }
    }

    /// A Job that will start no pod any more.
    private var isFinished: Bool {
        (object.status?["conditions"]?.array ?? []).contains { condition in
            ["Complete", "Failed"].contains(condition["type"]?.string) && condition["status"]?.string == "True"
        }
    }
}

/// Which workload, in a queue of all kinds.
public struct WorkloadKey: Hashable, Sendable, CustomStringConvertible {
    public var kind: WorkloadKind
    public var key: ObjectKey

    public init(_ kind: WorkloadKind, _ key: ObjectKey) {
        self.kind = kind
        self.key = key
    }

    public var description: String { "\(kind.rawValue) \(key)" }
}
