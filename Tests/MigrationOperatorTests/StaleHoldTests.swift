import ControllerRuntime
import KubernetesClient
import Logging
import TestSupport
import Testing

@testable import MigrationOperator

@Suite("A gate that sees what was")
struct StaleHoldTests {
    @Test("overwrites no partition but the one that it notes: it is a conflict, and decided anew")
    func partition() async throws {
        let client = try testClient()
        try await Installer(client: client).install()
        try await withNamespace { namespace in
            let kubectl = try Kubectl(namespace: namespace)
            let logger = Logger(label: "test")
            let workloads = WorkloadWatch(client: client, namespaces: [namespace], logger: logger)
            let resource = try await client.serving(.statefulSet)
            func apply(_ image: String, requires: String?) async throws {
                let set = workloadManifest(.statefulSet, resource, image: image, requires: requires)
                try await kubectl("apply", "--server-side", "-f", "-", input: set)
            }
            let key = WorkloadKey(.statefulSet, ObjectKey("w", in: namespace))
            let watching = Task { await workloads.run() }
            try await apply("w:1", requires: nil)
            try await eventually("its controller has seen it") { workloads[key]?.progress.isSeen == true }
            try await apply("w:2", requires: "missing")
            try await eventually("what is to be held is in the cache") {
                workloads[key].map { !$0.requirements.isEmpty && $0.progress.isSeen } ?? false
            }
            watching.cancel()
            await watching.value
            try await kubectl(
                "patch", "statefulset", "w", "--type=merge", "-p",
                #"{"spec": {"replicas": 3, "updateStrategy": {"rollingUpdate": {"partition": 2}}}}"#)
            let gates = GateController(
                client: client, workloads: workloads, migrations: Store<Migration>(), proofs: Proofs(),
                recorder: EventRecorder(
                    client: client, controller: "sluice.dev/operator", instance: "t", logger: logger),
                logger: logger, needsConfirmation: { _ in })
            #expect(try await gates.reconcile(key) == .requeue(after: .milliseconds(25)))
            let live = try await client.get(WorkloadObject.self, resource, key.key)
            #expect(live.spec.updateStrategy?.rollingUpdate?.partition == 2)
            #expect(live.metadata.annotations[SluiceName.held] == nil)
            #expect(live.metadata.annotations[SluiceName.heldFrom] == nil)
        }
    }
}
