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
