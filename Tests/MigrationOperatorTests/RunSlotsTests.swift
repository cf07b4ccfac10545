import KubernetesClient
import SchemaChange
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
                    try await slots.with(of: "a") {
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
        let waiter = try await slots.with(of: "a") {
            let waiter = Task { try await slots.with(of: "a") {} }
            waiter.cancel()
            await #expect(throws: CancellationError.self) { try await waiter.value }
            return waiter
        }
        _ = waiter
        // The slot is free again.
        try await slots.with(of: "a") {}
    }

    @Test("as many Migrations as may be whose databases are silent keep no other namespace's from being walked")
    func silent() async throws {
        let registry = WorkerRegistry(slots: 16) { _ in }
        func start(_ name: String, in namespace: String) -> ObjectKey {
            let key = ObjectKey(name, in: namespace)
            registry.start(key, uid: nil, generation: 1, phase: .backfill) { tell in
                tell(report(.initial))
                try await Task.sleep(for: .seconds(3600))
                return report(.initial)
            }
            return key
        }
        func runs(_ key: ObjectKey) -> Bool { registry.state(key)?.report != nil }
        let silent = (0..<17).map { start("silent-\($0)", in: "a") }
        try await eventually("one namespace has what it may") {
            silent.count(where: runs) == 8 && silent.count { registry.state($0)?.waitsForSlot == true } == 9
        }
        let other = start("other", in: "b")
        try await eventually("the other's runs") { runs(other) }
        #expect(registry.state(other)?.waitsForSlot == false)
        // The next of the silent ones begins when one ends, and says so.
        let first = try #require(silent.first(where: runs))
        await registry.stop(first)
        try await eventually("another one has its turn") {
            silent.count(where: runs) == 8 && silent.count { registry.state($0)?.waitsForSlot == true } == 8
        }
        await registry.stopAll()
        #expect(silent.allSatisfy { registry.state($0)?.waitsForSlot != true })
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
