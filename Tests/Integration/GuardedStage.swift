import KubernetesClient
import MigrationOperator
import TestSupport

extension Stage {
    /// Runs the operator with its admission webhook beside the body, for this namespace alone: others share the cluster.
    func withGuardedOperator<Value>(
        policy: String = "Fail",
        _ body: (SluiceProcess) async throws -> Value
    ) async throws -> Value {
        // Servers from 1.21 on say so themselves.
        try await kubectl("label", "namespace", namespace, "kubernetes.io/metadata.name=\(namespace)", "--overwrite")
        try await kubectl(
            "apply", "-f", "-",
            input: """
                {"apiVersion": "admissionregistration.k8s.io/v1", "kind": "MutatingWebhookConfiguration",
                 "metadata": {"name": "\(namespace)"}}
                """
        )
        let port = try freePort()
        return try await with {
            try await withOperator([
                "--webhook-bind-address", "127.0.0.1:\(port)", "--webhook-url", "https://127.0.0.1:\(port)",
                "--webhook-configuration", namespace, "--webhook-failure-policy", policy,
            ]) { process in
                try await waitForWebhook()
                return try await body(process)
            }
        } cleanUp: {
            try await kubectl("delete", "mutatingwebhookconfiguration", namespace, "--ignore-not-found")
        }
    }

    /// Until the API server asks it: it learns of a configuration in a moment only.
    func waitForWebhook() async throws {
        try await eventually("the webhook is asked", within: .seconds(30)) {
            try await kubectl(
                "create", "-f", "-", "--dry-run=server", "-o", "jsonpath={.spec.paused}",
                input: manifest("probe", "api:1", requires: "split")
            ) == "true"
        }
    }

    /// A Deployment of one pod, as it stands in a file. `fields` go into its spec.
    func manifest(_ name: String, _ image: String, requires: String? = nil, bypass: String? = nil, fields: String = "")
        -> String
    {
        let requires = requires.map { #""sluice.dev/requires": "\#($0)""# }
        let bypass = bypass.map { #""sluice.dev/bypass": "\#($0)""# }
        let annotations = [requires, bypass].compactMap(\.self).joined(separator: ", ")
        return """
            {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "\(name)"},
             "spec": {\(fields)"replicas": 1, "selector": {"matchLabels": {"app": "\(name)"}}, "template": {
               "metadata": {"labels": {"app": "\(name)"}, "annotations": {\(annotations)}},
               "spec": {"containers": [{"name": "api", "image": "\(image)"}]}}}}
            """
    }

    func deployment(_ name: String = "api") async throws -> Deployment {
        try await client.get(Deployment.self, ObjectKey(name, in: namespace))
    }

    /// Once a Deployment is as wanted.
    @discardableResult
    func waitFor(
        _ what: String, of name: String = "api", _ isWanted: (Deployment) -> Bool
    ) async throws -> Deployment {
        try await eventually(what, within: .seconds(60)) {
            try await deployment(name)
        } until: {
            isWanted($0)
        }
    }

    /// The images of the ReplicaSets that there are.
    func images() async throws -> Set<String> {
        Set(try await client.list(ReplicaSet.self, in: namespace).items.compactMap(\.image))
    }
}

extension ReplicaSet {
    /// Of its template's first container.
    var image: String? { spec.template?.spec?["containers"]?.array?.first?["image"]?.string }
}

extension Deployment {
    var mark: String? { metadata.annotations["sluice.dev/held"] }
    var isStamped: Bool { metadata.annotations["sluice.dev/gate"] != nil }

    /// The managers that own `spec.paused`.
    var pauseOwners: [String] {
        metadata.managedFields.filter { $0.fieldsV1?[path: "f:spec", "f:paused"] != nil }.compactMap(\.manager)
    }
}
