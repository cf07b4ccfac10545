import Foundation
import KubernetesClient
import MigrationOperator
import TestSupport
import Testing

@Suite("The admission webhook, with kubectl")
struct WebhookTests {
    @Test(
        "what is made or changed is held with no owner of the field, and let go once it is verified, with nothing left")
    func path() async throws {
        try await withStage { stage in
            try await stage.makeCustomers(1000)
            try await stage.withGuardedOperator { _ in
                // Made, by client-side apply.
                try await stage.apply(stage.manifest("api", "api:2", requires: "split"))
                let made = try await stage.deployment()
                #expect(made.spec.paused == true)
                #expect(made.mark == "webhook: waits for split")
                #expect(made.pauseOwners == [])
                // Changed, by client-side apply, from a template that requires nothing.
                try await stage.apply(stage.manifest("old", "old:1"))
                try await stage.waitForImage("old:1")
                try await stage.apply(stage.manifest("old", "old:2", requires: "split"))
                let changed = try await stage.deployment("old")
                #expect(changed.spec.paused == true)
                #expect(changed.pauseOwners == [])

                // The gate has seen them, and tells of it.
                for name in ["api", "old"] { try await stage.waitFor("\(name) is stamped", of: name) { $0.isStamped } }
                try await eventually("the events are there") {
                    try await stage.kubectl("describe", "deployment", "old").contains("GateHeld")
                }
                // The same again, client side and server side: neither releases nor fights.
                let before = try await stage.deployment()
                try await stage.apply(stage.manifest("api", "api:2", requires: "split"))
                // Kubernetes' own controllers write its status when they like, and with that another resourceVersion.
                let same = try await stage.deployment()
                #expect(same.metadata.generation == before.metadata.generation)
                #expect(same.metadata.annotations == before.metadata.annotations)
                try await stage.kubectl(
                    "apply", "--server-side", "--force-conflicts", "--field-manager=argocd", "-f", "-",
                    input: stage.manifest("api", "api:2", requires: "split"))
                let again = try await stage.deployment()
                #expect(again.spec.paused == true && again.mark != nil)
                #expect(again.pauseOwners == [])
                #expect(try await stage.images() == ["old:1"])

                try await stage.apply(stage.splitManifest())
                for name in ["api", "old"] {
                    let free = try await stage.waitFor("\(name) is let go, with nothing left", of: name) {
                        $0.spec.paused == nil && $0.mark == nil && $0.metadata.annotations["sluice.dev/gate"] == "open"
                            && !$0.metadata.managedFields.contains { $0.manager == "sluice-hold" }
                    }
                    #expect(free.pauseOwners == [])
                }
                try await stage.waitForImage("api:2")
                try await stage.waitForImage("old:2")

                // From now on the gate is open: a new template is held for a moment only.
                try await stage.apply(stage.manifest("api", "api:3", requires: "split"))
                try await stage.waitForImage("api:3")
                try await stage.waitFor("nothing is left") { $0.spec.paused == nil && $0.mark == nil }
            }
        }
    }

    @Test("a rollback to what requires nothing is not held, and lets go of what is held")
    func rollback() async throws {
        try await withStage { stage in
            try await stage.withGuardedOperator { _ in
                try await stage.apply(stage.manifest("api", "api:1"))
                #expect(try await stage.deployment().spec.paused == nil)
                try await stage.waitForImage("api:1")
                try await stage.apply(stage.manifest("api", "api:2", requires: "split"))
                #expect(try await stage.deployment().spec.paused == true)
                try await stage.apply(stage.manifest("api", "api:1"))
                try await stage.waitFor("it is let go") { $0.spec.paused == nil && $0.mark == nil }
                #expect(try await stage.images() == ["api:1"])
                // A bypass breaks the glass at once.
                try await stage.apply(stage.manifest("api", "api:2", requires: "split", bypass: "incident 12"))
                #expect(try await stage.deployment().spec.paused == nil)
                try await stage.waitForImage("api:2")
            }
        }
    }

    @Test("who writes a held one whole, takes its pause away, or declares that it is not paused, does not release it")
    func others() async throws {
        try await withStage { stage in
            try await stage.makeCustomers(10)
            try await stage.withGuardedOperator { _ in
                try await stage.apply(stage.manifest("api", "api:2", requires: "split"))
                try await stage.waitFor("it is stamped") { $0.isStamped }
                try await stage.kubectl(
                    "replace", "-f", "-", input: stage.manifest("api", "api:2", requires: "split"))
                #expect(try await stage.deployment().spec.paused == true)
                try await stage.kubectl(
                    "patch", "deployment", "api", "--type=merge", "-p", #"{"spec":{"paused":false}}"#)
                #expect(try await stage.deployment().spec.paused == true)
                try await stage.kubectl(
                    "apply", "--server-side", "--force-conflicts", "--field-manager=argocd", "-f", "-",
                    input: stage.manifest("api", "api:2", requires: "split", fields: #""paused": false, "#))
                let declared = try await stage.deployment()
                #expect(declared.spec.paused == true && declared.pauseOwners.contains("argocd"))
                #expect(try await stage.images() == [])
                try await stage.apply(stage.splitManifest())
                try await stage.waitForImage("api:2")
                try await stage.waitFor("it is let go") { $0.spec.paused != true && $0.mark == nil }
            }
        }
    }

    @Test("a person's pause is left alone, without a mark; its end waits for the gate")
    func person() async throws {
        try await withStage { stage in
            try await stage.makeCustomers(10)
            try await stage.withGuardedOperator { _ in
                try await stage.apply(stage.manifest("api", "api:1", requires: "split", fields: #""paused": true, "#))
                try await stage.waitFor("it is stamped") { $0.isStamped }
                #expect(try await stage.deployment().mark == nil)
                // Held by us first, then declared by somebody: theirs from then on.
                try await stage.apply(stage.manifest("web", "web:1", requires: "split"))
                #expect(try await stage.deployment("web").mark != nil)
                try await stage.apply(stage.manifest("web", "web:1", requires: "split", fields: #""paused": true, "#))
                #expect(try await stage.deployment("web").mark == nil)

                // Ended before the gate is open: ours from then on.
                try await stage.apply(stage.manifest("end", "end:1", requires: "split", fields: #""paused": true, "#))
                try await stage.kubectl("rollout", "resume", "deployment/end")
                let ended = try await stage.deployment("end")
                #expect(ended.spec.paused == true && ended.mark == "webhook: waits for split")

                try await stage.apply(stage.splitManifest())
                try await stage.waitForImage("end:1")
                for name in ["api", "web"] {
                    let open = try await stage.waitFor("the gate of \(name) is open", of: name) {
                        $0.metadata.annotations["sluice.dev/gate"] == "open"
                    }
                    #expect(open.spec.paused == true)
                }
                #expect(try await stage.images() == ["end:1"])
            }
        }
    }

    @Test("in the namespace and by the names that the manifests give, its rights suffice")
    func rights() async throws {
        try await withStage { stage in
            try await stage.makeCustomers(10)
            try await Installer(client: stage.client, parts: [.base, .webhook]).install()
            try await stage.kubectl(
                "label", "namespace", stage.namespace, "kubernetes.io/metadata.name=\(stage.namespace)", "--overwrite")
            let port = try freePort()
            let options = [
                "--lease-namespace", "sluice-system", "--webhook-bind-address", "127.0.0.1:\(port)", "--webhook-url",
                "https://127.0.0.1:\(port)", "--webhook-failure-policy", "Fail",
            ]
            try await with {
                try await stage.withOperator(options) { process in
                    try await stage.waitForWebhook()
                    try await stage.apply(stage.manifest("api", "api:2", requires: "split"))
                    #expect(try await stage.deployment().spec.paused == true)
                    try await stage.apply(stage.splitManifest())
                    try await stage.waitForImage("api:2")
                    #expect(!process.standardError.contains("forbidden"), "\(process.standardError)")
                }
            } cleanUp: {
                try await stage.kubectl("delete", "mutatingwebhookconfiguration", "sluice", "--ignore-not-found")
            }
        }
    }

    @Test("a StatefulSet's new template is held by its partition, and let go")
    func statefulSet() async throws {
        try await withStage { stage in
            try await stage.makeCustomers(10)
            try await stage.withGuardedOperator { _ in
                try await stage.kubectl("apply", "-f", "-", input: Self.statefulSet("db:1", "{}"))
                try await stage.kubectl(
                    "apply", "-f", "-", input: Self.statefulSet("db:2", #"{"sluice.dev/requires": "split"}"#))
                func partition() async throws -> Int {
                    Int(
                        try await stage.kubectl(
                            "get", "statefulset", "db", "-o",
                            "jsonpath={.spec.updateStrategy.rollingUpdate.partition}")) ?? 0
                }
                #expect(try await partition() == 2_147_483_647)
                try await stage.apply(stage.splitManifest())
                try await eventually("it is let go", within: .seconds(60)) { try await partition() == 0 }
            }
        }
    }

    private static func statefulSet(_ image: String, _ annotations: String) -> String {
        """
        {"apiVersion": "apps/v1", "kind": "StatefulSet", "metadata": {"name": "db"},
         "spec": {"serviceName": "db", "replicas": 1, "selector": {"matchLabels": {"app": "db"}}, "template": {
           "metadata": {"labels": {"app": "db"}, "annotations": \(annotations)},
           "spec": {"containers": [{"name": "db", "image": "\(image)"}]}}}}
        """
    }

    @Test(
        "while nobody answers, Fail refuses what it is asked about, and Ignore lets it through",
        arguments: ["Fail", "Ignore"])
    func down(_ policy: String) async throws {
        try await withStage { stage in
            try await stage.withGuardedOperator(policy: policy) { process in
                try await stage.apply(stage.manifest("api", "api:1"))
                if policy == "Fail" {
                    try await process.kill()
                } else {
                    process.terminate()
                    #expect(try await process.waitForExit(within: .seconds(15)) == 0)
                }
                for manifest in [
                    stage.manifest("api", "api:2", requires: "split"),
                    stage.manifest("new", "new:1", requires: "split"),
                ] {
                    let applied = try await stage.kubectl.result(of: "apply", "-f", "-", input: manifest)
                    if policy == "Fail" {
                        #expect(applied.status != 0)
                        #expect(applied.standardError.contains("gate.sluice.dev"), "\(applied.standardError)")
                    } else {
                        #expect(applied.status == 0, "\(applied.standardError)")
                    }
                }
                if policy == "Fail" {
                    // On servers without matchConditions that is so for every workload of the namespaces.
                    #expect(try await stage.deployment().spec.template.spec?["containers"]?.array?.count == 1)
                    #expect(try await !stage.images().contains("api:2"))
                } else {
                    try await stage.waitForImage("api:2")
                    try await stage.waitForImage("new:1")
                }
            }
        }
    }
}

extension Stage {
    fileprivate func waitForImage(_ image: String) async throws {
        try await eventually("there are pods of \(image)", within: .seconds(60)) {
            try await images().contains(image)
        }
    }
}
