import Foundation
import KubernetesClient
import MigrationEngine
import SchemaChange
import Synchronization
import TestSupport
import Testing

@testable import MigrationOperator

func testClient() throws -> KubernetesClient {
    KubernetesClient(try .load(kubeconfig: TestServers.kubeconfig, environment: [:]), version: "test")
}

/// A Migration's manifest for `kubectl apply -f -`.
func manifest(_ spec: String = "", name: String = "split", changes: String = splitChanges) -> String {
    let members = spec.isEmpty ? "" : ", \(spec)"
    return """
        {"apiVersion": "sluice.dev/v1alpha1", "kind": "Migration", "metadata": {"name": "\(name)"},
         "spec": {"changes": \(changes),
                  "database": {"urlFrom": {"secretKeyRef": {"name": "db", "key": "url"}}}\(members)}}
        """
}

@Suite("The custom resource on a real API server")
struct CustomResourceTests {
    @Test("installing it twice changes nothing the second time")
    func installs() async throws {
        let installer = Installer(client: try testClient())
        #expect(!Installer.manifests().contains("MutatingWebhookConfiguration"))
        #expect(Installer.manifests([.base, .webhook]).contains("MutatingWebhookConfiguration"))
        try await installer.install()
        let again = Recorded()
        try await installer.install { again.add($0) }
        #expect(again.all.allSatisfy { $0.outcome == .unchanged })
        #expect(again.all.map(\.name).contains("CustomResourceDefinition/migrations.sluice.dev"))
        #expect(again.all.map(\.name).contains("RoleBinding/sluice-leader-election"))
    }

    @Test("a Migration gets its defaults, a status that is not current, and columns for people")
    func defaults() async throws {
        try await Installer(client: testClient()).install()
        try await withNamespace { namespace in
            let kubectl = try Kubectl(namespace: namespace)
            try await kubectl("apply", "-f", "-", input: manifest())
            let made = try await testClient().get(Migration.self, ObjectKey("split", in: namespace))
            #expect(made.status == MigrationStatus(observedGeneration: -1))
            #expect(made.spec?.phase == .backfill)
            #expect(made.spec?.backfill?.chunkDuration?.duration == .milliseconds(40))
            #expect(made.spec?.backfill?.workers == 2)
            #expect(made.spec?.contract?.soak?.duration == .seconds(3600))
            #expect(made.spec?.database?.schema == "public")
            #expect(made.spec?.deletionPolicy == .orphan)
            #expect(SpecValidation.findings(made) == [])

            var status = try #require(
                reconcile(migration(), observed(worker(report(.backfill), endedAgo: 1))).status)
            status.progress = MigrationStatus.Progress(BackfillProgress(rowsDone: 41, rowsTotal: 100))
            try await testClient().applyStatus(
                Migration.self, made.key, JSONValue(encoding: status), fieldManager: "sluice")
            let lines = try await kubectl("get", "mig", "split").split(separator: "\n")
            #expect(lines[0].split(separator: " ") == ["NAME", "PHASE", "STEP", "PROGRESS", "GATE", "AGE"])
            #expect(lines[1].split(separator: " ").dropLast() == ["split", "Backfill", "Backfill", "41%", "Open"])
            try await kubectl("wait", "mig/split", "--for=condition=Verified", "--timeout=5s")
            let read = try await testClient().get(Migration.self, made.key)
            #expect(read.status == status)
            #expect(try await kubectl("get", "sluice").contains("split"))
            // The server works its description of a new kind in at its leisure.
            try await eventually("the fields are explained", within: .seconds(60), every: .seconds(1)) {
                try await kubectl("explain", "mig.spec.contract.soak").contains("proof must have held")
            }
        }
    }

    static let bad: [(manifest: String, message: String)] = [
        (manifest(#""phase": "Backwards""#), "spec.phase"),
        (manifest(changes: "[]"), "spec.changes"),
        (manifest(changes: #"[{"dropColumn": {"table": "t", "column": "a"}, "sql": {"expand": ["x"]}}]"#), "at most 1"),
        (manifest(changes: "[{}]"), "at least 1"),
        (manifest(changes: #"[{"addColumn": {"table": "t"}}]"#), "spec.changes.addColumn.column"),
        (manifest(changes: #"[{"addColumn": {"table": "t", "column": {"name": "a"}}}]"#), "column.type"),
        (manifest(changes: #"[{"dropColumn": {"table": "", "column": "a"}}]"#), "dropColumn.table"),
        (manifest(changes: #"[{"replaceColumns": {"table": "t", "from": ["a"]}}]"#), "replaceColumns"),
        (manifest(#""backfill": {"workers": 17}"#), "spec.backfill.workers"),
        (manifest(#""backfill": {"chunkDuration": "soon"}"#), "spec.backfill.chunkDuration"),
        (manifest(#""contract": {"keepFor": "1 week"}"#), "spec.contract.keepFor"),
        (manifest(#""dualWrite": {"by": "Nobody"}"#), "spec.dualWrite.by"),
        (manifest(#""deletionPolicy": "Maybe""#), "spec.deletionPolicy"),
        (manifest(#""rollouts": [{"kind": "Deployment", "name": "api"}]"#), "apiVersion"),
        (manifest(#""suspend": "yes""#), "spec.suspend"),
        (manifest(#""dependsOn": ["A B"]"#), "spec.dependsOn"),
        (#"{"apiVersion": "sluice.dev/v1alpha1", "kind": "Migration", "metadata": {"name": "x"}}"#, "spec"),
        (manifest().replacing(#""database""#, with: #""data""#), "spec.database"),
    ]

    @Test("refuses a manifest that breaks the schema, naming the field", arguments: bad)
    func refuses(_ manifest: String, _ message: String) async throws {
        try await Installer(client: testClient()).install()
        let result = try await Kubectl().result(
            of: "apply", "--validate=false", "--dry-run=server", "-f", "-", input: manifest)
        #expect(result.status != 0)
        #expect(result.standardError.contains(message), "\(result.standardError)")
    }

    @Test("the operator's account may do what it does, and no more")
    func rights() async throws {
        try await Installer(client: testClient(), parts: [.base, .webhook]).install()
        let kubectl = try Kubectl(namespace: "default")
        func may(_ verb: String, _ resource: String, _ namespace: String = "default") async throws -> Bool {
            try await kubectl.result(
                of: "auth", "can-i", verb, resource, "--as=system:serviceaccount:sluice-system:sluice",
                "--namespace=\(namespace)"
            ).standardOutput.hasPrefix("yes")
        }
        for (verb, resource) in [
            ("watch", "migrations.sluice.dev"), ("patch", "migrations.sluice.dev/status"),
            ("patch", "deployments.apps"),
            ("list", "replicasets.apps"), ("list", "pods"), ("get", "secrets"), ("create", "events.events.k8s.io"),
        ] {
            #expect(try await may(verb, resource), "\(verb) \(resource)")
        }
        #expect(try await may("create", "leases.coordination.k8s.io", "sluice-system"))
        #expect(try await may("create", "secrets", "sluice-system"))
        #expect(try await may("update", "secrets/sluice-webhook", "sluice-system"))
        #expect(try await !may("update", "secrets/other", "sluice-system"))
        let webhooks = "mutatingwebhookconfigurations.admissionregistration.k8s.io"
        #expect(try await may("patch", "\(webhooks)/sluice"))
        #expect(try await !may("patch", "\(webhooks)/other"))
        for (verb, resource) in [
            ("create", webhooks), ("update", webhooks), ("delete", webhooks), ("create", "secrets"),
            ("update", "secrets"),
            ("list", "secrets"), ("watch", "secrets"), ("delete", "migrations.sluice.dev"), ("delete", "pods"),
            ("create", "deployments.apps"), ("create", "leases.coordination.k8s.io"), ("patch", "secrets"),
            ("update", "migrations.sluice.dev"), ("update", "events.events.k8s.io"), ("get", "pods"),
            ("get", "replicasets.apps"),
        ] {
            #expect(try await !may(verb, resource), "\(verb) \(resource)")
        }
    }
}

/// What a callback was called with.
private final class Recorded: Sendable {
    private let list = Mutex<[Installer.Applied]>([])
    var all: [Installer.Applied] { list.withLock { $0 } }
    func add(_ applied: Installer.Applied) { list.withLock { $0.append(applied) } }
}
