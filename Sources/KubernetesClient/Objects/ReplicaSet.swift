/// A ReplicaSet (`apps/v1`): one template of a Deployment's, and how many pods it has.
public struct ReplicaSet: KubernetesObject, Hashable {
    public static let resource = ResourceDescriptor(
        group: "apps", version: "v1", plural: "replicasets", kind: "ReplicaSet")

    public var metadata: ObjectMeta
    public var spec: Spec
    public var status: Status?

    public struct Spec: Codable, Hashable, Sendable {
        public var replicas: Int?
        public var selector: LabelSelector
        public var template: PodTemplate?
    }

    public struct Status: Codable, Hashable, Sendable {
        public var observedGeneration: Int64?
        public var replicas: Int?
        public var readyReplicas: Int?
        public var availableReplicas: Int?
    }
}
