/// A program that is run for a credential: `exec` of a kubeconfig's user.
/// <https://kubernetes.io/docs/reference/access-authn-authz/authentication/#client-go-credential-plugins>
public struct CredentialPlugin: Sendable, Hashable, CustomStringConvertible, CustomReflectable {
    /// `client.authentication.k8s.io/v1`, or `…/v1beta1`.
    public var apiVersion: String
    /// A path, or a name that is looked up in `PATH`.
    public var command: String
    public var arguments: [String]
    /// Added to this process' own environment.
    public var environment: [String: String]
    /// What to tell a user who does not have the program.
    public var installHint: String?
    /// What it is told of the cluster; nil where it shall not be.
    public var cluster: JSONValue?
    /// For how long it may run until it is killed.
    public var timeout: Duration = .seconds(60)

    public init(
        apiVersion: String, command: String, arguments: [String] = [], environment: [String: String] = [:],
        installHint: String? = nil, cluster: JSONValue? = nil
    ) {
        self.apiVersion = apiVersion
        self.command = command
        self.arguments = arguments
        self.environment = environment
        self.installHint = installHint
        self.cluster = cluster
    }

    /// The command alone: arguments and environment may hold secrets.
    public var description: String { "the credential plugin \(command)" }

    public var customMirror: Mirror { Mirror(self, children: ["description": description]) }

    /// What the plugin finds in `KUBERNETES_EXEC_INFO`. We have no terminal for it.
    var information: JSONValue {
        var spec: JSONValue = ["interactive": false]
        spec["cluster"] = cluster
        return ["apiVersion": .string(apiVersion), "kind": "ExecCredential", "spec": spec]
    }

    /// Why there is no credential. With the user's way out of it.
    func failure(_ reason: String) -> KubernetesError {
        let hint = installHint.map { $0.trimmed }.flatMap { $0.isEmpty ? nil : "; \($0)" } ?? ""
        return KubernetesError(.credentialPlugin, "\(self) \(reason)\(hint)")
    }
}
