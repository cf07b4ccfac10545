import KubernetesClient
import Synchronization
import TestSupport
import Testing

@testable import ControllerRuntime

@Suite("Looking again though nothing happened")
struct ResyncTests {
    private let start = ContinuousClock.now
    private let hour: Duration = .seconds(3600)

    @Test("each key's time comes once in ten hours, give or take one")
    func times() {
        for (random, first) in [(0.0, 9.0), (0.5, 10), (1, 11)] {
            var schedule = ResyncSchedule<String>(period: hour * 10, random: RandomSource { random })
            schedule.add("a", at: start)
            schedule.add("a", at: start + hour)
            let time = start + hour * first
            #expect(schedule.due(at: time - .seconds(1)) == [])
            #expect(schedule.due(at: time + .milliseconds(1)) == ["a"])
            #expect(schedule.due(at: time + .seconds(1)) == [], "once")
            #expect(schedule.due(at: time + hour * first - .seconds(1)) == [])
            #expect(schedule.due(at: time + hour * first + .seconds(1)) == ["a"])
        }
    }

    @Test("keys that came together do not come together; one that is gone does not come")
    func spread() {
        let draws = Mutex(0.0)
        var schedule = ResyncSchedule<Int>(
            period: hour * 10,
            random: RandomSource {
                draws.withLock { draw in
                    draw += 0.25
                    return draw - 0.25
                }
            })
        for key in 0..<4 { schedule.add(key, at: start) }
        schedule.remove(2)
        #expect(schedule.due(at: start + hour * 9.1) == [0])
        #expect(schedule.due(at: start + hour * 9.6) == [1])
        #expect(schedule.due(at: start + hour * 10.1) == [])
        #expect(schedule.due(at: start + hour * 10.6) == [3])
    }

    @Test("it looks again no later than any key is due, also one that comes meanwhile")
    func looks() {
        var schedule = ResyncSchedule<Int>(period: hour * 10, random: RandomSource { 0 })
        #expect(schedule.nextLook(after: start) == start + hour * 9)
        schedule.add(1, at: start)
        #expect(schedule.nextLook(after: start + hour) == start + hour * 9)
    }

    @Test("the keys of a store's objects are queued again and again, as long as they are there")
    func store() async throws {
        let store = Store<DynamicObject>()
        let queue = WorkQueue<ObjectKey>()
        func object(_ name: String) throws -> DynamicObject {
            try DynamicObject(["metadata": ["name": .string(name), "namespace": "shop", "resourceVersion": "1"]])
        }
        store.put(try object("before"))
        let resync = Resync(store, into: queue, every: .milliseconds(50))
        let running = Task { await resync.run() }
        defer { running.cancel() }
        store.put(try object("after"))
        for _ in 1...2 {
            var seen: Set<String> = []
            while seen.count < 2 {
                let key = try #require(await queue.next())
                seen.insert(key.name)
                queue.done(key)
            }
        }
        store.remove(try object("after"))
        var others = 0
        while others < 4 {
            let key = try #require(await queue.next())
            queue.done(key)
            // It may have been queued before it went, once.
            others += key.name == "before" ? 1 : 0
            if others > 1 { #expect(key.name == "before") }
        }
    }
}
