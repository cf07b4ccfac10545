public import KubernetesClient

/// How the admission webhook is served, and how the API server finds it.
public struct WebhookSettings: Sendable {
    /// What the API server does with a workload when the webhook does not answer.
    public enum FailurePolicy: String, Sendable, CaseIterable {
        /// It is refused: nothing gets past the gate, and nothing that is gated can be changed meanwhile.
        case fail = "Fail"
        /// It is let through: the gate holds what it can, as without the webhook.
        case ignore = "Ignore"
    }

    /// Where it listens.
    public var address: OperatorServerSettings.Address
    public var failurePolicy: FailurePolicy = .ignore
    /// Where the API server finds it, without a path: for an operator outside the cluster. Nil means by the Service.
    public var url: String?
    /// The operator's own namespace: of the Service and the Secret.
    public var namespace: String
    public var serviceName = "sluice-webhook"
    public var secretName = "sluice-webhook"
    /// The `MutatingWebhookConfiguration` that is kept right.
    public var configurationName = "sluice"
    /// The only namespaces whose workloads are sent; empty means all. They are told by the label
    /// `kubernetes.io/metadata.name`, which servers set since Kubernetes 1.21.
    public var namespaces: [String] = []
    /// Which of them besides, and which workloads, by their labels: `matchExpressions` of Kubernetes. Empty means all.
    public var selectedNamespaces: [JSONValue] = []
    public var objects: [JSONValue] = []
    /// For how long requests are still answered after the end was asked for: until every API server has heard that the
    /// Service has one address less.
    public var linger = Duration.seconds(5)
    public var lifetimes = CertificateLifetimes()

    public init(address: OperatorServerSettings.Address, namespace: String) {
        self.address = address
        self.namespace = namespace
    }

    /// The names that the certificate is for.
    var names: [String] {
        guard let url else { return ["\(serviceName).\(namespace).svc"] }
        return [Self.host(of: url)]
    }

    /// `hook.example` of `https://hook.example:8443/path`; an IPv6 address without its brackets.
    private static func host(of url: String) -> String {
        let start = url.firstRange(of: "://")?.upperBound ?? url.startIndex
        let authority = url[start...].prefix { $0 != "/" }
        if authority.hasPrefix("["), let end = authority.firstIndex(of: "]") {
            return String(authority[authority.index(after: authority.startIndex)..<end])
        }
        return String(authority.prefix { $0 != ":" })
    }
}
