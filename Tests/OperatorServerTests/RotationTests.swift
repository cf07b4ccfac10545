import Foundation
import KubernetesClient
import Logging
import MigrationOperator
import TestSupport
import Testing

@testable import OperatorServer

@Suite("Certificates that are renewed while the webhook serves")
struct RotationTests {
    @Test("two replicas change certificate and authority, and no request fails meanwhile", .timeLimit(.minutes(3)))
    func rotation() async throws {
        let client = try testClient()
        try await Installer(client: client).install()
        try await withNamespace { namespace in
            try await OperatorAccount.settle(in: namespace)
            let kubectl = try Kubectl(namespace: namespace)
            try await kubectl(
                "label", "namespace", namespace, "kubernetes.io/metadata.name=\(namespace)", "--overwrite")
            try await kubectl(
                "apply", "-f", "-",
                input: """
                    {"apiVersion": "admissionregistration.k8s.io/v1", "kind": "MutatingWebhookConfiguration",
                     "metadata": {"name": "\(namespace)"}}
                    """)
            try await with {
                try await rotate(Rotating(client: client, kubectl: kubectl, namespace: namespace))
            } cleanUp: {
                try await kubectl("delete", "mutatingwebhookconfiguration", namespace)
            }
        }
    }

    private func rotate(_ rotating: Rotating) async throws {
        let ports = [try freePort(), try freePort()]
        try await withThrowingTaskGroup(of: Void.self) { group in
            for port in ports {
                group.addTask { try await rotating.replica(at: port, calledAt: ports[0]) }
            }
            group.addTask { try await look(rotating, ports) }
            defer { group.cancelAll() }
            try await group.next()
        }
    }

    private func look(_ rotating: Rotating, _ ports: [Int]) async throws {
        try await eventually("the webhook is asked", within: .seconds(30)) { try await rotating.isHeld() }
        for port in ports {
            try await eventually("port \(port) serves", within: .seconds(30)) { try await rotating.ask(port).isRight }
        }
        var served: Set<String> = []
        var authorities: Set<String> = []
        let deadline = ContinuousClock.now + .seconds(90)
        while served.count < 5 || authorities.count < 3, ContinuousClock.now < deadline {
            #expect(try await rotating.isHeld())
            for port in ports {
                let answer = try await rotating.ask(port)
                #expect(answer.isRight, "\(answer.text)")
                served.insert(answer.text)
            }
            let secret = try await rotating.client.get(Secret.self, ObjectKey("sluice-webhook", in: rotating.namespace))
            authorities.insert(secret.string("ca.crt") ?? "")
        }
        #expect(served.count >= 5)
        #expect(authorities.count >= 3)
    }
}

/// A namespace in which two operators serve a webhook whose certificates are old within seconds.
private struct Rotating: Sendable {
    let client: KubernetesClient
    let kubectl: Kubectl
    let namespace: String

    /// Runs an operator that serves at `port`, and tells the API server to call `calledAt`.
    func replica(at port: Int, calledAt: Int) async throws {
        let cluster = try OperatorAccount.configuration()
        let client = KubernetesClient(cluster, version: "test")
        var configuration = OperatorConfiguration(cluster: cluster, identity: uniqueName("operator"))
        configuration.namespaces = [namespace]
        configuration.leaseNamespace = namespace
        let state = OperatorState()
        let logger = Logger(label: "test")
        let service = OperatorService(configuration, state: state, logger: logger)
        var webhook = WebhookSettings(address: .init(host: "127.0.0.1", port: port), namespace: namespace)
        webhook.namespaces = [namespace]
        webhook.url = "https://127.0.0.1:\(calledAt)"
        webhook.configurationName = namespace
        webhook.failurePolicy = .fail
        webhook.lifetimes.authority = .seconds(16)
        webhook.lifetimes.serving = .seconds(6)
        webhook.lifetimes.look = .milliseconds(500)
        var settings = OperatorServerSettings()
        settings.webhook = webhook
        let server = OperatorServer(settings, client: client, state: state, logger: logger)
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await service.run() }
            group.addTask { try await server.run() }
            defer { group.cancelAll() }
            try await group.waitForAll()
        }
    }

    /// Whether the API server got an answer, and took it.
    func isHeld() async throws -> Bool {
        try await kubectl(
            "create", "-f", "-", "--dry-run=server", "-o", "jsonpath={.spec.paused}",
            input: """
                {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "api"},
                 "spec": {"selector": {"matchLabels": {"app": "api"}}, "template": {
                   "metadata": {"labels": {"app": "api"}, "annotations": {"sluice.dev/requires": "split"}},
                   "spec": {"containers": [{"name": "api", "image": "api:1"}]}}}}
                """) == "true"
    }

    struct Answer {
        /// Over TLS that was trusted, a 400 to rubbish.
        var isRight: Bool
        /// The certificate that was served, or what went wrong.
        var text: String
    }

    /// Asks as a server that was told the present bundle would, over a new connection.
    func ask(_ port: Int) async throws -> Answer {
        let configuration = try await client.get(.mutatingWebhookConfigurations, ObjectKey(namespace))
        let entry = configuration.json["webhooks"]?.array?.first
        let bundle = entry?[path: "clientConfig", "caBundle"]?.string.flatMap { Data(base64Encoded: $0) }
        let file = try TestServers.folder + "/" + uniqueName("bundle")
        try (bundle ?? Data()).write(to: URL(fileURLWithPath: file))
        let output = try await Program.run(
            "curl",
            [
                "--silent", "--show-error", "--cacert", file, "--data", "rubbish", "--output", "/dev/null",
                "--write-out", "%{http_code}\n%{certs}", "https://127.0.0.1:\(port)/mutate",
            ])
        let isRight = output.status == 0 && output.standardOutput.hasPrefix("400\n")
        return Answer(isRight: isRight, text: output.standardOutput + output.standardError)
    }
}
