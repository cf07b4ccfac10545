import PostgreSQL
import TestSupport
import Testing

@testable import DurablePromises

@Suite("messages of the store")
struct StoreMessageTests {
    static let tags = [PromiseTag.target: "poll://any@workers"]

    @Test("a task is offered to one of its group, and again by any replica when nobody takes it")
    func execute() async throws {
        try await withReplicas(rules: PromiseRules(retryInterval: 300)) { first, second in
            let messages = Received(second.deliveries(group: "workers", id: "w1"))
            _ = try await first.createPromise(id: "p", timeoutAt: .max, tags: Self.tags)
            let offer = PromiseMessage.execute(TaskReference(id: "p", version: 0))
            try await eventually("offered twice") { messages.all.filter { $0 == offer }.count >= 2 }
            _ = try await second.acquireTask(id: "p", version: 0, pid: "w1", ttl: 60_000)
            _ = try await second.fulfillTask(id: "p", version: 1, state: .resolved)
            #expect(messages.all.allSatisfy { $0 == offer })
        }
    }

    @Test("a task that is offered again keeps its place before those that came later")
    func place() async throws {
        let clock = ManualClock(1000)
        try await withReplicas(clock: .manual { clock.value }) { first, second in
            for id in ["a", "b"] {
                _ = try await first.createPromise(id: id, timeoutAt: .max, tags: Self.tags)
                clock.value += 2500
            }
            try await eventually("the first is offered again") {
                try await rowCount("task WHERE id = 'a' AND offers = 2 AND due_at = 16000", first) == 1
            }
            let messages = Received(second.deliveries(group: "workers", id: "w"))
            try await eventually("delivered") { messages.all.count == 2 }
            #expect(messages.all == ["a", "b"].map { .execute(TaskReference(id: $0, version: 0)) })
        }
    }

    @Test("whoever listened is told once, with the value, though nobody was there when it was settled")
    func unblock() async throws {
        try await withReplicas { first, second in
            _ = try await first.createPromise(id: "p", timeoutAt: .max, tags: [PromiseTag.external: "true"])
            for _ in 0..<2 { _ = try await first.registerListener(on: "p", address: "poll://uni@workers/w1") }
            let settled = try await first.settlePromise(id: "p", state: .resolved, value: PromiseValue(data: "MQ=="))
            let other = Received(second.deliveries(group: "workers", id: "w2"))
            let messages = Received(second.deliveries(group: "workers", id: "w1"))
            try await eventually("told") { messages.all.count == 1 }
            #expect(messages.all == [.unblock(try #require(settled))] && other.all.isEmpty)
            try await eventually("nothing is left to send") { try await rowCount("message", first) == 0 }
        }
    }

    @Test("a message that was not acknowledged goes to the next who is there")
    func again() async throws {
        try await withReplicas { first, second in
            _ = try await first.createPromise(id: "p", timeoutAt: .max, tags: Self.tags)
            // Takes it out of the stream and drops it.
            for await delivery in first.deliveries(group: "workers", id: "lost") {
                #expect(delivery.message == .execute(TaskReference(id: "p", version: 0)))
                break
            }
            let messages = Received(second.deliveries(group: "workers", id: "w"))
            try await eventually("delivered") { messages.all.count == 1 }
        }
    }

    @Test("a message that was given to a stream which is never heard of again goes to another after five seconds")
    func unheard() async throws {
        let clock = ManualClock(1_767_225_600_000)
        try await withReplicas(clock: .manual { clock.value }) { first, second in
            _ = try await first.createPromise(id: "p", timeoutAt: .max, tags: [PromiseTag.external: "true"])
            _ = try await first.registerListener(on: "p", address: "poll://uni@workers/w")
            // Nobody reads it, and then there is no such replica: as when it is killed before the message is written.
            let unread = first.deliveries(group: "workers", id: "w")
            _ = try await first.settlePromise(id: "p", state: .resolved)
            try await eventually("it is taken") {
                try await rowCount("message WHERE taken_until > 0", first) == 1
            }
            first.close()
            let messages = Received(second.deliveries(group: "workers", id: "w"))
            clock.value += 4_999
            second.mailroom.lookForMail()
            try await Task.sleep(for: .milliseconds(200))
            #expect(messages.all.isEmpty)
            clock.value += 1
            try await eventually("delivered") { messages.all.count == 1 }
            withExtendedLifetime(unread) {}
        }
    }

    @Test("a store may run, stop and run again")
    func anew() async throws {
        try await withIdleStore { store in
            let messages = Received(store.deliveries(group: "workers", id: "w"))
            for round in 1...3 {
                let running = Task { await store.run() }
                _ = try await store.createPromise(id: "p\(round)", timeoutAt: .max, tags: Self.tags)
                try await eventually("delivered") { messages.all.count == round }
                running.cancel()
                await running.value
            }
        }
    }

    @Test("of two streams of one name the later one gets what comes")
    func newest() async throws {
        try await withReplicas { first, _ in
            let older = Received(first.deliveries(group: "g", id: "same"))
            let newer = Received(first.deliveries(group: "g", id: "same"))
            try await eventually("the older one ends") { older.hasEnded }
            _ = try await first.createPromise(id: "p", timeoutAt: .max, tags: [PromiseTag.target: "poll://uni@g/same"])
            try await eventually("delivered") { newer.all.count == 1 }
            #expect(older.all.isEmpty)
        }
    }

    @Test("a task that suspends is resumed when what it waits for is settled, by whomever")
    func resume() async throws {
        try await withReplicas { first, second in
            let messages = Received(second.deliveries(group: "workers", id: "w"))
            let claim = try await first.createTask(
                id: "r", timeoutAt: .max, tags: Self.tags, processID: "w", ttl: 60_000)
            _ = try await first.fencedCreate(
                task: claim, id: "r:1", timeoutAt: .max, tags: [PromiseTag.external: "true"])
            #expect(try await first.suspendTask(claim.reference, until: ["r:1"]) == nil)
            _ = try await second.settlePromise(id: "r:1", state: .resolved)
            try await eventually("offered") {
                messages.all.contains(.execute(TaskReference(id: "r", version: 1)))
            }
            let again = try await second.acquireTask(id: "r", version: 1, pid: "w", ttl: 60_000)
            #expect(try await second.suspendTask(again.reference, until: ["r:1"]) != nil)
        }
    }
}
