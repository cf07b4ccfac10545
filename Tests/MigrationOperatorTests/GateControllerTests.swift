import KubernetesClient
import MigrationEngine
import TestSupport
import Testing

@testable import MigrationOperator

/// As much of the kind Rollout as a server wants to know of it, without Argo's controller.
private let rolloutDefinition = """
    {"apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
     "metadata": {"name": "rollouts.argoproj.io"},
     "spec": {"group": "argoproj.io", "scope": "Namespaced",
      "names": {"plural": "rollouts", "singular": "rollout", "kind": "Rollout", "listKind": "RolloutList"},
      "versions": [{"name": "v1alpha1", "served": true, "storage": true, "subresources": {"status": {}},
       "schema": {"openAPIV3Schema": {"type": "object", "x-kubernetes-preserve-unknown-fields": true}}}]}}
    """

@Suite("The gate on real Deployments")
struct GateControllerTests {
    @Test("a rollout is held until its migration is verified, then let go; nothing stays paused")
    func story() async throws {
        try await withGate { gated in
            try await gated.apply(requires: nil, image: "api:1")
            try await gated.eventually("the first version rolls out") { $0.status?.updatedReplicas == 2 }
            try await gated.apply(requires: "split", image: "api:2")
            let held = try await gated.eventually("it is held") {
                $0.spec.paused == true && $0.metadata.annotations["sluice.dev/gate"] == "closed"
            }
            #expect(held.metadata.annotations["sluice.dev/held"] == "waits for split")

            // The next template, applied by the owner of the rest, neither releases nor fights: no ReplicaSet of it
            // appears. (Of the first one it may have, if the Deployment's controller was faster than the hold.)
            try await gated.apply(requires: "split", image: "api:3")
            try await gated.eventually("its controller has seen it") { $0.spec.template.image == "api:3" }
            #expect(try await gated.deployment().spec.paused == true)
            #expect(try await !gated.images().contains("api:3"))

            try await gated.kubectl("apply", "-f", "-", input: manifest())
            try await gated.verify()
            let open = try await gated.eventually("it is let go") { $0.spec.paused != true }
            #expect(open.metadata.annotations["sluice.dev/gate"] == "open")
            #expect(open.metadata.annotations["sluice.dev/verified"] == "split@\(plan)")
            try await eventually("the new version rolls out") { try await gated.images().contains("api:3") }
            let rest = try await gated.eventually("the hold owns nothing") { deployment in
                !deployment.metadata.managedFields.contains { $0.manager == "sluice-hold" }
            }
            #expect(rest.metadata.annotations["sluice.dev/held"] == nil)
            #expect(rest.spec.paused == nil)
            try await eventually("the events are there") {
                let events = try await gated.kubectl("describe", "deployment", "api")
                return events.contains("GateHeld") && events.contains("GateOpened")
            }
        }
    }

    @Test("a template that was let through stays let through when the proof breaks; the next one is held")
    func sticky() async throws {
        try await withGate { gated in
            try await gated.kubectl("apply", "-f", "-", input: manifest())
            try await gated.verify()
            try await gated.apply(requires: "split", image: "api:1")
            try await gated.eventually("it rolls out") {
                $0.status?.updatedReplicas == 2 && $0.spec.paused != true
                    && $0.metadata.annotations["sluice.dev/gate"] == "open"
            }
            gated.proofs.set(.broken(reason: "the trigger sluice_1 is disabled"))
            try await gated.apply(requires: "split", image: "api:2")
            let held = try await gated.eventually("the next template is held") {
                $0.spec.paused == true && $0.metadata.annotations["sluice.dev/gate"] == "closed"
            }
            #expect(held.metadata.annotations["sluice.dev/held"] == "waits for split")
            // Back to the one that was let through.
            try await gated.apply(requires: "split", image: "api:1")
            try await gated.eventually("it goes on") { $0.spec.paused != true }
        }
    }

    @Test("a rollback to a template that requires nothing is let go at once")
    func rollback() async throws {
        try await withGate { gated in
            try await gated.apply(requires: nil, image: "api:1")
            try await gated.eventually("the first version rolls out") { $0.status?.updatedReplicas == 2 }
            try await gated.apply(requires: "split", image: "api:2")
            try await gated.eventually("it is held") { $0.spec.paused == true }
            try await gated.apply(requires: nil, image: "api:1")
            let free = try await gated.eventually("it is let go") { deployment in
                deployment.spec.paused == nil && deployment.metadata.annotations["sluice.dev/held"] == nil
                    && deployment.metadata.annotations["sluice.dev/gate"] == nil
            }
            #expect(!free.metadata.managedFields.contains { $0.manager == "sluice-hold" })
        }
    }

    @Test("a person's pause is left as it is, closed or open")
    func person() async throws {
        try await withGate { gated in
            try await gated.apply(requires: nil, image: "api:1")
            try await gated.eventually("the first version rolls out") { $0.status?.updatedReplicas == 2 }
            try await gated.kubectl("rollout", "pause", "deployment/api")
            try await gated.apply(requires: "split", image: "api:2")
            try await gated.eventually("it is stamped") { $0.metadata.annotations["sluice.dev/gate"] == "closed" }
            try await gated.kubectl("apply", "-f", "-", input: manifest())
            try await gated.verify()
            let open = try await gated.eventually("it is open") {
                $0.metadata.annotations["sluice.dev/gate"] == "open"
            }
            #expect(open.spec.paused == true)
            #expect(open.metadata.annotations["sluice.dev/held"] == nil)
            try await gated.kubectl("rollout", "resume", "deployment/api")
            try await eventually("it rolls out") { try await gated.images().contains("api:2") }
        }
    }

    @Test("a bypass breaks the glass, with an event that says why")
    func bypass() async throws {
        try await withGate { gated in
            try await gated.apply(requires: nil, image: "api:1")
            try await gated.eventually("the first version rolls out") { $0.status?.updatedReplicas == 2 }
            try await gated.apply(requires: "split", image: "api:2")
            try await gated.eventually("it is held") { $0.spec.paused == true }
            try await gated.apply(requires: "split", image: "api:2", bypass: "incident 12")
            try await eventually("it rolls out", within: .seconds(20)) {
                let deployment = try await gated.deployment()
                return try await gated.images().contains("api:2") && deployment.spec.paused == nil
            }
            try await eventually("the event is there") {
                try await gated.kubectl("describe", "deployment", "api").contains("incident 12")
            }
            #expect(try await gated.deployment().metadata.annotations["sluice.dev/gate"] == "closed")
        }
    }

    @Test("databases that do not answer keep nobody else's workload from being held")
    func slow() async throws {
        try await withGate { gated in
            for name in ["api", "web"] { try await gated.apply(name, requires: nil, image: "old:1") }
            try await gated.kubectl("apply", "-f", "-", input: manifest())
            try await gated.verify()
            gated.proofs.set(nil)
            // More than there are workers of a loop.
            for index in 0..<6 { try await gated.apply("a\(index)", requires: "split", image: "a:1") }
            try await eventually("they wait for the proof") {
                try await gated.client.list(Deployment.self, in: gated.namespace).items
                    .filter { $0.spec.paused == true && $0.metadata.annotations["sluice.dev/held"] != nil }.count
            } until: {
                $0 == 6
            }
            let start = ContinuousClock.now
            try await gated.apply("web", requires: "missing", image: "web:2")
            try await eventually("it is held all the same", within: .seconds(10)) {
                try await gated.client.get(Deployment.self, ObjectKey("web", in: gated.namespace)).spec.paused == true
            }
            #expect(ContinuousClock.now - start < .seconds(8))
            gated.proofs.set(.holds(certificate()))
            try await eventually("they go on once it answers") {
                try await gated.client.list(Deployment.self, in: gated.namespace).items
                    .filter { $0.spec.paused == true }.map(\.metadata.name)
            } until: {
                $0 == ["web"]
            }
        }
    }

    @Test("a mark that the webhook left and somebody has ended by hand goes, and a later pause is a person's")
    func leftMark() async throws {
        try await withGate { gated in
            try await gated.kubectl("apply", "-f", "-", input: manifest())
            try await gated.verify()
            try await gated.kubectl(
                "create", "-f", "-",
                input: """
                    {"apiVersion": "apps/v1", "kind": "Deployment",
                     "metadata": {"name": "api", "annotations": {"sluice.dev/held": "webhook: waits for split"}},
                     "spec": {"selector": {"matchLabels": {"app": "api"}}, "template": {
                       "metadata": {"labels": {"app": "api"}, "annotations": {"sluice.dev/requires": "split"}},
                       "spec": {"containers": [{"name": "api", "image": "api:1"}]}}}}
                    """)
            try await gated.eventually("the mark is gone") {
                $0.metadata.annotations["sluice.dev/held"] == nil
                    && $0.metadata.annotations["sluice.dev/gate"] == "open"
            }
            try await gated.kubectl("rollout", "pause", "deployment/api")
            let paused = try await gated.eventually("its controller has seen that") { $0.spec.paused == true }
            try await gated.kubectl("annotate", "mig", "split", "seen=1")
            try await Task.sleep(for: .seconds(1))
            let later = try await gated.deployment()
            #expect(later.spec.paused == true)
            #expect(later.metadata.generation == paused.metadata.generation)
        }
    }

    @Test("a StatefulSet gets back the partition that somebody had set by hand")
    func partition() async throws {
        try await withGate { gated in
            // Nobody else owns what the server filled in: without an owner it would be gone with the hold.
            try await gated.apply(.statefulSet, image: "w:1", requires: nil, serverSide: true)
            try await gated.kubectl(
                "patch", "statefulset", "w", "--type=merge", "-p",
                #"{"spec": {"replicas": 3, "updateStrategy": {"rollingUpdate": {"partition": 2}}}}"#)
            try await gated.eventually(.statefulSet, "its controller has seen it") { $0.progress.isSeen }
            try await gated.apply(.statefulSet, image: "w:2", serverSide: true)
            let held = try await gated.eventually(.statefulSet, "it is held") { $0.isPaused }
            #expect(held.metadata.annotations["sluice.dev/held-from"] == "2")
            try await gated.kubectl("apply", "-f", "-", input: manifest())
            try await gated.verify()
            let free = try await gated.eventually(.statefulSet, "it is let go") { workload in
                !workload.isMarked && !workload.hasFieldsOfHold && !workload.isPaused
            }
            #expect(free.object.spec.updateStrategy?.rollingUpdate?.partition == 2)
            #expect(free.metadata.annotations["sluice.dev/held-from"] == nil)
        }
    }

    @Test(
        "each kind is held by its own field, which is given up once the migration is verified",
        arguments: [
            WorkloadKind.statefulSet, .daemonSet, .cronJob, .rollout,
        ])
    func kinds(_ kind: WorkloadKind) async throws {
        try await withGate { gated in
            if kind == .rollout {
                try await gated.kubectl("apply", "-f", "-", input: rolloutDefinition)
            }
            try await eventually("the kind is served", within: .seconds(30)) {
                for resource in kind.resources where try await gated.client.supports(resource) { return true }
                return false
            }
            try await gated.apply(kind, image: "w:1", requires: nil)
            try await eventually("its controller has seen it") {
                kind == .cronJob || kind == .rollout ? true : try await gated.workload(kind).progress.isSeen
            }
            try await gated.apply(kind, image: "w:2")
            let held = try await gated.eventually(kind, "it is held") {
                $0.isPaused && $0.metadata.annotations["sluice.dev/gate"] == "closed"
            }
            #expect(held.metadata.annotations["sluice.dev/held"] == "waits for split")
            // Its owner applies the next one: that neither releases it nor takes the field.
            try await gated.apply(kind, image: "w:3")
            #expect(try await gated.workload(kind).template.image == "w:3")
            #expect(try await gated.workload(kind).isPaused)

            try await gated.kubectl("apply", "-f", "-", input: manifest())
            try await gated.verify()
            let open = try await gated.eventually(kind, "it is let go, and the hold owns nothing") { workload in
                !workload.isPaused && workload.metadata.annotations["sluice.dev/held"] == nil
                    && !workload.metadata.managedFields.contains { $0.manager == "sluice-hold" }
            }
            #expect(open.metadata.annotations["sluice.dev/gate"] == "open")
            #expect(open.metadata.annotations["sluice.dev/verified"] == "split@\(plan)")
        }
    }

    @Test(
        "what cannot be held is told: a field that the manifest declares, one that the server does not know, first pods"
    )
    func notHeld() async throws {
        try await withGate { gated in
            try await gated.apply(.daemonSet, image: "w:1")
            try await gated.apply(.job, image: "w:1")
            for kind in ["daemonset", "job"] {
                try await eventually("the event is there") {
                    try await gated.kubectl("describe", kind, "w").contains("GateNotHeld")
                }
            }
            // Made by hand of a CronJob that is held.
            try await gated.apply(.cronJob, image: "w:1")
            let cronJob = try await gated.eventually(.cronJob, "it is held") { $0.isPaused }
            try await gated.kubectl(
                "create", "--validate=false", "-f", "-",
                input: """
                    {"apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": "by-hand",
                      "annotations": {"cronjob.kubernetes.io/instantiate": "manual"}, "ownerReferences": [
                       {"apiVersion": "\(try await gated.client.serving(.cronJob).apiVersion)", "kind": "CronJob",
                        "name": "w", "uid": "\(cronJob.metadata.uid ?? "")", "controller": true}]},
                     "spec": {"template": {"metadata": {"annotations": {"sluice.dev/requires": "split"}},
                      "spec": {"restartPolicy": "Never", "containers": [{"name": "w", "image": "w:1"}]}}}}
                    """)
            try await eventually("the event is there") {
                try await gated.kubectl("describe", "job", "by-hand").contains("GateNotHeld")
            }
            let job = try await gated.workload(.job)
            #expect(!job.metadata.managedFields.contains { $0.manager == "sluice-hold" })
            try await gated.kubectl(
                "apply", "--server-side", "--field-manager=people", "-f", "-",
                input: """
                    {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "api"},
                     "spec": {"paused": false, "selector": {"matchLabels": {"app": "api"}}, "template": {
                       "metadata": {"labels": {"app": "api"}, "annotations": {"sluice.dev/requires": "split"}},
                       "spec": {"containers": [{"name": "api", "image": "api:1"}]}}}}
                    """)
            try await eventually("the event names the field") {
                try await gated.kubectl("describe", "deployment", "api").contains("spec.paused stands in a manifest")
            }
            try await gated.eventually("it is stamped") { $0.metadata.annotations["sluice.dev/gate"] == "closed" }
            try await Task.sleep(for: .seconds(1))
            #expect(try await !gated.kubectl("describe", "deployment", "api").contains("GateHeld"))
        }
    }

    @Test("nothing is written while nothing changes")
    func quiet() async throws {
        try await withGate { gated in
            try await gated.kubectl("apply", "-f", "-", input: manifest())
            try await gated.verify()
            try await gated.apply(requires: "split", image: "api:1")
            let settled = try await gated.eventually("it rolls out") {
                $0.spec.paused != true && $0.metadata.annotations["sluice.dev/gate"] == "open"
                    && $0.status?.updatedReplicas == 2
                    && !$0.metadata.managedFields.contains { $0.manager == "sluice-hold" }
            }
            // Something that its gate looks at changes, and changes nothing.
            try await gated.kubectl("annotate", "mig", "split", "seen=1")
            try await gated.kubectl("annotate", "mig", "split", "seen=2", "--overwrite")
            try await Task.sleep(for: .seconds(1))
            #expect(try await gated.deployment().metadata.resourceVersion == settled.metadata.resourceVersion)
        }
    }
}
