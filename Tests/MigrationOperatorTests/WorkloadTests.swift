import Foundation
import KubernetesClient
import MigrationEngine
import Testing

@testable import MigrationOperator

/// A workload of `kind` whose template requires `split`, at generation 2.
private func workload(
    _ kind: WorkloadKind, spec: String = "", status: String = "{}", generation: Int = 2, owner: String = "",
    annotations: String = "{}"
) -> Workload {
    let pods = #"{"metadata": {"annotations": {"sluice.dev/requires": "split"}}, "spec": {"containers": []}}"#
    let template =
        kind == .cronJob ? #""jobTemplate": {"spec": {"template": \#(pods)}}"# : #""template": \#(pods)"#
    let object = json(
        """
        {"metadata": {"name": "w", "namespace": "shop", "generation": \(generation), "annotations": \(annotations)\(owner)},
         "spec": {\(template)\(spec.isEmpty ? "" : ", \(spec)")}, "status": \(status)}
        """)
    return Workload(kind, try! object.decode(WorkloadObject.self))
}

private let closed: [Requirement: RequiredMigration] = ["split": .closed(reason: "filling", planHash: plan)]

private func hold(_ workload: Workload) -> GateDecision.Hold? {
    decideGate(GateInput(workload: workload, required: closed)).hold
}

private let waits = GateDecision.Hold.pause("waits for split")

@Suite("Workloads of all kinds")
struct WorkloadTests {
    @Test("each kind is held by the field that it has, and let go by it", arguments: WorkloadKind.allCases)
    func fields(_ kind: WorkloadKind) throws {
        let behind = #"{"observedGeneration": 2, "currentRevision": "a", "updateRevision": "b"}"#
        let free = workload(kind, status: behind)
        #expect(!free.isPaused)
        #expect(hold(free) == waits)
        /// The workload with the fields that are applied for it, as the server would merge them.
        func applied(paused: Bool) throws -> Workload {
            var object = try JSONValue(encoding: ["spec": free.fields(paused: paused)["spec"]!])
            object["metadata"] = ["name": "w"]
            return Workload(kind, try object.decode(WorkloadObject.self))
        }
        #expect(try applied(paused: true).isPaused)
        #expect(try !applied(paused: false).isPaused)
    }

    @Test(
        "what stands in the way of pods already is not held again",
        arguments: [
            (WorkloadKind.statefulSet, #""replicas": 3, "updateStrategy": {"rollingUpdate": {"partition": 3}}"#),
            (.statefulSet, #""updateStrategy": {"type": "OnDelete"}"#),
            (.daemonSet, #""updateStrategy": {"type": "OnDelete"}"#),
            (.cronJob, #""suspend": true"#), (.job, #""suspend": true"#), (.rollout, #""paused": true"#),
        ])
    func paused(_ kind: WorkloadKind, _ spec: String) {
        #expect(workload(kind, spec: spec).isPaused)
        #expect(hold(workload(kind, spec: spec)) == nil)
    }

    @Test("a canary's partition holds some pods only, so the gate holds the others")
    func canary() {
        let canary = workload(
            .statefulSet, spec: #""replicas": 3, "updateStrategy": {"rollingUpdate": {"partition": 2}}"#,
            status: #"{"observedGeneration": 2, "currentRevision": "a", "updateRevision": "b"}"#)
        #expect(!canary.isPaused)
        #expect(hold(canary) == waits)
    }

    @Test(
        "the first pods of a StatefulSet or DaemonSet cannot be held, and that is said",
        arguments: [
            WorkloadKind.statefulSet, .daemonSet,
        ])
    func first(_ kind: WorkloadKind) {
        let decision = decideGate(GateInput(workload: workload(kind, generation: 1), required: closed))
        #expect(decision.hold == nil)
        #expect(decision.stamp?.gate == "closed")
        #expect(decision.events.map(\.reason).contains("GateNotHeld"))
    }

    @Test("a StatefulSet whose new template nobody has seen yet is held: that both revisions are equal is of before")
    func unseen() {
        let status = #"{"observedGeneration": 1, "currentRevision": "a", "updateRevision": "a", "replicas": 1}"#
        #expect(hold(workload(.statefulSet, status: status)) == waits)
    }

    @Test(
        "what runs everywhere already is left alone",
        arguments: [
            (
                WorkloadKind.statefulSet,
                #"""
                {"observedGeneration": 2, "replicas": 1, "currentReplicas": 1, "readyReplicas": 1, "currentRevision": "a",
                 "updateRevision": "a"}
                """#
            ),
            (
                .daemonSet,
                #"""
                {"observedGeneration": 2, "desiredNumberScheduled": 2, "currentNumberScheduled": 2, "updatedNumberScheduled": 2,
                 "numberAvailable": 2}
                """#
            ),
            (.rollout, #"{"observedGeneration": "2", "replicas": 1, "updatedReplicas": 1, "availableReplicas": 1}"#),
            (.job, #"{"active": 1}"#), (.job, #"{"startTime": "2026-01-01T00:00:00Z"}"#), (.job, #"{"succeeded": 1}"#),
        ])
    func running(_ kind: WorkloadKind, _ status: String) {
        #expect(hold(workload(kind, status: status)) == nil)
    }

    @Test(
        "what runs everywhere stays let alone while it is scaled up, or a pod is away",
        arguments: [
            (
                WorkloadKind.deployment,
                #"""
                {"observedGeneration": 2, "replicas": 2, "updatedReplicas": 2, "availableReplicas": 1,
                 "conditions": [{"type": "Progressing", "status": "True", "reason": "NewReplicaSetAvailable"}]}
                """#
            ),
            (
                .statefulSet,
                #"""
                {"observedGeneration": 2, "replicas": 2, "currentReplicas": 2, "readyReplicas": 1, "currentRevision": "a",
                 "updateRevision": "a"}
                """#
            ),
            (
                .daemonSet,
                #"""
                {"observedGeneration": 2, "desiredNumberScheduled": 3, "currentNumberScheduled": 2,
                 "updatedNumberScheduled": 2, "numberAvailable": 1}
                """#
            ),
            (
                .rollout,
                #"""
                {"observedGeneration": "2", "replicas": 2, "updatedReplicas": 2, "availableReplicas": 1, "stableRS": "x",
                 "currentPodHash": "x"}
                """#
            ),
        ])
    func scaledUp(_ kind: WorkloadKind, _ status: String) {
        #expect(hold(workload(kind, spec: #""replicas": 3"#, status: status)) == nil)
        // Once pods of another template are there, it is a rollout.
        let older = status.replacing(#""updatedReplicas": 2"#, with: #""updatedReplicas": 1"#)
            .replacing(#""updatedNumberScheduled": 2"#, with: #""updatedNumberScheduled": 1"#)
            .replacing(#""updateRevision": "a""#, with: #""updateRevision": "b", "updatedReplicas": 1"#)
        #expect(hold(workload(kind, spec: #""replicas": 3"#, status: older)) == waits)
    }

    @Test(
        "a new one of which a first pod was just made is held: its template was never rolled out to the end",
        arguments: [
            (
                WorkloadKind.deployment,
                #"""
                {"observedGeneration": 2, "replicas": 1, "updatedReplicas": 1,
                 "conditions": [{"type": "Progressing", "status": "True", "reason": "NewReplicaSetCreated"}]}
                """#
            ),
            (
                .rollout,
                #"{"observedGeneration": "2", "replicas": 1, "updatedReplicas": 1, "stableRS": "", "currentPodHash": "x"}"#
            ),
        ])
    func firstPod(_ kind: WorkloadKind, _ status: String) {
        #expect(hold(workload(kind, spec: #""replicas": 3"#, status: status)) == waits)
    }

    @Test("a StatefulSet gets back the partition that it had, and one without its own the default")
    func partition() throws {
        func set(_ partition: Int64, notes: String? = nil) -> Workload {
            workload(
                .statefulSet,
                spec: #""replicas": 3, "updateStrategy": {"rollingUpdate": {"partition": \#(partition)}}"#,
                annotations: notes.map { #"{"sluice.dev/held-from": "\#($0)"}"# } ?? "{}")
        }
        #expect(set(2).heldFrom == "2")
        #expect(set(0).heldFrom == nil)
        #expect(set(Workload.closedPartition, notes: "2").heldValue(paused: false) == 2)
        #expect(set(Workload.closedPartition).heldValue(paused: false) == 0)
        // What a person wrote there.
        for notes in ["0", "-1", "2147483647", "two", ""] {
            #expect(set(Workload.closedPartition, notes: notes).heldValue(paused: false) == 0)
        }
    }

    @Test("a partition that a person sets on a held StatefulSet is theirs: the hold is given up, not released")
    func ownPartition() {
        func letGo(_ partition: Int64) -> GateDecision.Hold? {
            var set = workload(
                .statefulSet,
                spec: #""replicas": 3, "updateStrategy": {"rollingUpdate": {"partition": \#(partition)}}"#,
                annotations: #"{"sluice.dev/held": "waits for split", "sluice.dev/held-from": "2"}"#)
            set.object.spec.template?.metadata?.annotations = [:]
            return decideGate(GateInput(workload: set, required: [:])).hold
        }
        #expect(letGo(Workload.closedPartition) == .release)
        #expect(letGo(3) == .giveUp)
        #expect(letGo(1) == .giveUp)
    }

    @Test("the first pod of several of what cannot be held is told of")
    func firstOfSeveral() {
        let status = #"""
            {"observedGeneration": 1, "replicas": 1, "currentReplicas": 1, "readyReplicas": 1, "currentRevision": "a",
             "updateRevision": "a"}
            """#
        let decision = decideGate(
            GateInput(
                workload: workload(.statefulSet, spec: #""replicas": 3"#, status: status, generation: 1),
                required: closed))
        #expect(decision.events.map(\.reason) == ["GateClosed", "GateNotHeld"])
    }

    @Test("a Job that had started is told of: to suspend it would kill its pods")
    func started() {
        let decision = decideGate(GateInput(workload: workload(.job, status: #"{"active": 1}"#), required: closed))
        #expect(decision.hold == nil)
        #expect(decision.events.map(\.reason) == ["GateClosed", "GateNotHeld"])
    }

    @Test("a Job of a CronJob runs as the CronJob was let: it has no gate of its own")
    func owned() {
        let owner =
            #", "ownerReferences": [{"apiVersion": "batch/v1", "kind": "CronJob", "name": "c", "uid": "1", "controller": true}]"#
        #expect(decideGate(GateInput(workload: workload(.job, owner: owner), required: closed)) == GateDecision())
        let other =
            #", "ownerReferences": [{"apiVersion": "example.com/v1", "kind": "CronJob", "name": "c", "uid": "1", "controller": true}]"#
        #expect(hold(workload(.job, owner: other)) == waits)
    }

    @Test("a kind is known by its group and version, too")
    func kinds() {
        #expect(WorkloadKind(apiVersion: "apps/v1", kind: "StatefulSet") == .statefulSet)
        #expect(WorkloadKind(apiVersion: "batch/v1beta1", kind: "CronJob") == .cronJob)
        #expect(WorkloadKind(apiVersion: "argoproj.io/v1alpha1", kind: "Rollout") == .rollout)
        #expect(WorkloadKind(apiVersion: "v1", kind: "Deployment") == nil)
        #expect(WorkloadKind(apiVersion: "apps/v1", kind: "Job") == nil)
    }

    @Test("Contract follows each kind to its end")
    func followed() throws {
        func verdict(_ workload: Workload, pods: [Pod] = []) -> String {
            switch RolloutVerdict.isRolledOut(RolloutState(workload: workload, pods: pods), .needsNewSide, of: "split")
            {
            case .allowed: "allowed"
            case .waiting(let reason, _): reason
            }
        }
        func pod(requires: String?, owner: String = "w-uid") throws -> Pod {
            let annotations = requires.map { #"{"sluice.dev/requires": "\#($0)"}"# } ?? "{}"
            return try json(
                """
                {"metadata": {"name": "p", "namespace": "shop", "annotations": \(annotations), "ownerReferences":
                  [{"apiVersion": "apps/v1", "kind": "X", "name": "w", "uid": "\(owner)", "controller": true}]},
                 "status": {"phase": "Running"}}
                """
            ).decode(Pod.self)
        }
        let set = #""replicas": 1"#
        let done = #"""
            {"observedGeneration": 2, "replicas": 1, "currentReplicas": 1, "readyReplicas": 1, "currentRevision": "a",
             "updateRevision": "a"}
            """#
        #expect(verdict(workload(.statefulSet, spec: set, status: done)) == "allowed")
        #expect(verdict(workload(.statefulSet, spec: set)) == "RolloutInProgress")
        #expect(
            verdict(workload(.statefulSet, spec: set, status: done), pods: [try pod(requires: nil)]) == "OldVersionRuns"
        )
        #expect(
            verdict(workload(.statefulSet, spec: set, status: done), pods: [try pod(requires: "split")]) == "allowed")
        // A suspended CronJob starts nothing old, and need not run to be the new version.
        #expect(verdict(workload(.cronJob, spec: #""suspend": true"#)) == "allowed")
        #expect(verdict(workload(.cronJob), pods: [try pod(requires: nil)]) == "OldVersionRuns")
        // A Job of before that is between two tries has no pod just now.
        func verdict(ofJob status: String, requires: String) -> String {
            var job = workload(.job, status: status)
            job.object.spec.template?.metadata?.annotations = ["sluice.dev/requires": requires]
            let state = RolloutState(workload: workload(.cronJob), jobs: [job])
            let verdict = RolloutVerdict.isRolledOut(state, .needsNewSide, of: "split")
            if case .waiting(let reason, _) = verdict { return reason }
            return "allowed"
        }
        #expect(verdict(ofJob: #"{"failed": 1}"#, requires: "other") == "OldVersionRuns")
        #expect(verdict(ofJob: #"{"failed": 1}"#, requires: "split") == "allowed")
        let failed = #"{"conditions": [{"type": "Failed", "status": "True"}]}"#
        #expect(verdict(ofJob: failed, requires: "other") == "allowed")
    }
}
