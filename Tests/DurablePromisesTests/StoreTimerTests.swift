import PostgreSQL
import Synchronization
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

    // MARK: Timers of which nothing comes

    @Test("a timer that its record does not ask for is removed, however many there are, and the others stay")
    func stale() async throws {
        let time = ManualClock(1000)
        try await withIdleStore(clock: .manual { time.value }) { store in
            for (id, timeout) in [("open", 9000), ("settled", 9000), ("orphan", 9000)] as [(String, Int64)] {
                _ = try await store.createPromise(id: id, timeoutAt: timeout, tags: StoreMessageTests.tags)
            }
            _ = try await store.settlePromise(id: "settled", state: .resolved)
            let schedule = ScheduleCreation(
                id: "hourly", cron: "0 * * * *", promiseId: "{{.timestamp}}", promiseTimeout: 1,
                promiseTags: StoreMessageTests.tags)
            _ = try await store.process(Request(.createSchedule(schedule)))
            try await execute("DELETE FROM sluice.timer; DELETE FROM sluice.promise WHERE id = 'orphan'", store)
            try await execute("UPDATE sluice.task SET due_at = 5 WHERE id = 'orphan'", store)
            try await execute(
                """
                INSERT INTO sluice.timer SELECT 'promise', 'p' || n, 2 FROM generate_series(1, 1500) n;
                INSERT INTO sluice.timer VALUES ('promise', 'open', 1), ('task', 'open', 1), ('promise', 'settled', 1),
                    ('task', 'settled', 1), ('task', 'orphan', 5), ('task', 'absent', 1), ('schedule', 'absent', 1),
                    ('schedule', 'hourly', 1)
                """, store)
            let firing = Task { try await store.fireTimers() }
            try await eventually("all are looked at") { try await rowCount("timer WHERE at <= 1000", store) == 0 }
            try await firing.value
            let left = try await store.pool.withConnection {
                try await $0.query("SELECT kind || ' ' || id || ' ' || at AS t FROM sluice.timer ORDER BY 1").rows
                    .map { try $0.text("t") }
            }
            #expect(left == ["promise open 9000", "schedule hourly 3600000", "task open 6000"])
        }
    }

    @Test("a store that is stopped by a checker looks for nothing that is due, and removes nothing")
    func frozen() async throws {
        let looks = Atomic(0)
        try await withIdleStore(
            clock: .manual {
                looks.add(1, ordering: .relaxed)
                return 5000
            }
        ) { store in
            try await execute("INSERT INTO sluice.timer VALUES ('promise', 'p', 1)", store)
            try await execute(
                "INSERT INTO sluice.message (key, promise, address, channel) VALUES ('k', 'p', 'poll://any@g', 'any@g')",
                store)
            store.freeze(true)
            let running = Task { await store.run() }
            let before = looks.load(ordering: .relaxed)
            try await Task.sleep(for: .milliseconds(500))
            #expect(looks.load(ordering: .relaxed) - before < 5)
            #expect(try await rowCount("timer", store) == 1)
            #expect(try await rowCount("message", store) == 1)
            store.freeze(false)
            try await eventually("it goes on") { try await rowCount("timer", store) == 0 }
            running.cancel()
            await running.value
        }
    }

    @Test("between two looks there is a pause, though something is due")
    func rest() {
        func rest(_ next: Int64) -> Duration { PromiseStore.rest(until: next, from: 1000, atMost: .milliseconds(500)) }
        #expect(
            [0, 1000, 1001, 1400, 2000, .max].map { rest($0) } == [50, 50, 1, 400, 500, 500].map { .milliseconds($0) })
    }

    @Test("a timer that fails, for its record cannot be written or read, is put off and keeps no other from its time")
    func failing() async throws {
        let time = ManualClock(1000)
        try await withIdleStore(clock: .manual { time.value }) { store in
            for number in 0..<32 {
                _ = try await store.createPromise(
                    id: "p\(number)", timeoutAt: 2000, tags: [PromiseTag.external: "true"])
            }
            try await execute(
                "ALTER TABLE sluice.promise ADD CONSTRAINT no CHECK (id <> 'p10' OR state = 'pending')", store)
            try await execute("UPDATE sluice.promise SET tags = '{\"a\": 1}' WHERE id = 'p20'", store)
            time.value = 3000
            try await store.fireTimers()
            #expect(try await rowCount("promise WHERE state = 'rejected_timedout'", store) == 30)
            #expect(try await rowCount("timer WHERE at = 33000", store) == 2)
            try await execute("ALTER TABLE sluice.promise DROP CONSTRAINT no", store)
            try await execute("UPDATE sluice.promise SET tags = '{\"resonate:external\": \"true\"}'", store)
            time.value = 33_000
            try await store.fireTimers()
            #expect(try await rowCount("promise WHERE state = 'rejected_timedout'", store) == 32)
            #expect(try await rowCount("timer", store) == 0)
        }
    }

    @Test("when nothing can be done, no timer is put off for it")
    func away() async throws {
        let time = ManualClock(1000)
        try await withIdleStore(clock: .manual { time.value }) { store in
            _ = try await store.createPromise(id: "p", timeoutAt: 2000, tags: [PromiseTag.external: "true"])
            time.value = 3000
            store.close()
            await #expect(throws: PromiseError.self) { try await store.fireTimers() }
            #expect(try await rowCount("timer WHERE at = 2000", store) == 1)
        }
    }
}
