import KubernetesClient
import TestSupport

/// There is no kubelet: this stands in for the nodes, and says of every pod of a namespace that it runs and is ready.
struct NodeStandIn: Sendable {
    let stage: Stage

    /// Until its task is cancelled.
    func run() async {
        while !Task.isCancelled {
            try? await markReady()
            try? await Task.sleep(for: .milliseconds(200))
        }
    }

    private func markReady() async throws {
        for pod in try await stage.client.list(Pod.self, in: stage.namespace).items where pod.status?.phase != "Running"
        {
            let status: JSONValue = [
                "status": [
                    "phase": "Running",
                    "conditions": [
                        ["type": "Ready", "status": "True"], ["type": "ContainersReady", "status": "True"],
                    ],
                ]
            ]
            try await stage.client.patch(
                Pod.self, pod.key, .merge(status), fieldManager: "node", subresource: "status"
            )
        }
    }
}

extension Stage {
    /// Runs the body while pods become ready as on a real cluster.
    func withNodes<Value: Sendable>(_ body: @escaping @Sendable () async throws -> Value) async throws -> Value {
        try await withThrowingTaskGroup(of: Value?.self) { group in
            group.addTask { try await body() }
            group.addTask {
                await NodeStandIn(stage: self).run()
                return nil
            }
            defer { group.cancelAll() }
            guard let value = try await group.next() ?? nil else { throw CancellationError() }
            return value
        }
    }

    /// A Deployment of two pods; its template requires and provides what is given.
    func deploy(_ image: String, requires: String? = nil, provides: String? = nil) async throws {
        let annotations = [("requires", requires), ("provides", provides)].compactMap { name, value in
            value.map { #""sluice.dev/\#(name)": "\#($0)""# }
        }.joined(separator: ", ")
        try await apply(
            """
            {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "api"},
             "spec": {"replicas": 2, "selector": {"matchLabels": {"app": "api"}}, "template": {
               "metadata": {"labels": {"app": "api"}, "annotations": {\(annotations)}},
               "spec": {"containers": [{"name": "api", "image": "\(image)"}]}}}}
            """
        )
    }

    func waitForRollout(of image: String) async throws {
        try await eventually("\(image) is rolled out", within: .seconds(60)) {
            let deployment = try await client.get(Deployment.self, ObjectKey("api", in: namespace))
            let status = deployment.status
            let container = deployment.spec.template.spec?["containers"]?.array?.first
            return container?["image"]?.string == image
                && status?.observedGeneration == deployment.metadata.generation && status?.updatedReplicas == 2
                && status?.replicas == 2 && status?.availableReplicas == 2
        }
    }
}
