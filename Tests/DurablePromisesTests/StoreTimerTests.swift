import TestSupport
import Testing

@testable import DurablePromises

@Suite("timers of the store")
struct StoreTimerTests {
    @Test("a deadline passes though nobody asks, and a timer's resolves")
    func deadlines() async throws {
        let time = ManualClock(1000)
        try await withReplicas(clock: .manual { time.value }) { first, second in
            let messages = Received(second.deliveries(group: "g", id: "me"))
            let soon: Int64 = 2000
            _ = try await first.createPromise(id: "late", timeoutAt: soon, tags: [PromiseTag.external: "true"])
            _ = try await first.createPromise(id: "timer", timeoutAt: soon, tags: [PromiseTag.timer: "true"])
            for id in ["late", "timer"] {
                _ = try await first.registerListener(on: id, address: "poll://uni@g/me")
            }
            time.value = soon
            try await eventually("both end") { messages.all.count >= 2 }
            let states = messages.all.compactMap { message -> String? in
                guard case .unblock(let promise) = message else { return nil }
                return "\(promise.id) \(promise.state) \(promise.settledAt == soon)"
            }
            #expect(states.sorted() == ["late rejectedTimedout true", "timer resolved true"])
        }
    }

    @Test("a lease that is not kept ends, and the task is offered at the same version")
    func lease() async throws {
        try await withReplicas { first, second in
            let messages = Received(second.deliveries(group: "workers", id: "w"))
            _ = try await first.createTask(
                id: "p", timeoutAt: .max, tags: StoreMessageTests.tags, processID: "dead", ttl: 200)
            try await eventually("offered") {
                messages.all.contains(.execute(TaskReference(id: "p", version: 1)))
            }
        }
    }

    @Test("a schedule makes one promise each time, however many replicas look")
    func schedule() async throws {
        try await withReplicas { first, second in
            let creation = ScheduleCreation(
                id: "every", cron: "* * * * * *", promiseId: "{{.id}}-{{.timestamp}}", promiseTimeout: 60_000,
                promiseTags: StoreMessageTests.tags)
            let created = try await first.process(Request(.createSchedule(creation)))
            #expect(created.status == 200)
            try await eventually("three promises") {
                try await second.searchPromises(PromiseSearch(tags: [PromiseTag.schedule: "every"])).promises.count >= 3
            }
            #expect(try await second.process(Request(.deleteSchedule(id: "every"))).status == 200)
            let made = try await first.searchPromises(PromiseSearch(tags: [PromiseTag.schedule: "every"])).promises
            #expect(Set(made.map(\.createdAt).map { $0 / 1000 }).count == made.count)
            #expect(made.allSatisfy { $0.tags[PromiseTag.origin] == $0.id && $0.state == .pending })
        }
    }
}
