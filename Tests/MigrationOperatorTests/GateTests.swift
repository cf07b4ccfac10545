import Foundation
import KubernetesClient
import MigrationEngine
import SchemaChange
import Testing

@testable import MigrationOperator

/// A Deployment of three replicas in the namespace `shop`.
func deployment(
    requires: String? = "split", bypass: String? = nil, image: String = "v2", paused: Bool = false,
    annotations: [String: String] = [:], heldByUs: Bool = false, rolledOut: Bool = false, replicas: Int = 3
) -> Workload {
    var template: [String: String] = [:]
    template["sluice.dev/requires"] = requires
    template["sluice.dev/bypass"] = bypass
    var annotations = annotations
    if heldByUs { annotations["sluice.dev/held"] = "waits" }
    func text(_ map: [String: String]) -> String {
        String(decoding: try! JSONEncoder().encode(map), as: UTF8.self)
    }
    let managed = heldByUs ? #", "managedFields": [{"manager": "sluice-hold", "operation": "Apply"}]"# : ""
    let status =
        rolledOut
        ? """
        {"observedGeneration": 2, "replicas": \(replicas), "updatedReplicas": \(replicas),
         "availableReplicas": \(replicas)}
        """ : #"{"observedGeneration": 2, "replicas": 3, "updatedReplicas": 0, "availableReplicas": 3}"#
    return json(
        """
        {"metadata": {"name": "api", "namespace": "shop", "uid": "d1", "resourceVersion": "7", "generation": 2,
          "annotations": \(text(annotations))\(managed)},
         "spec": {"replicas": \(replicas), "paused": \(paused), "selector": {"matchLabels": {"app": "api"}},
          "template": {"metadata": {"labels": {"app": "api"}, "annotations": \(text(template))},
           "spec": {"containers": [{"name": "api", "image": "\(image)"}]}}},
         "status": \(status)}
        """
    ).deployment
}

extension JSONValue {
    fileprivate var deployment: Workload { Workload(.deployment, try! decode(WorkloadObject.self)) }
}

func record(_ workload: Workload, plans: [String: String] = ["split": plan]) -> String {
    var record = ReleaseRecord()
    record.add(.init(template: TemplateHash.of(workload.template), plans: plans))
    return record.annotation!
}

private let open: [Requirement: RequiredMigration] = ["split": .open(planHash: plan)]
private let closed: [Requirement: RequiredMigration] = [
    "split": .closed(reason: "no row is proven yet", planHash: plan)
]
private let openStamp = ["sluice.dev/gate": "open", "sluice.dev/verified": "split@\(plan)"]

private func decide(
    _ workload: Workload, _ required: [Requirement: RequiredMigration], live: Bool = false
) -> GateDecision {
    decideGate(GateInput(workload: workload, required: required, isLive: live))
}

/// `split`, `split@Expand`.
extension Requirement: ExpressibleByStringLiteral {
    init(stringLiteral text: String) { self = Requirement.parse(text)[0] }
}

@Suite("The gate of a workload")
struct GateTests {
    @Test("a pending template is held while what it requires is not verified")
    func holds() {
        let decision = decide(deployment(), closed)
        #expect(decision.hold == .pause("waits for split"))
        #expect(decision.stamp?.gate == "closed")
        #expect(decision.stamp?.verified == nil)
        #expect(decision.confirm.isEmpty)
        #expect(decision.events.map(\.reason) == ["GateHeld"])
    }

    @Test("a Migration that does not exist counts as closed")
    func missing() {
        #expect(decide(deployment(), [:]).hold == .pause("waits for split"))
    }

    @Test("an open gate is believed only after a live look, and the rollout is held for that long")
    func confirms() {
        let first = decide(deployment(), open)
        #expect(first.confirm == ["split"])
        #expect(first.stamp == nil)
        #expect(first.hold == .pause("waits for split"))
        let second = decide(deployment(paused: true, heldByUs: true), open, live: true)
        #expect(second.confirm.isEmpty)
        #expect(second.stamp?.gate == "open")
        #expect(second.stamp?.verified == "split@\(plan)")
        #expect(second.stamp?.released == record(deployment()))
        #expect(second.hold == .release)
        #expect(second.events.map(\.reason) == ["GateOpened"])
    }

    @Test("nothing is decided twice: an open, released, stamped Deployment is left alone")
    func idle() {
        let annotations = openStamp.merging(["sluice.dev/released": record(deployment())]) { $1 }
        #expect(decide(deployment(annotations: annotations), open) == GateDecision())
    }

    @Test("a closed gate that is held and stamped is left alone")
    func idleClosed() {
        let held = deployment(paused: true, annotations: ["sluice.dev/gate": "closed"], heldByUs: true)
        #expect(decide(held, closed) == GateDecision())
    }

    @Test("a release holds for its template, also when the proof breaks later")
    func sticky() {
        let annotations = openStamp.merging(["sluice.dev/released": record(deployment())]) { $1 }
        let decision = decide(deployment(annotations: annotations), closed)
        #expect(decision.hold == nil)
        #expect(decision.stamp?.gate == "closed")
        #expect(decision.stamp?.verified == nil)
        #expect(decision.events.map(\.reason) == ["GateClosed"])
        // A template that comes later is held.
        let next = decide(deployment(image: "v3", annotations: annotations), closed)
        #expect(next.hold != nil)
    }

    @Test(
        "a release is over once a template came that requires less: the migration may have gone back since",
        arguments: [nil, "other", "split@Expand"])
    func cameBack(requires: String?) {
        let annotations = openStamp.merging(["sluice.dev/released": record(deployment())]) { $1 }
        let all: [Requirement: RequiredMigration] = [
            "split": .closed(reason: "it went back", planHash: plan), "other": .open(planHash: plan),
            "split@Expand": .open(planHash: plan),
        ]
        let between = decide(deployment(requires: requires, annotations: annotations), all, live: true)
        let left = between.stamp?.released.map { ["sluice.dev/released": $0] } ?? [:]
        #expect(between.stamp != nil)
        for migrations in [closed, ["split": .missing], all] {
            #expect(decide(deployment(annotations: left), migrations).hold == .pause("waits for split"))
        }
        #expect(decide(deployment(annotations: left), open).confirm == ["split"])
    }

    @Test("a release holds for a rollback from a template that requires as much, also when the proof is broken")
    func backToReleased() {
        let annotations = openStamp.merging(["sluice.dev/released": record(deployment())]) { $1 }
        let next = decide(deployment(requires: "split, other", image: "v3", annotations: annotations), closed)
        #expect(next.stamp?.released == record(deployment()))
        #expect(decide(deployment(annotations: annotations), closed).hold == nil)
    }

    @Test("a release was for its plan: another plan of the migration asks anew")
    func otherPlan() {
        let annotations = openStamp.merging(["sluice.dev/released": record(deployment())]) { $1 }
        let decision = decide(
            deployment(annotations: annotations), ["split": .closed(reason: "", planHash: "sha256:p2")])
        #expect(decision.hold != nil)
    }

    @Test("a release that was cut short goes on: on record, still held")
    func resumes() {
        let annotations = openStamp.merging(["sluice.dev/released": record(deployment())]) { $1 }
        let held = deployment(paused: true, annotations: annotations, heldByUs: true)
        #expect(decide(held, open).hold == .release)
        #expect(decide(held, closed).hold == .release)
        let half = deployment(paused: false, annotations: annotations, heldByUs: true)
        #expect(decide(half, open).hold == .giveUp)
    }

    @Test("a person's pause is never touched", arguments: [closed, open])
    func person(_ migrations: [Requirement: RequiredMigration]) {
        #expect(decide(deployment(paused: true), migrations).hold == nil)
        #expect(decide(deployment(paused: true), migrations, live: true).hold == nil)
        #expect(decide(deployment(requires: nil, paused: true), migrations) == GateDecision())
    }

    @Test("a rollback to a template that requires nothing is released at once")
    func rollback() {
        let annotations = ["sluice.dev/gate": "closed"]
        let decision = decide(deployment(requires: nil, paused: true, annotations: annotations, heldByUs: true), [:])
        #expect(decision.hold == .release)
        #expect(decision.stamp == GateDecision.Stamp())
        #expect(decision.events.map(\.reason) == ["GateReleased"])
    }

    @Test("a bypass lets a template through, with one warning, and the stamp stays true")
    func bypass() throws {
        let decision = decide(deployment(bypass: "incident 12", paused: true, heldByUs: true), closed)
        #expect(decision.hold == .release)
        #expect(decision.stamp?.gate == "closed")
        #expect(decision.events.map(\.reason) == ["GateBypassed"])
        #expect(decision.events.first?.message.contains("incident 12") == true)
        let released = try #require(decision.stamp?.released)
        let after = deployment(
            bypass: "incident 12", annotations: ["sluice.dev/gate": "closed", "sluice.dev/released": released])
        #expect(decide(after, closed) == GateDecision())
        // Taking the reason away starts a rollout of the same pods, which were let through.
        let later = deployment(annotations: ["sluice.dev/gate": "closed", "sluice.dev/released": released])
        #expect(decide(later, closed).hold == nil)
    }

    @Test("what is asked for and means nothing is refused, and said so")
    func refused() {
        let decision = decide(deployment(requires: "split@Contract"), open)
        #expect(decision.hold != nil)
        #expect(decision.events.map(\.reason) == ["GateHeld", "RequirementRefused"])
        #expect(decision.stamp?.gate == "closed")
        let byTriggers = RequiredMigration(verifiedMigration(), for: .expanded)
        let expand = decide(deployment(requires: "split@Expand"), ["split@Expand": byTriggers])
        #expect(expand.hold != nil)
        #expect(expand.events.map(\.reason) == ["GateHeld", "RequirementRefused"])
    }

    @Test("a release that writes both sides waits for the columns only, and is stamped with no proof")
    func expanded() {
        let release = deployment(requires: "split@Expand")
        let waiting = decide(
            release, ["split@Expand": .closed(reason: "the new columns do not exist yet", planHash: plan)])
        #expect(waiting.hold == .pause("waits for split@Expand"))
        #expect(decide(release, ["split@Expand": .open(planHash: plan)]).confirm == ["split@Expand"])
        let opened = decide(release, ["split@Expand": .open(planHash: plan)], live: true)
        #expect(opened.stamp?.gate == "open")
        #expect(opened.stamp?.verified == nil)
        #expect(opened.stamp?.released == record(release))
    }

    @Test("a spec that nobody has looked at yet takes nothing back and lets nothing through, and it is told once")
    func unsettled() {
        let unsettled: [Requirement: RequiredMigration] = ["split": .unsettled(planHash: plan)]
        let annotations = openStamp.merging(["sluice.dev/released": record(deployment())]) { $1 }
        #expect(decide(deployment(annotations: annotations), unsettled) == GateDecision())
        let pending = decide(deployment(), unsettled)
        #expect(pending.hold == .pause("waits for split"))
        #expect(pending.stamp == .init(gate: "closed"))
        #expect(
            pending.events == [.init(.normal, "GateHeld", "the rollout waits: whether split is met is not known yet")])
        // Held by the webhook it is told as well; and once.
        let held = deployment(paused: true, heldByUs: true)
        #expect(decide(held, unsettled).events.map(\.reason) == ["GateHeld"])
        let told = deployment(paused: true, annotations: ["sluice.dev/gate": "closed"], heldByUs: true)
        #expect(decide(told, unsettled) == GateDecision())
        // The database could not be asked: what was let through stays so.
        #expect(decide(deployment(annotations: annotations), unsettled, live: true) == GateDecision())
        // The stamp of the template before is not that of this one.
        let next = decide(deployment(image: "v3", annotations: annotations), unsettled)
        #expect(next.stamp?.gate == "closed" && next.stamp?.released == record(deployment()))
    }

    @Test("pods of the template that began before the hold are told, of what is held and not let through")
    func late() {
        let stamp = ["sluice.dev/gate": "closed"]
        func workload(_ updated: Int, paused: Bool = true, _ annotations: [String: String]) -> Workload {
            var workload = deployment(paused: paused, annotations: annotations, heldByUs: paused)
            workload.object.status?["updatedReplicas"] = .int(Int64(updated))
            return workload
        }
        #expect(decide(workload(0, stamp), closed).late == nil)
        let late = decide(workload(1, stamp), closed)
        #expect(late.late == "1 of 3 pods are of this template already: they began before the hold")
        #expect(late.events.isEmpty, "that it is held was told")
        #expect(decide(workload(1, paused: false, [:]), closed).late == nil, "it is not held yet")
        let released = stamp.merging(["sluice.dev/released": record(deployment())]) { $1 }
        #expect(decide(workload(1, released), closed).late == nil)
    }

    @Test("a Job that somebody makes of a CronJob by hand has a gate of its own, one of its schedule has none")
    func manualJob() {
        func job(_ annotations: String) -> Workload {
            Workload(
                .job,
                try! json(
                    """
                    {"metadata": {"name": "j", "namespace": "shop", "annotations": \(annotations), "ownerReferences": [
                      {"apiVersion": "batch/v1", "kind": "CronJob", "name": "c", "uid": "u", "controller": true}]},
                     "spec": {"template": {"metadata": {"annotations": {"sluice.dev/requires": "split"}}}}}
                    """
                ).decode(WorkloadObject.self))
        }
        #expect(decide(job("{}"), closed) == GateDecision())
        let manual = decide(job(#"{"cronjob.kubernetes.io/instantiate": "manual"}"#), closed)
        #expect(manual.hold == .pause("waits for split"))
    }

    @Test("what runs everywhere already is not paused at rest")
    func rolledOut() {
        #expect(decide(deployment(rolledOut: true), closed).hold == nil)
        #expect(decide(deployment(rolledOut: true, replicas: 0), closed).hold != nil)
    }

    @Test("all of several migrations must be open")
    func several() {
        let both = deployment(requires: "split, balance")
        let half = decide(both, open.merging(["balance": .closed(reason: "filling", planHash: nil)]) { $1 })
        #expect(half.hold == .pause("waits for split, balance"))
        let all = open.merging(["balance": .open(planHash: "sha256:b")]) { $1 }
        #expect(decide(both, all).confirm == ["split", "balance"])
        #expect(decide(both, all, live: true).stamp?.verified == "split@\(plan), balance@sha256:b")
    }

    @Test("a Deployment that knows nothing of us is left alone")
    func stranger() {
        #expect(decide(deployment(requires: nil), [:]) == GateDecision())
    }

    @Test("as many releases are kept as a Deployment keeps ReplicaSets, the latest first")
    func limit() {
        var record = ReleaseRecord()
        for index in 0..<20 { record.add(.init(template: "t\(index)", plans: [:])) }
        #expect(record.entries.map(\.template) == (10..<20).reversed().map { "t\($0)" })
        #expect(ReleaseRecord(annotation: record.annotation) == record)
        #expect(ReleaseRecord(annotation: "nonsense").entries.isEmpty)
    }
}

@Suite("sluice.dev/requires")
struct RequirementTests {
    @Test(
        "is a list by comma, each with a phase if it needs less than the proof",
        arguments: [
            ("a", [Requirement(migration: "a")]),
            (" a , b@Expand,, a", [Requirement(migration: "a"), Requirement(migration: "b", level: .expanded)]),
            ("a@Backfill", [Requirement(migration: "a")]),
            ("a@ Expand ", [Requirement(migration: "a", level: .expanded)]),
            ("a@Nonsense", [Requirement(migration: "a", level: .unknown("Nonsense"))]),
            ("", []),
        ] as [(String, [Requirement])])
    func parse(_ text: String, _ expected: [Requirement]) {
        #expect(Requirement.parse(text) == expected)
    }
}

private func verifiedMigration(_ spec: String = "") -> Migration {
    settled(migration(spec), observed(worker(report(.backfill), endedAgo: 1)))
}

@Suite("A Migration as a gate sees it")
struct RequiredMigrationTests {
    private func verified(_ spec: String = "") -> Migration { verifiedMigration(spec) }

    @Test("is open for the generation and the plan that were proven, and for nothing else")
    func open() {
        #expect(RequiredMigration(nil) == .missing)
        #expect(RequiredMigration(verified()) == .open(planHash: plan))
        var newer = verified()
        newer.metadata.generation = 2
        #expect(RequiredMigration(newer) == .unsettled(planHash: plan))
        var otherPlan = verified()
        otherPlan.status?.planHash = "sha256:p2"
        #expect(RequiredMigration(otherPlan).isClosed)
        var deleted = verified()
        deleted.metadata.deletionTimestamp = Timestamp(now)
        #expect(RequiredMigration(deleted) == .missing)
        #expect(RequiredMigration(migration()) == .unsettled(planHash: nil))
    }

    @Test("has its columns as soon as Expand is complete, for the application that writes both sides")
    func expanded() {
        let spec = #""dualWrite": {"by": "Application"}"#
        let begun = settled(migration(spec), observed(worker(report(.expand, .working(reason: "a", message: "b")))))
        #expect(RequiredMigration(begun, for: .expanded) == .open(planHash: plan))
        #expect(RequiredMigration(begun).isClosed)
        let early = settled(migration(spec), observed(worker(report(.initial, .working(reason: "a", message: "b")))))
        #expect(RequiredMigration(early, for: .expanded).isClosed)
        var back = begun
        back.spec?.phase = .initial
        #expect(RequiredMigration(back, for: .expanded).isClosed)
        #expect(RequiredMigration(nil, for: .expanded) == .missing)
    }

    static let unseen: [(spec: String, observed: Observed)] = [
        (#""suspend": true"#, observed()),
        (
            #""dependsOn": ["other"]"#, observed { $0.dependencies = ["other": .notVerified("Expand")] }
        ),
        (
            #""phase": "Backfill""#,
            observed {
                $0.databaseFailure = DatabaseFailure(
                    reason: DatabaseFailure.unavailable, message: "", at: now, attempts: 1)
            }
        ),
    ]

    @Test("is neither open nor closed for a changed spec that nobody has looked at", arguments: unseen)
    func changed(_ one: (spec: String, observed: Observed)) throws {
        let writer = #""dualWrite": {"by": "Application"}"#
        let working = MigrationReport.Activity.working(reason: "a", message: "b")
        for phase in [Phase.expand, .dualWrite] {
            let before = settled(migration(writer), observed(worker(report(phase, working, proven: false))))
            #expect(RequiredMigration(before, for: .expanded).isOpen)
            var changed = migration(
                "\(writer), \(one.spec)", generation: 2, changes: otherChanges, status: before.status)
            changed = settled(changed, one.observed)
            #expect(changed.status?.observedGeneration == 2)
            #expect(changed.status?.text(.expanded) == "Unknown SpecChanged")
            #expect(changed.status?.condition(.dualWriting)?.status == (phase == .expand ? .no : .unknown))
            #expect(RequiredMigration(changed, for: .expanded) == .unsettled(planHash: plan))
            // It stays so in the rounds after.
            #expect(reconcile(changed, one.observed).status == nil)
        }
        let before = settled(migration(), observed(worker(report(.backfill), endedAgo: 1)))
        let changed = settled(
            migration(one.spec, generation: 2, changes: otherChanges, status: before.status), one.observed)
        if one.spec.contains("dependsOn") {
            // Only who has not begun to be used waits for others.
            #expect(changed.status?.observedGeneration == 1)
        } else {
            #expect(changed.status?.text(.verified) == "Unknown SpecChanged")
            #expect(changed.status?.text(.expanded) == "Unknown SpecChanged")
        }
        #expect(RequiredMigration(changed) == .unsettled(planHash: plan))
    }

    @Test("keeps its proof and its columns where nothing changes that a plan is made from")
    func suspended() throws {
        let before = settled(migration(), observed(worker(report(.backfill), endedAgo: 1)))
        let suspended = settled(migration(#""suspend": true"#, generation: 2, status: before.status), observed())
        #expect(suspended.status?.text(.ready) == "False Suspended")
        #expect(suspended.status?.text(.verified) == "True Verified")
        #expect(suspended.status?.text(.expanded) == "True Expanded")
        #expect(RequiredMigration(suspended) == .open(planHash: plan))
        // What changes after that, before it goes on, is seen as well, and its restoration is not taken for a look.
        let changed = settled(
            migration(#""suspend": true"#, generation: 3, changes: otherChanges, status: suspended.status), observed())
        #expect(RequiredMigration(changed) == .unsettled(planHash: plan))
        let restored = settled(migration(#""suspend": true"#, generation: 4, status: changed.status), observed())
        #expect(RequiredMigration(restored) == .unsettled(planHash: plan))
        for other in [#""suspend": true, "views": true"#, #""suspend": true, "dualWrite": {"by": "Application"}"#] {
            let other = settled(migration(other, generation: 3, status: suspended.status), observed())
            #expect(RequiredMigration(other) == .unsettled(planHash: plan))
        }
    }

    @Test("what the ledger says is of the spec of before, until a run has looked at the new one")
    func ledger() throws {
        let before = settled(migration(), observed(worker(report(.backfill), endedAgo: 1)))
        // An operator that began later has read the ledger, and nothing else.
        let read = observed { $0.ledger = .known(report(.backfill)) }
        #expect(settled(before, read).status?.text(.verified) == "True Verified")
        let changed = settled(
            migration(#""suspend": true"#, generation: 2, changes: otherChanges, status: before.status), read)
        #expect(changed.status?.observedGeneration == 2)
        #expect(RequiredMigration(changed) == .unsettled(planHash: plan))
        #expect(reconcile(changed, read).status == nil)
    }

    @Test("is closed while a run has the plan of before in its hands")
    func otherPlan() throws {
        let before = settled(migration(), observed(worker(report(.backfill), endedAgo: 1)))
        var seen = report(.backfill, .working(reason: "Starting", message: "connecting"))
        seen.wantedPlanHash = "sha256:p2"
        let changed = settled(
            migration(generation: 2, changes: otherChanges, status: before.status),
            observed(worker(seen, generation: 2)))
        #expect(changed.status?.text(.verified) == "False NotVerified")
        #expect(changed.status?.text(.expanded) == "False PlanChanged")
        #expect(RequiredMigration(changed).isClosed)
    }

    @Test("is closed as soon as it is asked to go back")
    func goingBack() {
        var back = verified()
        back.spec?.phase = .expand
        #expect(RequiredMigration(back).isClosed)
    }
}

extension RequiredMigration {
    fileprivate var isClosed: Bool {
        if case .closed = self { true } else { false }
    }
}
