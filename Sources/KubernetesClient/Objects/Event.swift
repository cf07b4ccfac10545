/// An Event (`events.k8s.io/v1`): something that happened to an object, for people to read.
public struct Event: KubernetesObject, Hashable {
    public static let resource = ResourceDescriptor(
        group: "events.k8s.io", version: "v1", plural: "events", kind: "Event")

    public var metadata: ObjectMeta
    public var eventTime: MicroTimestamp?
    public var reportingController: String?
    public var reportingInstance: String?
    public var action: String?
    public var reason: String?
    public var regarding: ObjectReference?
    public var note: String?
    /// `Normal` or `Warning`.
    public var type: String?
    public var series: Series?

    /// How often it happened again.
    public struct Series: Codable, Hashable, Sendable {
        public var count: Int
        public var lastObservedTime: MicroTimestamp
    }
}

/// A reference to an object of any kind.
public struct ObjectReference: Codable, Hashable, Sendable {
    public var apiVersion: String?
    public var kind: String?
    public var namespace: String?
    public var name: String?
    public var uid: String?
    public var resourceVersion: String?

    public init(
        apiVersion: String? = nil, kind: String? = nil, namespace: String? = nil, name: String? = nil,
        uid: String? = nil, resourceVersion: String? = nil
    ) {
        self.apiVersion = apiVersion
        self.kind = kind
        self.namespace = namespace
        self.name = name
        self.uid = uid
        self.resourceVersion = resourceVersion
    }

    /// A reference to an object of `resource` with `metadata`.
    public init(_ resource: ResourceDescriptor, _ metadata: ObjectMeta) {
        self.init(
            apiVersion: resource.apiVersion, kind: resource.kind, namespace: metadata.namespace, name: metadata.name,
            uid: metadata.uid, resourceVersion: metadata.resourceVersion)
    }
}
