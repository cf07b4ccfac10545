import ControllerRuntime
import Foundation
import KubernetesClient
import Logging
import MigrationEngine
import SchemaChange
import Synchronization
import TestSupport

@testable import MigrationOperator

/// Stands in for the databases, which these tests have none of: each says what it is told to.
final class Proofs: ProofSource {
    private let check = Mutex<ProofCheck?>(.holds(certificate()))

    /// Nil: it does not answer.
    func set(_ new: ProofCheck?) { check.withLock { $0 = new } }
    func checkProof(_ migration: Migration, by deadline: ContinuousClock.Instant) async throws -> ProofCheck {
        while true {
            if let check = check.withLock({ $0 }) { return check }
            try await Task.sleep(for: .milliseconds(50))
        }
    }
    func hasExpanded(
        _ migration: Migration, _ planHash: String, by deadline: ContinuousClock.Instant
    ) async throws -> Bool { true }
}

/// A workload `w` of any kind, whose pods run `image` and require a Migration.
func workloadManifest(
    _ kind: WorkloadKind, _ resource: ResourceDescriptor, image: String, requires: String?
) -> String {
    let annotations = requires.map { #"{"sluice.dev/requires": "\#($0)"}"# } ?? "{}"
    let template = """
        {"metadata": {"labels": {"app": "w"}, "annotations": \(annotations)},
         "spec": {"restartPolicy": "\(kind == .cronJob || kind == .job ? "Never" : "Always")",
                  "containers": [{"name": "w", "image": "\(image)"}]}}
        """
    let selector = #""selector": {"matchLabels": {"app": "w"}}, "template": \#(template)"#
    let spec =
        switch kind {
        case .cronJob: #""schedule": "* * * * *", "jobTemplate": {"spec": {"template": \#(template)}}"#
        case .job: #""template": \#(template)"#
        case .statefulSet: #""serviceName": "w", \#(selector)"#
        case .deployment, .daemonSet, .rollout: selector
        }
    return """
        {"apiVersion": "\(resource.apiVersion)", "kind": "\(kind.rawValue)", "metadata": {"name": "w"}, "spec": {\(spec)}}
        """
}

/// A namespace with the custom resource, and a gate controller at work in it.
struct Gated: Sendable {
    let client: KubernetesClient
    let kubectl: Kubectl
    let namespace: String
    let proofs = Proofs()

    func apply(_ name: String = "api", requires: String?, image: String, bypass: String? = nil) async throws {
        var annotations: [String: String] = [:]
        annotations["sluice.dev/requires"] = requires
        annotations["sluice.dev/bypass"] = bypass
        let text = String(decoding: try JSONEncoder().encode(annotations), as: UTF8.self)
        try await kubectl(
            "apply", "-f", "-",
            input: """
                {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "\(name)"},
                 "spec": {"replicas": 2, "selector": {"matchLabels": {"app": "api"}}, "template": {
                   "metadata": {"labels": {"app": "api"}, "annotations": \(text)},
                   "spec": {"containers": [{"name": "api", "image": "\(image)"}]}}}}
                """)
    }

    func deployment() async throws -> Deployment {
        try await client.get(Deployment.self, ObjectKey("api", in: namespace))
    }

    /// The images of the ReplicaSets that there are.
    func images() async throws -> Set<String> {
        let sets = try await client.list(ReplicaSet.self, in: namespace).items
        return Set(sets.compactMap { $0.spec.template?.image })
    }

    /// Makes the Migration `split` verified, as the operator would.
    func verify() async throws {
        let key = ObjectKey("split", in: namespace)
        var status = reconcile(migration(), observed(worker(report(.backfill), endedAgo: 1))).status!
        let live = try await client.get(Migration.self, key)
        let generation = live.metadata.generation!
        status.observedGeneration = generation
        status.conditions = status.conditions?.map { condition in
            var condition = condition
            condition.observedGeneration = generation
            return condition
        }
        try await client.applyStatus(Migration.self, key, JSONValue(encoding: status), fieldManager: "sluice")
    }

    /// The Deployment, once its controller has seen it and it is as wanted.
    @discardableResult
    func eventually(_ what: String, _ isWanted: @Sendable (Deployment) -> Bool) async throws -> Deployment {
        try await TestSupport.eventually(what, within: .seconds(20)) {
            try await deployment()
        } until: {
            $0.status?.observedGeneration == $0.metadata.generation && isWanted($0)
        }
    }
}

extension Gated {
    /// Applies a workload `w` whose pods run `image` and require `split`.
    func apply(
        _ kind: WorkloadKind, image: String, requires: String? = "split", serverSide: Bool = false
    ) async throws {
        let manifest = workloadManifest(kind, try await client.serving(kind), image: image, requires: requires)
        try await kubectl(
            "apply", "--validate=false", "--server-side=\(serverSide)", "-f", "-", input: manifest)
    }

    func workload(_ kind: WorkloadKind) async throws -> Workload {
        let key = ObjectKey("w", in: namespace)
        return Workload(kind, try await client.get(WorkloadObject.self, try await client.serving(kind), key))
    }

    /// The workload, once it is as wanted.
    @discardableResult
    func eventually(
        _ kind: WorkloadKind, _ what: String, _ isWanted: @Sendable (Workload) -> Bool
    ) async throws -> Workload {
        try await TestSupport.eventually(what, within: .seconds(20)) {
            try await workload(kind)
        } until: {
            isWanted($0)
        }
    }
}

extension KubernetesClient {
    /// The version of a kind that the server has.
    func serving(_ kind: WorkloadKind) async throws -> ResourceDescriptor {
        for resource in kind.resources where try await supports(resource) { return resource }
        throw KubernetesError(.notFound, "the server has no \(kind.rawValue)")
    }
}

func withGate(_ body: @escaping @Sendable (Gated) async throws -> Void) async throws {
    let client = try testClient()
    try await Installer(client: client).install()
    try await withNamespace { namespace in
        let gated = Gated(client: client, kubectl: try Kubectl(namespace: namespace), namespace: namespace)
        let client = KubernetesClient(try OperatorAccount.configuration(), version: "test")
        let logger = Logger(label: "test")
        let workloads = WorkloadWatch(
            client: client, namespaces: [namespace], searchInterval: .milliseconds(200), logger: logger)
        let migrations = Reflector(Migration.self, in: namespace, client: client, logger: logger)
        let recorder = EventRecorder(client: client, controller: "sluice.dev/operator", instance: "t", logger: logger)
        let confirmations = WorkQueue<WorkloadKey>()
        let gates = GateController(
            client: client, workloads: workloads, migrations: migrations.store, proofs: gated.proofs,
            recorder: recorder, logger: logger
        ) {
            confirmations.add($0)
        }
        let loop = Controller<WorkloadKey>(name: "gates", logger: logger) { try await gates.reconcile($0) }
        let confirming = Controller<WorkloadKey>(name: "confirmations", queue: confirmations, logger: logger) {
            try await gates.confirm($0)
        }
        workloads.observe { loop.queue.add(WorkloadKey($0.kind, $0.key)) }
        migrations.store.observe { change in
            for workload in workloads.workloads(in: namespace) {
                loop.queue.add(WorkloadKey(workload.kind, workload.key))
            }
        }
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { await workloads.run() }
            group.addTask { await migrations.run() }
            group.addTask { await recorder.run() }
            group.addTask {
                try? await migrations.waitUntilSynced()
                await loop.run()
            }
            group.addTask { await confirming.run() }
            try await eventually("the workloads are listed") { workloads.isSynced }
            defer { group.cancelAll() }
            try await body(gated)
        }
    }
}

extension PodTemplate {
    /// Of its first container.
    var image: String? { spec?["containers"]?.array?.first?["image"]?.string }
}
