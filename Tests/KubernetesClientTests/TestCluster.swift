import Foundation
import KubernetesClient
import TestSupport

/// A client of the shared control plane.
func makeClient(context: String? = nil) throws -> KubernetesClient {
    KubernetesClient(
        try ClusterConfiguration.load(
            kubeconfig: TestServers.kubeconfig, context: context, environment: [:]), version: "test")
}

func makeClient(of controlPlane: PrivateControlPlane) throws -> KubernetesClient {
    KubernetesClient(
        try ClusterConfiguration.load(kubeconfig: controlPlane.kubeconfig, environment: [:]), version: "test")
}

/// A client that reaches the shared control plane through `proxy` only. Stop the proxy afterwards.
func makeProxiedClient() throws -> (client: KubernetesClient, proxy: TestProxy) {
    var configuration = try makeClient().configuration
    guard let port = URLComponents(string: configuration.server)?.port else {
        throw TestFailure("the control plane's address has no port: \(configuration.server)")
    }
    let proxy = try TestProxy(.none, to: port)
    configuration.server = "https://127.0.0.1:\(proxy.port)"
    return (KubernetesClient(configuration), proxy)
}

/// A Deployment's fields, as a user applies them.
func deployment(replicas: Int64 = 1, image: String = "web:1") -> JSONValue {
    [
        "spec": [
            "replicas": .int(replicas),
            "selector": ["matchLabels": ["app": "web"]],
            "template": [
                "metadata": ["labels": ["app": "web"], "annotations": ["sluice.dev/requires": "split"]],
                "spec": ["containers": [["name": "web", "image": .string(image)]]],
            ],
        ]
    ]
}
