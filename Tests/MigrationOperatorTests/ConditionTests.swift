import Backfill
import Foundation
import KubernetesClient
import MigrationEngine
import SchemaChange
import Testing

@testable import MigrationOperator

@Suite("The conditions of a Migration")
struct ConditionTests {
    struct Case: CustomTestStringConvertible {
        var name: String
        var asked: Phase
        var report: MigrationReport
        var ended = true
        /// Ready, Reconciling, Stalled, Expanded, DualWriting, Verified, GateOpen, Contracted, Throttled.
        var expected: String

        var testDescription: String { name }
    }

    static let cases: [Case] = [
        Case(
            name: "filling", asked: .backfill,
            report: report(.dualWrite, .working(reason: "Filling", message: "")), ended: false,
            expected: "False True False True True False False False False"),
        Case(
            name: "verified", asked: .backfill, report: report(.backfill),
            expected: "True False False True True True True False False"),
        Case(
            name: "reached without a proof", asked: .backfill, report: report(.backfill, proven: false),
            expected: "False True False True True False False False False"),
        Case(
            name: "expanded, as asked", asked: .expand, report: report(.expand),
            expected: "True False False True False False False False False"),
        Case(
            name: "dual writing, as asked", asked: .dualWrite, report: report(.dualWrite),
            expected: "True False False True True False False False False"),
        Case(
            name: "undone, as asked", asked: .initial, report: report(.initial),
            expected: "True False False False False False False False False"),
        Case(
            name: "waits to contract", asked: .contract,
            report: report(.backfill, .waiting(reason: "Soaking", message: "")),
            expected: "True False False True True True True False False"),
        Case(
            name: "contracted", asked: .contract, report: report(.contract),
            expected: "True False False True False True True True False"),
        Case(
            name: "on its way back from Contract", asked: .backfill,
            report: report(.contract, .working(reason: "Restoring", message: "")), ended: false,
            expected: "False True False True False True True True False"),
        Case(
            name: "may not go back yet", asked: .initial,
            report: report(.backfill, .waiting(reason: "WaitingForDependents", message: "")),
            expected: "False True False True True True False False False"),
        Case(
            name: "stalled", asked: .backfill,
            report: report(.dualWrite, .stalled(reason: "ForwardFailed", message: "key 7"), proven: false),
            expected: "False False True True True False False False False"),
        Case(
            name: "the plan changed", asked: .backfill,
            report: report(.backfill, .stalled(reason: "PlanChanged", message: "")),
            expected: "False False True False False False False False False"),
        Case(
            name: "the database is away while it waits", asked: .contract,
            report: report(.backfill, .waiting(reason: "DatabaseUnavailable", message: "")),
            expected: "False True False True True True True False False"),
        Case(
            name: "held", asked: .backfill, report: held, ended: false,
            expected: "False True False True True False False False True"),
    ]

    private static var held: MigrationReport {
        var report = report(.dualWrite, .working(reason: "Filling", message: ""))
        report.hold = ThrottleHold(reason: "SlotWAL", message: "a slot keeps much", since: Date())
        return report
    }

    @Test("say where it stands", arguments: cases)
    func table(_ test: Case) throws {
        let asked = migration(#""phase": "\#(test.asked.rawValue)""#, generation: 4)
        let run = worker(
            test.report, to: test.asked, generation: 4, endedAgo: test.ended ? 0.5 : nil, fruitless: 1)
        let status = try #require(reconcile(asked, observed(run)).status)
        let conditions = try #require(status.conditions)
        #expect(conditions.map(\.type) == MigrationCondition.allCases.map(\.rawValue))
        #expect(conditions.map(\.status.rawValue).joined(separator: " ") == test.expected)
        #expect(conditions.allSatisfy { $0.observedGeneration == 4 && $0.reason?.isEmpty == false })
        #expect(status.observedGeneration == 4)
        #expect((status.gate == .open) == (status.condition(.gateOpen)?.status == .yes))
        // kstatus: ready and under way at the same time makes no sense.
        let ready = status.condition(.ready)?.status == .yes
        #expect(!ready || (status.condition(.reconciling)?.status == .no && status.condition(.stalled)?.status == .no))
    }

    @Test(
        "a proof that the run itself found broken closes the gate, though nobody has looked at it besides",
        arguments: [
            "ProofBroken", "DualWriteMissing", "Mismatch",
        ])
    func foundBroken(_ reason: String) throws {
        let stalled = worker(report(.backfill, .stalled(reason: reason, message: "a trigger is gone")), endedAgo: 1)
        let status = try #require(reconcile(migration(), observed(stalled)).status)
        #expect(status.gate == .closed)
        #expect(status.text(.verified) == "False ProofBroken")
        #expect(status.text(.stalled) == "True \(reason)")
    }

    @Test("a proof of another plan, or one with mismatches, verifies nothing")
    func otherPlan() throws {
        var other = report(.backfill)
        other.certificate = certificate(plan: "sha256:p0")
        var wrong = report(.backfill)
        wrong.certificate?.mismatches = 1
        for report in [other, wrong] {
            let status = try #require(reconcile(migration(), observed(worker(report, endedAgo: 1))).status)
            #expect(status.gate == .closed)
            #expect(status.condition(.verified)?.status == .no)
        }
    }

    @Test("a new spec does not inherit the proof of the old one while the database is away")
    func newGeneration() throws {
        let told = settled(migration(), observed(worker(report(.backfill), endedAgo: 1)))
        let actions = reconcile(
            migration(generation: 2, changes: otherChanges, status: told.status),
            observed {
                $0.databaseFailure = DatabaseFailure(
                    reason: DatabaseFailure.unavailable, message: "", at: now, attempts: 1)
            })
        let status = try #require(actions.status)
        #expect(status.text(.verified) == "Unknown SpecChanged")
        #expect(status.gate == .closed)
        #expect(status.phase == .backfill)
    }

    @Test("what the application is waited for is told by DualWriting, and who writes once it does")
    func applicationWrites() throws {
        let spec = migration(#""dualWrite": {"by": "Application"}"#)
        let waits = MigrationReport.Activity.waiting(reason: "WaitingForDualWrite", message: "settle it")
        let waiting = try #require(reconcile(spec, observed(worker(report(.expand, waits), endedAgo: 0))).status)
        #expect(waiting.text(.dualWriting) == "False WaitingForDualWrite")
        #expect(waiting.condition(.dualWriting)?.message == "settle it")
        #expect(waiting.step == "WaitingForDualWrite" && waiting.text(.expanded) == "True Expanded")
        let writes = try #require(reconcile(spec, observed(worker(report(.backfill), endedAgo: 0))).status)
        #expect(writes.text(.dualWriting) == "True ApplicationWrites")
    }

    @Test("the transition time moves only with the status")
    func transition() throws {
        let filling = worker(report(.dualWrite, .working(reason: "Filling", message: "")))
        let told = settled(migration(), observed(filling))
        var later = observed(worker(report(.backfill), endedAgo: 0))
        later.now = now.addingTimeInterval(100)
        let status = try #require(reconcile(told, later).status)
        #expect(status.condition(.expanded)?.lastTransitionTime?.date == now)
        #expect(status.condition(.ready)?.lastTransitionTime?.date == later.now)
    }

    @Test("the status comes back from the server as it was sent")
    func roundTrip() throws {
        let status = try #require(reconcile(migration(), observed(worker(report(.backfill), endedAgo: 1))).status)
        let text = try JSONEncoder().encode(status)
        #expect(try JSONDecoder().decode(MigrationStatus.self, from: text) == status)
    }

    @Test(
        "progress is told in percent, and only what is done is 100%",
        arguments: [(0, 0, "100%"), (0, 10, "0%"), (999, 1000, "99%"), (10, 10, "100%"), (12, 10, "100%")]
            as [(
                Int64, Int64, String
            )])
    func percent(_ done: Int64, _ total: Int64, _ text: String) {
        let progress = MigrationStatus.Progress(BackfillProgress(rowsDone: done, rowsTotal: total))
        #expect(progress.percent == text)
    }
}

@Suite("Writing a status")
struct StatusThrottleTests {
    private func filling(_ rows: Int64, _ phase: Phase = .dualWrite) -> Observed {
        observed(
            worker(
                report(
                    phase, .working(reason: "Filling", message: "\(rows)"), step: "Filling",
                    progress: BackfillProgress(rowsDone: rows, rowsTotal: 100), proven: false)))
    }

    @Test("progress alone is written every second and a half")
    func progress() {
        let told = settled(migration(), filling(10))
        var soon = filling(20)
        soon.lastStatusWrite = now.addingTimeInterval(-0.5)
        #expect(reconcile(told, soon) == [.requeue(after: .seconds(1))])
        var due = filling(20)
        due.lastStatusWrite = now.addingTimeInterval(-1.5)
        #expect(reconcile(told, due).status?.progress?.percent == "20%")
        #expect(reconcile(told, due).events == [])
    }

    @Test("a phase that is complete is written at once, with its event")
    func phase() {
        let told = settled(migration(), filling(10))
        var soon = filling(20, .backfill)
        soon.lastStatusWrite = now
        let actions = reconcile(told, soon)
        #expect(actions.status?.phase == .backfill)
        #expect(actions.events == ["BackfillComplete"])
    }

    @Test("phases that were complete between two looks are told, each of them")
    func severalPhases() {
        var current = migration()
        let runs = [
            worker(report(.initial, .working(reason: "Planning", message: "")), to: .backfill),
            worker(report(.dualWrite, .working(reason: "Filling", message: "")), to: .backfill),
        ]
        var seen: [String] = []
        for run in runs {
            let actions = reconcile(current, observed(run))
            seen += actions.events
            current.status = actions.status ?? current.status
        }
        #expect(seen == ["ExpandComplete", "DualWriteComplete"])
    }

    @Test("events tell the story once")
    func story() {
        var seen: [String] = []
        var current = migration(#""phase": "Contract""#)
        let waiting = report(.backfill, .waiting(reason: "Soaking", message: "until ten"))
        let runs = [
            worker(report(.expand, .working(reason: "DualWriting", message: "")), to: .contract),
            worker(report(.dualWrite, .working(reason: "Filling", message: "")), to: .contract),
            worker(report(.backfill, .working(reason: "Contracting", message: "")), to: .contract),
            worker(waiting, to: .contract, endedAgo: 1, fruitless: 1),
            worker(waiting, to: .contract, endedAgo: 1, fruitless: 2),
            worker(report(.contract), to: .contract, endedAgo: 1),
        ]
        for run in runs {
            let actions = reconcile(current, observed(run))
            seen += actions.events
            current.status = actions.status ?? current.status
        }
        #expect(
            seen == [
                "DualWriteComplete", "BackfillComplete", "Verified", "GateOpened", "Soaking", "ContractComplete",
            ])
    }
}
