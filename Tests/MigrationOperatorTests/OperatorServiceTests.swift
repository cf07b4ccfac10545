import ControllerRuntime
import Foundation
import KubernetesClient
import Logging
import Prometheus
import Synchronization
import TestSupport
import Testing

@testable import MigrationOperator

/// An operator at work in a namespace of its own. What needs a database is tested with the engine.
private struct Operated: Sendable {
    let client: KubernetesClient
    let kubectl: Kubectl
    let namespace: String

    func key(_ name: String) -> ObjectKey { ObjectKey(name, in: namespace) }

    /// The Migration, once a condition has this status and reason: `False Suspended`.
    @discardableResult
    func eventually(_ name: String, _ type: MigrationCondition, _ text: String) async throws -> Migration {
        try await TestSupport.eventually("\(name) is \(type.rawValue)=\(text)", within: .seconds(20)) {
            try await client.get(Migration.self, key(name))
        } until: { migration in
            migration.status?.text(type) == text
                && migration.status?.observedGeneration == migration.metadata.generation
        }
    }
}

private func withOperator(
    as account: String? = nil, state: OperatorState = OperatorState(), slots: Int = 16,
    _ body: @escaping @Sendable (Operated) async throws -> Void
) async throws {
    let client = try testClient()
    try await Installer(client: client).install()
    try await withNamespace { namespace in
        try await OperatorAccount.settle(in: namespace)
        var cluster = account == nil ? try OperatorAccount.configuration() : client.configuration
        if let account {
            cluster.impersonation = Impersonation(user: "system:serviceaccount:\(namespace):\(account)")
        }
        var configuration = OperatorConfiguration(cluster: cluster, identity: uniqueName("operator"))
        configuration.namespaces = [namespace]
        configuration.leaseNamespace = namespace
        configuration.concurrentMigrations = slots
        let service = OperatorService(configuration, state: state, logger: Logger(label: "test"))
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await service.run() }
            defer { group.cancelAll() }
            try await body(
                Operated(client: client, kubectl: try Kubectl(namespace: namespace), namespace: namespace))
        }
        let lease = try await client.get(Lease.self, ObjectKey("sluice", in: namespace))
        #expect(lease.spec.holderIdentity ?? "" == "")
    }
}

@Suite("The operator on a real API server")
struct OperatorServiceTests {
    @Test("a missing Secret is said, and taking it up again needs nothing but the Secret")
    func secret() async throws {
        try await withOperator { operated in
            try await operated.kubectl("apply", "-f", "-", input: manifest())
            let told = try await operated.eventually("split", .ready, "False SecretNotFound")
            #expect(told.metadata.finalizers == [SluiceName.finalizer])
            #expect(told.status?.condition(.ready)?.message == "there is no Secret db in this namespace")
            #expect(told.status?.text(.reconciling) == "True SecretNotFound")
            try await eventually("the event is there") {
                try await operated.kubectl("describe", "mig", "split").contains("SecretNotFound")
            }
            try await operated.kubectl("create", "secret", "generic", "db", "--from-literal=other=1")
            try await eventually("the key is missed", within: .seconds(40)) {
                let found = try await operated.client.get(Migration.self, operated.key("split"))
                return found.status?.condition(.ready)?.message == "the Secret db has no text under the key url"
            }
            // Orphan needs no database.
            try await operated.kubectl("delete", "mig", "split", "--timeout=20s")
        }
    }

    @Test("a spec that cannot work is stalled with its findings, until it is mended")
    func invalid() async throws {
        try await withOperator { operated in
            let wrong = splitChanges.replacing(#""last_name": "g(full_name)""#, with: #""surname": "g(full_name)""#)
            try await operated.kubectl("apply", "-f", "-", input: manifest(changes: wrong))
            let told = try await operated.eventually("split", .stalled, "True InvalidSpec")
            let message = told.status?.condition(.stalled)?.message ?? ""
            #expect(message.contains("spec.changes[0].replaceColumns.forward: there is no expression"))
            #expect(told.metadata.finalizers == [])
            try await operated.kubectl("apply", "-f", "-", input: manifest())
            try await operated.eventually("split", .stalled, "False NotStalled")
            try await operated.eventually("split", .ready, "False SecretNotFound")
        }
    }

    @Test("suspending and waiting for another Migration are told")
    func waits() async throws {
        try await withOperator { operated in
            try await operated.kubectl("apply", "-f", "-", input: manifest(#""suspend": true"#, name: "first"))
            try await operated.eventually("first", .ready, "False Suspended")
            try await operated.kubectl("apply", "-f", "-", input: manifest(#""dependsOn": ["first"]"#, name: "second"))
            let told = try await operated.eventually("second", .ready, "False WaitingForDependencies")
            #expect(told.status?.condition(.ready)?.message?.contains("first, which is not verified") == true)
        }
    }

    @Test("a Migration that waits for a slot says so, and goes on when it has one")
    func slots() async throws {
        let server = try SilentPostgres()
        defer { server.stop() }
        try await withOperator(slots: 1) { operated in
            try await operated.kubectl("create", "secret", "generic", "db", "--from-literal=url=\(server.url)")
            try await operated.kubectl("apply", "-f", "-", input: manifest(name: "first"))
            try await eventually("the first one has the slot") { server.count > 0 }
            try await operated.kubectl("apply", "-f", "-", input: manifest(name: "second"))
            let told = try await operated.eventually("second", .ready, "False WaitingForSlot")
            #expect(told.status?.text(.reconciling) == "True WaitingForSlot")
            try await operated.kubectl("patch", "mig", "first", "--type=merge", "-p", #"{"spec": {"suspend": true}}"#)
            try await operated.eventually("second", .ready, "False Starting")
        }
    }

    @Test(
        "Migrations and gates get on where one kind of workload may not be listed, and the process says that it is not ready"
    )
    func forbidden() async throws {
        let state = OperatorState()
        try await withOperator(as: "half", state: state) { operated in
            // All that it needs, but DaemonSets.
            try await operated.kubectl(
                "apply", "-f", "-",
                input: """
                    {"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "Role", "metadata": {"name": "half"}, "rules": [
                      {"apiGroups": ["sluice.dev", "coordination.k8s.io", "events.k8s.io", ""], "resources": ["*"],
                       "verbs": ["*"]},
                      {"apiGroups": ["apps"], "resources": ["deployments", "statefulsets"], "verbs": ["*"]},
                      {"apiGroups": ["batch"], "resources": ["*"], "verbs": ["*"]}]}
                    """)
            try await operated.kubectl(
                "create", "rolebinding", "half", "--role=half", "--serviceaccount=\(operated.namespace):half")
            try await operated.kubectl("apply", "-f", "-", input: manifest())
            try await operated.eventually("split", .ready, "False SecretNotFound")
            // What can be listed is held all the same.
            try await operated.kubectl(
                "apply", "-f", "-",
                input: """
                    {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "api"},
                     "spec": {"selector": {"matchLabels": {"app": "api"}}, "template": {
                       "metadata": {"labels": {"app": "api"}, "annotations": {"sluice.dev/requires": "missing"}},
                       "spec": {"containers": [{"name": "api", "image": "api:1"}]}}}}
                    """)
            try await eventually("the gate is closed", within: .seconds(20)) {
                try await operated.client.get(Deployment.self, operated.key("api")).metadata
                    .annotations[SluiceName.gate]
            } until: {
                $0 == "closed"
            }
            #expect(state.isLeading && !state.isReady)
            #expect(state.snapshot?.migrations.count == 1)
        }
    }

    @Test("who was stopped past the lease leads no more, though nobody has told so yet")
    func pastTheLease() throws {
        let client = try testClient()
        let team = OperatorTeam(
            OperatorConfiguration(cluster: client.configuration, identity: "o"), client: client,
            metrics: OperatorMetrics(MetricsRegistry()), logger: Logger(label: "test"))
        let state = OperatorState()
        let hasLease = Mutex(true)
        state.leads(team) { hasLease.withLock { $0 } }
        #expect(state.isLeading)
        hasLease.withLock { $0 = false }
        #expect(!state.isLeading)
    }

    @Test("a leader that has ended leaves nothing of its caches behind")
    func leak() async throws {
        let client = try testClient()
        try await withNamespace { namespace in
            var configuration = OperatorConfiguration(cluster: client.configuration, identity: "o")
            configuration.namespaces = [namespace]
            weak var store: Store<Migration>?
            do {
                let team = OperatorTeam(
                    configuration, client: client, metrics: OperatorMetrics(MetricsRegistry()),
                    logger: Logger(label: "test"))
                store = team.migrations
                let running = Task { await team.run() }
                try await eventually("it has its lists") { team.hasLists }
                running.cancel()
                await running.value
            }
            try await eventually("the store is gone") { store == nil }
        }
    }

    @Test("with Migrations that wait for somebody nothing is written")
    func quiet() async throws {
        try await withOperator { operated in
            for index in 0..<10 {
                try await operated.kubectl(
                    "apply", "-f", "-", input: manifest(#""suspend": true"#, name: "m\(index)"))
            }
            for index in 0..<10 { try await operated.eventually("m\(index)", .ready, "False Suspended") }
            let before = try await versions(operated)
            try await Task.sleep(for: .seconds(2))
            #expect(try await versions(operated) == before)
        }
    }

    private func versions(_ operated: Operated) async throws -> [String: String] {
        let list = try await operated.client.list(Migration.self, in: operated.namespace).items
        return Dictionary(uniqueKeysWithValues: list.map { ($0.metadata.name, $0.metadata.resourceVersion ?? "") })
    }
}
