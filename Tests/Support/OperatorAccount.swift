public import KubernetesClient
internal import YAML

/// The account that `sluice install` makes for the operator, with the rights that it gives to it and no others. Operators of
/// tests run under it, so that a right that is missing fails them, and one that is too much is never used.
public enum OperatorAccount {
    /// The context of a test's kubeconfig that is this account.
    public static let context = "operator"

    /// As whom an operator in the process of the test talks with the shared control plane.
    public static func configuration() throws -> ClusterConfiguration {
        try .load(kubeconfig: TestServers.kubeconfig, context: context, environment: [:])
    }

    /// Gives it in `namespace` what it has in its own: the Lease, and the certificates of the webhook. Likewise for a
    /// `MutatingWebhookConfiguration` of that name. `sluice install` comes before.
    public static func settle(in namespace: String, kubeconfig: String) async throws {
        let text = try await Program.output(TestServers.sluice, ["install", "--webhook", "--dry-run"])
        let objects = try YAML.documents(in: text).compactMap { settled(JSONValue($0), in: namespace) }
        let list: JSONValue = ["apiVersion": "v1", "kind": "List", "items": .array(objects)]
        let kubectl = Kubectl(kubeconfig: kubeconfig)
        try await kubectl("apply", "-f", "-", input: list.text)
        // Who decides about rights hears of new ones in a moment.
        let account = Kubectl(kubeconfig: kubeconfig, context: context, namespace: namespace)
        for question in [
            ["patch", "migrations.sluice.dev"], ["create", "secrets"], ["create", "leases.coordination.k8s.io"],
        ] {
            try await eventually("the operator may \(question.joined(separator: " "))", within: .seconds(20)) {
                try await account.result(of: "auth", "can-i", question[0], question[1]).status == 0
            }
        }
    }

    /// On the shared control plane.
    public static func settle(in namespace: String) async throws {
        try await settle(in: namespace, kubeconfig: TestServers.kubeconfig)
    }

    /// The object as it has to be for a test's namespace; nil for one that holds for the whole cluster as it is.
    private static func settled(_ object: JSONValue, in namespace: String) -> JSONValue? {
        var object = object
        var metadata = object["metadata"] ?? [:]
        let name = metadata["name"]?.string ?? ""
        switch object["kind"]?.string {
        case "Role", "RoleBinding":
            metadata["namespace"] = .string(namespace)
        case "ClusterRole", "ClusterRoleBinding":
            guard name == "sluice-webhook-configuration" else { return nil }
            metadata["name"] = .string("\(name)-\(namespace)")
            if var reference = object["roleRef"] {
                reference["name"] = metadata["name"]
                object["roleRef"] = reference
            }
            if var rule = object["rules"]?.array?.first {
                rule["resourceNames"] = [.string(namespace)]
                object["rules"] = [rule]
            }
        default: return nil
        }
        object["metadata"] = metadata
        return object
    }
}
