import KubernetesClient
import Testing

@testable import MigrationOperator

/// A Deployment as it stands in a review.
private func object(
    requires: String? = "split", bypass: String? = nil, image: String = "api:1", paused: Bool? = nil,
    mark: String? = nil, owners: [String] = [], stamp: String? = nil
) -> JSONValue {
    var annotations: JSONValue = [:]
    annotations["sluice.dev/requires"] = requires.map { .string($0) }
    annotations["sluice.dev/bypass"] = bypass.map { .string($0) }
    var metadata: JSONValue = ["name": "api"]
    var marks: JSONValue = [:]
    marks["sluice.dev/held"] = mark.map { .string($0) }
    marks["sluice.dev/gate"] = stamp.map { .string($0) }
    if marks != [:] { metadata["annotations"] = marks }
    metadata["managedFields"] = .array(
        owners.map { ["manager": .string($0), "operation": "Apply", "fieldsV1": ["f:spec": ["f:paused": [:]]]] })
    var spec: JSONValue = [
        "template": [
            "metadata": ["annotations": annotations], "spec": ["containers": [["image": .string(image)]]],
        ]
    ]
    spec["paused"] = paused.map { .bool($0) }
    return ["metadata": metadata, "spec": spec]
}

private let hold = AdmissionDecision.hold(
    path: ["spec", "paused"], value: true, marks: .init("webhook: waits for split"))

/// A Job that a CronJob made.
private let owned: JSONValue = {
    var job = object()
    var metadata = job["metadata"] ?? [:]
    metadata["ownerReferences"] = [
        ["apiVersion": "batch/v1", "kind": "CronJob", "name": "c", "uid": "u", "controller": true]
    ]
    job["metadata"] = metadata
    return job
}()

/// As `kubectl create job --from` does.
private let manual: JSONValue = {
    var job = owned
    var metadata = job["metadata"] ?? [:]
    metadata["annotations"] = ["cronjob.kubernetes.io/instantiate": "manual"]
    job["metadata"] = metadata
    return job
}()

/// Of each kind, its spec while it is paused by a person, and while it is not.
private let pauses: [(kind: String, group: String, paused: JSONValue, running: JSONValue)] = [
    ("Deployment", "apps", ["paused": true], [:]),
    ("Rollout", "argoproj.io", ["paused": true], ["paused": false]),
    ("CronJob", "batch", ["suspend": true], ["suspend": false]),
    ("Job", "batch", ["suspend": true], ["suspend": false]),
    ("DaemonSet", "apps", ["updateStrategy": ["type": "OnDelete"]], ["updateStrategy": ["type": "RollingUpdate"]]),
    (
        "StatefulSet", "apps", ["replicas": 2, "updateStrategy": ["rollingUpdate": ["partition": 2]]],
        ["replicas": 2, "updateStrategy": ["rollingUpdate": ["partition": 0]]]
    ),
]

@Suite("What the webhook decides")
struct AdmissionTests {
    struct Case: Sendable, CustomTestStringConvertible {
        let testDescription: String
        let request: AdmissionRequest
        let decision: AdmissionDecision

        init(_ name: String, _ request: AdmissionRequest, _ decision: AdmissionDecision) {
            testDescription = name
            self.request = request
            self.decision = decision
        }
    }

    static let cases: [Case] = [
        .init("made, and requires something", .init(operation: .create, object: object()), hold),
        .init("made, and requires nothing", .init(operation: .create, object: object(requires: nil)), .pass),
        .init("made, and requires only commas", .init(operation: .create, object: object(requires: " , ")), .pass),
        .init(
            "made, and requires what is refused later",
            .init(operation: .create, object: object(requires: "split@Nonsense")),
            .hold(path: ["spec", "paused"], value: true, marks: .init("webhook: waits for split@Nonsense"))),
        .init("made with a bypass", .init(operation: .create, object: object(bypass: "incident 12")), .pass),
        .init("made with an empty bypass", .init(operation: .create, object: object(bypass: "")), hold),
        .init("made paused by a person", .init(operation: .create, object: object(paused: true)), .pass),
        .init(
            "a new template", .init(operation: .update, object: object(image: "api:2"), oldObject: object()), hold),
        .init(
            "a new template that begins to require something",
            .init(operation: .update, object: object(image: "api:2"), oldObject: object(requires: nil)), hold),
        .init(
            "a new template, which differs in the normal form of a letter",
            .init(
                operation: .update, object: object(image: "api:e\u{301}"), oldObject: object(image: "api:\u{e9}")), hold
        ),
        .init(
            "the same template, other fields", .init(operation: .update, object: object(), oldObject: object()), .pass),
        .init(
            "a new template on a person's pause",
            .init(
                operation: .update, object: object(image: "api:2", paused: true), oldObject: object(paused: true)),
            .pass),
        .init(
            "a new template on our pause stays held, and ours",
            .init(
                operation: .update, object: object(image: "api:2", paused: true, mark: "m"),
                oldObject: object(paused: true, mark: "m")), .pass),
        .init(
            "a rollback of a held one to what requires nothing is the gate's to release",
            .init(
                operation: .update, object: object(requires: nil, paused: true, mark: "m"),
                oldObject: object(paused: true, mark: "m")), .pass),
        .init(
            "somebody takes our pause away",
            .init(
                operation: .update, object: object(paused: false, mark: "m"),
                oldObject: object(paused: true, mark: "m")), hold),
        .init(
            "somebody writes a held one whole, without pause and mark",
            .init(operation: .update, object: object(), oldObject: object(paused: true, mark: "m")), hold),
        .init(
            "somebody ends a person's pause before the operator has looked",
            .init(operation: .update, object: object(paused: false), oldObject: object(paused: true)), hold),
        .init(
            "somebody ends a person's pause while the gate is closed",
            .init(
                operation: .update, object: object(paused: false, stamp: "closed"),
                oldObject: object(paused: true, stamp: "closed")), hold),
        .init(
            "who writes the stamp as well does not open the gate",
            .init(
                operation: .update, object: object(paused: false, stamp: "open"),
                oldObject: object(paused: true, stamp: "closed")), hold),
        .init(
            "somebody ends a person's pause while the gate is open",
            .init(
                operation: .update, object: object(paused: false, stamp: "open"),
                oldObject: object(paused: true, stamp: "open")), .pass),
        .init(
            "somebody ends a person's pause of what requires nothing, or is bypassed",
            .init(
                operation: .update, object: object(bypass: "incident 12", paused: false),
                oldObject: object(bypass: "incident 12", paused: true)), .pass),
        .init(
            "the gate releases",
            .init(
                operation: .update, fieldManager: "sluice-hold", object: object(paused: false, mark: "m"),
                oldObject: object(paused: true, mark: "m")), .pass),
        .init(
            "somebody who only says to be the gate",
            .init(
                operation: .update, fieldManager: "sluice-hold", username: "eve",
                object: object(paused: false, mark: "m"), oldObject: object(paused: true, mark: "m")), hold),
        .init(
            "the gate lets go, by its account",
            .init(
                operation: .update, fieldManager: "sluice-hold", username: "sluice",
                object: object(paused: false, mark: "m"), oldObject: object(paused: true, mark: "m")), .pass),
        .init(
            "the gate stamps",
            .init(
                operation: .update, fieldManager: "sluice-stamp", object: object(image: "api:2"), oldObject: object()),
            .pass),
        .init(
            "somebody declares a pause of their own on what we held",
            .init(
                operation: .update, object: object(paused: true, mark: "m", owners: ["sluice-hold", "argocd"]),
                oldObject: object(paused: true, mark: "m", owners: ["sluice-hold"])), .giveUp),
        .init(
            "who declared the field before declares it again",
            .init(
                operation: .update, object: object(paused: true, mark: "m", owners: ["argocd"]),
                oldObject: object(paused: true, mark: "m", owners: ["argocd"])), .pass),
        .init("deleted", .init(operation: .delete, object: nil, oldObject: object()), .pass),
        .init("a subresource", .init(operation: .update, subresource: "status", object: object()), .pass),
        .init("another kind", .init(operation: .create, kind: "ReplicaSet", object: object()), .pass),
        .init("another group", .init(operation: .create, group: "example.com", object: object()), .pass),
        .init(
            "a StatefulSet's new template is held by a partition",
            .init(
                operation: .update, kind: "StatefulSet", object: object(image: "api:2"), oldObject: object()),
            .hold(
                path: ["spec", "updateStrategy", "rollingUpdate", "partition"], value: 2_147_483_647,
                marks: .init("webhook: waits for split"))),
        .init(
            "what no hold keeps from its first pods",
            .init(operation: .create, kind: "DaemonSet", object: object()), .pass),
        .init(
            "a Job",
            .init(operation: .create, group: "batch", kind: "Job", object: object()),
            .hold(path: ["spec", "suspend"], value: true, marks: .init("webhook: waits for split"))),
        .init(
            "a CronJob's Job runs as the CronJob was let",
            .init(operation: .create, group: "batch", kind: "Job", object: owned), .pass),
        .init(
            "a Job that somebody makes of a CronJob by hand",
            .init(operation: .create, group: "batch", kind: "Job", object: manual),
            .hold(path: ["spec", "suspend"], value: true, marks: .init("webhook: waits for split"))),
        .init("rubbish", .init(operation: .create, object: ["spec": "?"]), .pass),
    ]

    @Test("holds what is made or changed and requires something, and nothing else", arguments: cases)
    func decides(_ one: Case) {
        let account = one.request.username == nil ? nil : "sluice"
        #expect(decideAdmission(one.request, operator: account) == one.decision)
    }

    @Test("the end of a person's pause is held, of each kind, unless the gate is open", arguments: pauses)
    func endOfPause(_ one: (kind: String, group: String, paused: JSONValue, running: JSONValue)) {
        func workload(_ spec: JSONValue, _ stamp: String?) -> JSONValue {
            var spec = spec
            let template: JSONValue = ["metadata": ["annotations": ["sluice.dev/requires": "split"]], "spec": [:]]
            if one.kind == "CronJob" {
                spec["jobTemplate"] = ["spec": ["template": template]]
            } else {
                spec["template"] = template
            }
            return ["metadata": ["annotations": stamp.map { ["sluice.dev/gate": .string($0)] } ?? [:]], "spec": spec]
        }
        for stamp in [nil, "closed", "open"] {
            let request = AdmissionRequest(
                operation: .update, group: one.group, kind: one.kind, object: workload(one.running, stamp),
                oldObject: workload(one.paused, stamp))
            let decision = decideAdmission(request, operator: "sluice")
            if stamp == "open" {
                #expect(decision == .pass)
            } else if case .hold(_, _, let marks) = decision {
                #expect(marks == .init("webhook: waits for split"))
            } else {
                Issue.record("\(stamp ?? "no stamp"): \(decision)")
            }
        }
    }

    @Test("the patch pauses and marks, whether there are annotations or not")
    func patches() {
        #expect(
            hold.patch(of: object()) == [
                ["op": "add", "path": "/spec/paused", "value": true],
                ["op": "add", "path": "/metadata/annotations", "value": [:]],
                ["op": "add", "path": "/metadata/annotations/sluice.dev~1held", "value": "webhook: waits for split"],
            ])
        #expect(
            hold.patch(of: object(mark: "m")).map { $0["path"] } == [
                "/spec/paused", "/metadata/annotations/sluice.dev~1held",
            ])
        #expect(
            AdmissionDecision.giveUp.patch(of: object(mark: "m")) == [
                ["op": "remove", "path": "/metadata/annotations/sluice.dev~1held"]
            ])
        let nested = AdmissionDecision.hold(
            path: ["spec", "updateStrategy", "type"], value: "OnDelete", marks: .init("m"))
        #expect(
            nested.patch(of: object(mark: "m")).prefix(2) == [
                ["op": "add", "path": "/spec/updateStrategy", "value": [:]],
                ["op": "add", "path": "/spec/updateStrategy/type", "value": "OnDelete"],
            ])
        // What a StatefulSet had before is noted with the hold, and goes with it.
        let noted = AdmissionDecision.hold(path: ["spec", "p"], value: 1, marks: .init("m", from: "2"))
        #expect(
            noted.patch(of: object(mark: "m")).last
                == ["op": "add", "path": "/metadata/annotations/sluice.dev~1held-from", "value": "2"])
        let there: JSONValue = ["metadata": ["annotations": ["sluice.dev/held": "m", "sluice.dev/held-from": "2"]]]
        let goes: JSONValue = ["op": "remove", "path": "/metadata/annotations/sluice.dev~1held-from"]
        #expect(AdmissionDecision.giveUp.patch(of: there).last == goes)
        #expect(nested.patch(of: there).last == goes)
        #expect(AdmissionDecision.pass.patch(of: object()) == [])
    }
}
