/// A pod as a workload will make it: its metadata typed, its spec untouched.
public struct PodTemplate: Codable, Hashable, Sendable {
    public var metadata: TemplateMeta?
    public var spec: JSONValue?

    public init(metadata: TemplateMeta? = nil, spec: JSONValue? = nil) {
        self.metadata = metadata
        self.spec = spec
    }

    public struct TemplateMeta: Codable, Hashable, Sendable {
        public var labels: [String: String]?
        public var annotations: [String: String]?
    }

    public var annotations: [String: String] { metadata?.annotations ?? [:] }
    public var labels: [String: String] { metadata?.labels ?? [:] }
}
