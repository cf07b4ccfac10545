import Foundation
import KubernetesClient
import MigrationEngine
import SchemaChange
import Testing

@testable import MigrationOperator

private func waiting(generation: Int64 = 1, previous: MigrationReport? = nil, to phase: Phase = .backfill)
    -> WorkerState
{
    var state = worker(nil, to: phase, generation: generation, previous: previous, startedAgo: 0)
    state.waitsForSlot = true
    return state
}

@Suite("A run that waits for a slot")
struct WaitingForSlotTests {
    @Test("is told at once for a new spec, and is not taken for ready; the proof of before is not denied")
    func newSpec() throws {
        var changed = settled(migration(), observed(worker(report(.backfill), endedAgo: 1)))
        #expect(changed.status?.text(.ready) == "True GateOpen")
        changed = migration(generation: 2, changes: otherChanges, status: changed.status)
        let observed = observed(waiting(generation: 2)) { $0.lastStatusWrite = now }
        let actions = reconcile(changed, observed)
        let status = try #require(actions.status)
        #expect(status.observedGeneration == 2 && status.step == "WaitingForSlot")
        #expect(status.text(.ready) == "False WaitingForSlot")
        #expect(status.text(.reconciling) == "True WaitingForSlot")
        #expect(status.text(.stalled) == "False NotStalled")
        #expect(status.text(.verified) == "Unknown SpecChanged")
        #expect(actions.events == ["WaitingForSlot"] && actions.deeds.isEmpty)
        let told = settled(changed, observed)
        #expect(reconcile(told, observed) == [], "it is told once")
        // What is open stays open, what is pending waits.
        #expect(RequiredMigration(told) == .unsettled(planHash: plan))
    }

    @Test("is told of a Migration that nobody has begun, and no more once it has its slot")
    func first() throws {
        let told = settled(migration(), observed(waiting()))
        #expect(told.status?.text(.ready) == "False WaitingForSlot")
        let begun = settled(told, observed(worker(nil, startedAgo: 0)))
        #expect(begun.status?.text(.ready) == "False Starting" && begun.status?.step == "Starting")
        #expect(RequiredMigration(begun).isUnsettled)
    }

    @Test("opens no gate for the columns of another plan")
    func columns() throws {
        let spec = #""dualWrite": {"by": "Application"}"#
        var changed = settled(migration(spec), observed(worker(report(.expand, .working(reason: "a", message: "b")))))
        #expect(RequiredMigration(changed, for: .expanded).isOpen)
        changed.metadata.generation = 2
        let told = settled(changed, observed(waiting(generation: 2)))
        #expect(RequiredMigration(told, for: .expanded).isUnsettled)
    }

    @Test("takes nothing from what is ready, nor from what it waited for before")
    func again() throws {
        let wait = report(.backfill, .waiting(reason: "RolloutInProgress", message: "1 of 3"))
        let contract = migration(#""phase": "Contract""#)
        let told = settled(contract, observed(worker(wait, to: .contract, endedAgo: 1, fruitless: 1)))
        #expect(reconcile(told, observed(waiting(previous: wait, to: .contract))) == [])
        // One that was interrupted at work does not work meanwhile.
        let work = report(.dualWrite, .working(reason: "Filling", message: ""))
        let filling = settled(migration(), observed(worker(work)))
        let stopped = try #require(reconcile(filling, observed(waiting(previous: work))).status)
        #expect(stopped.text(.ready) == "False WaitingForSlot" && stopped.phase == .dualWrite)
    }

    @Test("is not told between two tries of a database that does not answer, which never came as far as the ledger")
    func unanswered() throws {
        var told = migration()
        let away = MigrationReport(
            isFromLedger: false, activity: .waiting(reason: "DatabaseUnavailable", message: "no answer"))
        var failed = worker(away, endedAgo: 1, fruitless: 1)
        told = settled(told, observed(failed))
        #expect(told.status?.text(.ready) == "False DatabaseUnavailable")
        for _ in 0..<3 {
            // It waits for a slot, has one, connects, and fails again.
            var run = failed.next(startedAt: now)
            run.waitsForSlot = true
            #expect(reconcile(told, observed(run)) == [])
            run.waitsForSlot = false
            #expect(reconcile(told, observed(run)) == [])
            run.report = MigrationReport(
                isFromLedger: false, activity: .working(reason: "Starting", message: "connecting"))
            #expect(reconcile(told, observed(run)) == [])
            run.report = away
            run.endedAt = now
            run.fruitless += 1
            #expect(reconcile(told, observed(run)).events.isEmpty)
            failed = run
        }
        // One that comes as far as the ledger says what it finds.
        var run = failed.next(startedAt: now)
        run.report = report(.initial, .working(reason: "Planning", message: ""))
        #expect(reconcile(told, observed(run)).status?.text(.ready) == "False Planning")
    }

    @Test("is not told while the Secret is the obstacle: that is read again in the slot")
    func secret() throws {
        let failure = DatabaseFailure(reason: DatabaseFailure.secretNotFound, message: "none", at: now, attempts: 1)
        let told = settled(migration(), observed { $0.databaseFailure = failure })
        #expect(told.status?.text(.ready) == "False SecretNotFound")
        #expect(reconcile(told, observed(waiting()) { $0.databaseFailure = failure }) == [])
        // A run that ended before it came to its database is not begun again at once.
        var ended = waiting()
        ended.waitsForSlot = false
        ended.endedAt = now
        ended.fruitless = 1
        #expect(reconcile(told, observed(ended)) == [.requeue(after: .seconds(1))])
        ended.endedAt = now.addingTimeInterval(-1)
        #expect(reconcile(told, observed(ended)).deeds == [.startWorker(.backfill)])
    }
}
