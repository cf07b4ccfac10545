import TestSupport
import Testing

@testable import DurablePromises

/// That the checker finds what it is for: faults planted in a store in memory.
@Suite("planted faults")
struct PlantedFaultTests {
    private func report(_ fault: FaultyStore.Fault, seed: UInt64) async -> HistoryReport {
        let store = FaultyStore(fault, seed: seed)
        let load = ConcurrentLoad(
            ask: { _, request in await store.answer(request) }, families: TestServers.isSoak ? 500 : 40, seed: seed
        )
        return await HistoryReport.check(await load.run(prefix: "f"))
    }

    @Test("none is found in a store that has none, though answers are lost")
    func none() async {
        let report = await report(.none, seed: 1)
        print("memory: \(report)")
        #expect(report.isLinearizable, "\(report)\n\(report.violations.first ?? "")")
        #expect(report.unknown > report.operations / 200)
        for status in [200, 300, 404, 409, 422] { #expect(report.statuses[status, default: 0] > 0, "\(status)") }
    }

    @Test("each is found", arguments: FaultyStore.Fault.allCases.filter { $0 != .none })
    func each(fault: FaultyStore.Fault) async {
        let report = await report(fault, seed: 2)
        print("planted \(fault): \(report)")
        #expect(!report.violations.isEmpty)
        #expect(report.undecided.isEmpty)
    }

    /// The clock is the store's, and set by a test: it is part of the history.
    @Test("a lease that is too short, or too long, is found by the clock", arguments: [-1, 0, 1] as [Int64])
    func leases(error: Int64) throws {
        let targeted = [PromiseTag.target: "poll://any@linear"]
        var model = ModelPromises(now: 1000)
        var history: [Family.Operation] = []
        var moment = 0
        func add(_ input: FamilySpecification.Input, _ output: Response?) {
            history.append(.init(client: 0, input: input, output: output, called: moment, returned: moment + 1))
            moment += 2
        }
        func ask(_ operation: PromiseOperation) { add(.request(operation), model.answer(Request(operation))) }
        ask(.createTask(pid: "a", ttl: 50, action: creating("f", targeted)))
        for time in [1049, 1050] as [Int64] {
            // The store's clock is wrong by that much.
            model.now = time + error
            add(.time(time), Family.set)
            ask(.acquireTask(TaskReference(id: "f", version: 1), pid: "b", ttl: 50))
        }
        let checker = LinearizabilityChecker(specification: FamilySpecification())
        let verdict = checker.check(history, from: FamilyState(now: 1000))
        #expect((verdict == .linearizable) == (error == 0))
    }
}
