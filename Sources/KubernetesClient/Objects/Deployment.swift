/// A Deployment (`apps/v1`), as far as a rollout is followed and held.
public struct Deployment: KubernetesObject, Hashable {
    public static let resource = ResourceDescriptor(
        group: "apps", version: "v1", plural: "deployments", kind: "Deployment")

    public var metadata: ObjectMeta
    public var spec: Spec
    public var status: Status?

    public struct Spec: Codable, Hashable, Sendable {
        public var replicas: Int?
        public var paused: Bool?
        public var selector: LabelSelector
        public var template: PodTemplate
    }

    public struct Status: Codable, Hashable, Sendable {
        public var observedGeneration: Int64?
        public var replicas: Int?
        public var updatedReplicas: Int?
        public var readyReplicas: Int?
        public var availableReplicas: Int?
        public var unavailableReplicas: Int?
        public var conditions: [Condition]?
    }
}
