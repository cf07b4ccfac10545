import KubernetesClient
import Logging
import MigrationOperator
import Prometheus
import TestSupport
import Testing

@testable import OperatorServer

@Suite("The webhook's configuration")
struct WebhookConfigurationKeeperTests {
    @Test("what another manager adds stays, and is no reason to write again; what is to be said anew is written")
    func rests() async throws {
        try await Installer(client: testClient()).install()
        try await withNamespace { namespace in
            try await OperatorAccount.settle(in: namespace)
            let kubectl = try Kubectl()
            try await with {
                try await keep(namespace, kubectl)
            } cleanUp: {
                try await kubectl("delete", "mutatingwebhookconfiguration", namespace)
            }
        }
    }

    private func keep(_ name: String, _ kubectl: Kubectl) async throws {
        // It matches nothing, or every other test would wait for a server that is not there.
        try await kubectl(
            "apply", "-f", "-",
            input: """
                {"apiVersion": "admissionregistration.k8s.io/v1", "kind": "MutatingWebhookConfiguration",
                 "metadata": {"name": "\(name)"}, "webhooks": [{
                   "name": "other.example.com", "admissionReviewVersions": ["v1"], "sideEffects": "None", "rules": [],
                   "clientConfig": {"url": "https://other.example.com/"},
                   "namespaceSelector": {"matchLabels": {"none": "\(name)"}}}]}
                """)
        let registry = MetricsRegistry()
        let client = KubernetesClient(
            try OperatorAccount.configuration(), version: "test", metrics: ClientMetrics(registry))
        var settings = WebhookSettings(address: .init(host: "127.0.0.1", port: 1), namespace: name)
        settings.configurationName = name
        settings.namespaces = [name]
        settings.url = "https://127.0.0.1:1"
        settings.failurePolicy = .ignore
        let keeper = WebhookConfigurationKeeper(settings, client: client, logger: Logger(label: "test"))
        func writes() async -> Int {
            await registry.text().split(separator: "\n")
                .filter { $0.hasPrefix("rest_client_requests_total{") && $0.contains(#"method="PATCH""#) }
                .compactMap { $0.split(separator: " ").last.flatMap { Int($0) } }.reduce(0, +)
        }
        for _ in 0..<3 { try await keeper.keep(trusting: "one") }
        #expect(await writes() == 1)
        for _ in 0..<3 { try await keeper.keep(trusting: "two") }
        #expect(await writes() == 2)
        try await kubectl("annotate", "mutatingwebhookconfiguration", name, "touched=1")
        for _ in 0..<3 { try await keeper.keep(trusting: "two") }
        #expect(await writes() == 3)
        // Who leads no more writes nothing, nor over what another has written since it looked.
        try await keeper.keep(trusting: "three", while: { false })
        #expect(await writes() == 3)
        let error = await #expect(throws: KubernetesError.self) {
            try await keeper.keep(trusting: "three") {
                _ = try? await kubectl("annotate", "mutatingwebhookconfiguration", name, "touched=2", "--overwrite")
                return true
            }
        }
        #expect(error?.code == .conflict)
        let names = try await kubectl(
            "get", "mutatingwebhookconfiguration", name, "-o", "jsonpath={.webhooks[*].name}")
        #expect(Set(names.split(separator: " ")) == ["other.example.com", "gate.sluice.dev"])
    }
}
