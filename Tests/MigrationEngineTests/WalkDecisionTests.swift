import Foundation
import SchemaChange
import Testing

@testable import MigrationEngine

@Suite("what to do next")
struct WalkDecisionTests {
    private func record(
        _ phase: Phase,
        target: Phase? = nil,
        last: String? = nil,
        provenAt: Date? = nil,
        isKeepingOver: Bool = false,
        isPurged: Bool = false
    ) -> LedgerRecord {
        LedgerRecord(
            id: "shop/a",
            ordinal: 1,
            planHash: Sketch.plan.hash,
            plan: Sketch.plan,
            target: target ?? phase,
            walk: 1,
            fence: 1,
            phase: phase,
            provenAt: provenAt,
            isKeepingOver: isKeepingOver,
            isPurged: isPurged,
            isInDoubt: false,
            server: ServerIdentity(systemIdentifier: "1", timeline: 1, database: "shop"),
            filled: [],
            applied: last.map(Sketch.through) ?? []
        )
    }

    private func decide(_ record: LedgerRecord?, _ target: Phase, plan: String = "sha256:0123") -> WalkDecision {
        WalkDecision.decide(record, planHash: plan, target: target)
    }

    @Test("what the ledger does not know is planned, unless nothing is wanted")
    func unknown() {
        #expect(decide(nil, .initial) == .rest)
        #expect(decide(nil, .expand) == .pin)
    }

    @Test("what is pinned is walked")
    func known() {
        #expect(decide(record(.initial, target: .backfill), .backfill) == .travel)
        #expect(decide(record(.expand, last: "e2"), .contract) == .travel)
        #expect(decide(record(.backfill, last: "null"), .backfill) == .travel)
        #expect(decide(record(.backfill, last: "null"), .initial) == .travel)
        #expect(decide(record(.initial, target: .initial, last: "e1"), .initial) == .travel)
    }

    @Test("what was undone completely rests, and is planned anew when it is wanted again")
    func undone() {
        #expect(decide(record(.initial), .initial) == .rest)
        #expect(decide(record(.initial), .expand) == .pin)
        #expect(decide(record(.initial, target: .backfill), .initial) == .travel)
    }

    @Test("a changed plan that nobody relies on makes way")
    func changedEarly() {
        #expect(decide(record(.initial, target: .backfill), .backfill, plan: "other") == .pin)
        #expect(decide(record(.expand, last: "e2"), .backfill, plan: "other") == .undoOldPlan)
        #expect(decide(record(.initial, target: .expand, last: "e1"), .backfill, plan: "other") == .undoOldPlan)
    }

    @Test("one that was ever proven stays, until its changes are restored or it is undone")
    func changedLate() {
        let proven = record(.backfill, last: "null", provenAt: Date())
        #expect(decide(proven, .backfill, plan: "other") == .refuse(.planChanged))
        #expect(decide(proven, .backfill) == .travel)
        #expect(decide(proven, .initial, plan: "other") == .travel)
        #expect(decide(record(.expand, last: "e2", provenAt: Date()), .expand, plan: "other") == .refuse(.planChanged))
        #expect(decide(record(.initial, provenAt: Date()), .backfill, plan: "other") == .pin)
    }

    @Test("the archive goes once it was kept for long enough, if Contract is still wanted")
    func purge() {
        let contracted = record(.contract, last: "c2", provenAt: Date())
        #expect(decide(contracted, .contract) == .travel)
        let over = record(.contract, last: "c2", provenAt: Date(), isKeepingOver: true)
        #expect(decide(over, .contract) == .purge)
        #expect(decide(over, .backfill) == .travel)
        let between = record(.backfill, last: "c1", provenAt: Date(), isKeepingOver: true)
        #expect(decide(between, .contract) == .travel)
    }

    @Test("without its archive there is no way back")
    func purged() {
        let purged = record(.contract, last: "c2", provenAt: Date(), isPurged: true)
        #expect(decide(purged, .contract) == .rest)
        for target in Phase.allCases where target < .contract {
            #expect(decide(purged, target) == .refuse(.notReversible))
        }
    }
}
