import TestSupport
import Testing

@testable import MigrationOperator

@Suite("Slots for engines")
struct RunSlotsTests {
    @Test("no more run at the same time than there are slots, and all get their turn")
    func bounded() async throws {
        let slots = RunSlots(3)
        let gauge = Gauge()
        try await withThrowingTaskGroup(of: Void.self) { group in
            for _ in 0..<50 {
                group.addTask {
                    try await slots.with {
                        await gauge.enter()
                        await Task.yield()
                        await gauge.leave()
                    }
                }
            }
            try await group.waitForAll()
        }
        #expect(await gauge.most <= 3)
        #expect(await gauge.done == 50)
    }

    @Test("one that is cancelled while it waits leaves, and takes no slot with it")
    func cancelled() async throws {
        let slots = RunSlots(1)
        let waiter = try await slots.with {
            let waiter = Task { try await slots.with {} }
            waiter.cancel()
            await #expect(throws: CancellationError.self) { try await waiter.value }
            return waiter
        }
        _ = waiter
        // The slot is free again.
        try await slots.with {}
    }
}

/// Counts those who are in.
private actor Gauge {
    private var now = 0
    private(set) var most = 0
    private(set) var done = 0

    func enter() {
        now += 1
        most = max(most, now)
    }

    func leave() {
        now -= 1
        done += 1
    }
}
