/// kubectl against a test's API server: what a user would type, and see.
public struct Kubectl: Sendable {
    /// The path of the kubeconfig.
    public var kubeconfig: String
    /// The context, if not the current one: `reader` or `nobody` for what a user with few rights sees.
    public var context: String?
    /// The namespace, if not the context's.
    public var namespace: String?

    public init(kubeconfig: String, context: String? = nil, namespace: String? = nil) {
        self.kubeconfig = kubeconfig
        self.context = context
        self.namespace = namespace
    }

    /// On the shared control plane.
    public init(context: String? = nil, namespace: String? = nil) throws {
        self.init(kubeconfig: try TestServers.kubeconfig, context: context, namespace: namespace)
    }

    /// Runs it and returns what it printed. Throws ``TestFailure`` if it fails.
    ///
    /// - Parameter input: a manifest for `-f -`.
    @discardableResult
    public func callAsFunction(
        _ arguments: String..., input: String = "", within limit: Duration = .seconds(60)
    ) async throws -> String {
        try await Program.output("kubectl", options + arguments, input: input, within: limit)
    }

    /// Runs it and returns what came of it, failed or not.
    public func result(
        of arguments: String..., input: String = "", within limit: Duration = .seconds(60)
    ) async throws -> Program.Output {
        try await Program.run("kubectl", options + arguments, input: input, within: limit)
    }

    private var options: [String] {
        var options = ["--kubeconfig=" + kubeconfig]
        if let context { options.append("--context=" + context) }
        if let namespace { options.append("--namespace=" + namespace) }
        return options
    }
}
