import TestSupport
import Testing

@testable import ControllerRuntime

@Suite("The rules of the work queue")
struct WorkQueueStateTests {
    private let start = ContinuousClock.now

    @Test("a key waits once, however often it is added")
    func deduplicates() {
        var queue = WorkQueueState<String>()
        for key in ["a", "b", "a", "a"] { queue.add(key, now: start) }
        #expect(queue.next(now: start)?.key == "a")
        #expect(queue.next(now: start)?.key == "b")
        #expect(queue.next(now: start) == nil)
    }

    @Test("a key that a worker has is given to no other, and comes again if it was added meanwhile")
    func oneWorkerForAKey() {
        var queue = WorkQueueState<String>()
        queue.add("a", now: start)
        #expect(queue.next(now: start)?.key == "a")
        queue.add("a", now: start)
        #expect(queue.next(now: start) == nil)
        queue.done("a", now: start)
        #expect(queue.next(now: start)?.key == "a")
        queue.done("a", now: start)
        #expect(queue.next(now: start) == nil)
    }

    @Test("a key whose time has come waits, though every worker is busy, and is due no more")
    func dueWhileBusy() async throws {
        var rules = WorkQueueState<String>()
        rules.add("a", at: start)
        rules.add("b", at: start + .seconds(1))
        rules.promote(start)
        #expect(rules.depth == 1 && rules.nextDue == start + .seconds(1))
        let queue = WorkQueue<String>()
        queue.add("a", after: .milliseconds(10))
        try await eventually("it waits") { queue.depth == 1 }
    }

    @Test("failures delay a key by 5 ms, doubled each time, until it is forgotten")
    func delays() {
        var queue = WorkQueueState<String>()
        let delays = (0..<4).map { _ in queue.addRateLimited("a", now: start) }
        #expect(delays == [5, 10, 20, 40].map { .milliseconds($0) })
        #expect(queue.addRateLimited("b", now: start) == .milliseconds(5))
        queue.forget("a")
        #expect(queue.addRateLimited("a", now: start) == .milliseconds(5))
    }

    @Test("no delay is beyond 1000 s")
    func longestDelay() {
        var queue = WorkQueueState<String>()
        var now = start
        for _ in 0..<100 {
            now += .seconds(1000)
            queue.addRateLimited("a", now: now)
        }
        #expect(queue.addRateLimited("a", now: now + .seconds(1000)) == .seconds(1000))
    }

    @Test("beyond a burst of 100, failures of all keys together come at 10 in a second")
    func bucket() {
        var queue = WorkQueueState<Int>()
        for key in 0..<100 { #expect(queue.addRateLimited(key, now: start) == .milliseconds(5)) }
        let next = queue.addRateLimited(100, now: start)
        #expect(abs(next / .milliseconds(1) - 100) < 1)
        let after = queue.addRateLimited(101, now: start)
        #expect(abs(after / .milliseconds(1) - 200) < 1)
        // Ten seconds later the debt is paid and 98 tokens are there.
        #expect(queue.addRateLimited(102, now: start + .seconds(10)) == .milliseconds(5))
    }

    @Test("a key added for later comes then, at the earliest of its times")
    func later() {
        var queue = WorkQueueState<String>()
        queue.add("a", at: start + .seconds(10))
        queue.add("a", at: start + .seconds(5))
        queue.add("a", at: start + .seconds(7))
        #expect(queue.nextDue == start + .seconds(5))
        #expect(queue.next(now: start + .seconds(4)) == nil)
        #expect(queue.next(now: start + .seconds(5))?.key == "a")
        queue.done("a", now: start)
        #expect(queue.next(now: start + .seconds(20)) == nil)
    }

    @Test("a key waits from when it was first added, and is unfinished from when a worker took it")
    func times() {
        var queue = WorkQueueState<String>()
        queue.add("a", now: start)
        queue.add("a", now: start + .seconds(1))
        queue.add("b", now: start + .seconds(1))
        #expect(queue.next(now: start + .seconds(3)) == .init(key: "a", waited: .seconds(3)))
        #expect(queue.next(now: start + .seconds(4)) == .init(key: "b", waited: .seconds(3)))
        #expect(queue.unfinished(at: start + .seconds(5)) == (.seconds(3), .seconds(2)))
        // Added while a worker has it, it waits for that worker.
        queue.add("a", now: start + .seconds(5))
        #expect(queue.done("a", now: start + .seconds(6)) == .seconds(3))
        #expect(queue.next(now: start + .seconds(6)) == .init(key: "a", waited: .seconds(1)))
        #expect(queue.additions == 3)
    }
}
