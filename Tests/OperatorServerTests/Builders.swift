import Foundation
import KubernetesClient
import TestSupport

func testClient() throws -> KubernetesClient {
    KubernetesClient(try .load(kubeconfig: TestServers.kubeconfig, environment: [:]), version: "test")
}

func json(_ text: String) throws -> JSONValue { try JSONValue(parsing: text) }

/// A Secret as the server would give it.
func secret(_ data: [String: String]) throws -> Secret {
    let object: JSONValue = [
        "metadata": ["name": "s"], "data": .object(data.mapValues { .string($0) }),
    ]
    return try object.decode(Secret.self)
}
