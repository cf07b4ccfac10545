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
        changed.metadata.generation = 2
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
}
