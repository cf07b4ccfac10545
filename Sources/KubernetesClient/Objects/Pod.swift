/// A pod: where it runs, and how it is.
public struct Pod: KubernetesObject, Hashable {
    public static let resource = ResourceDescriptor(group: "", version: "v1", plural: "pods", kind: "Pod")

    public var metadata: ObjectMeta
    public var spec: Spec?
    public var status: Status?

    public struct Spec: Codable, Hashable, Sendable {
        public var nodeName: String?
        public var serviceAccountName: String?
    }

    public struct Status: Codable, Hashable, Sendable {
        /// `Pending`, `Running`, `Succeeded`, `Failed` or `Unknown`.
        public var phase: String?
        public var podIP: String?
        public var conditions: [Condition]?
    }

    /// Whether it will never run again.
    public var isFinished: Bool { status?.phase == "Succeeded" || status?.phase == "Failed" }

    public var isReady: Bool {
        status?.conditions?.contains { $0.type == "Ready" && $0.status == .yes } ?? false
    }
}
