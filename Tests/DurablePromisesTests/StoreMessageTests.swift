import PostgreSQL
import Synchronization
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
            try await eventually("nothing is left to send") { try await count("message", first) == 0 }
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

@Suite("timers of the store")
struct StoreTimerTests {
    @Test("a deadline passes though nobody asks, and a timer's resolves")
    func deadlines() async throws {
        try await withReplicas { first, second in
            let messages = Received(second.deliveries(group: "g", id: "me"))
            let soon = try await first.now() + 200
            _ = try await first.createPromise(id: "late", timeoutAt: soon, tags: [PromiseTag.external: "true"])
            _ = try await first.createPromise(id: "timer", timeoutAt: soon, tags: [PromiseTag.timer: "true"])
            for id in ["late", "timer"] {
                _ = try await first.registerListener(on: id, address: "poll://uni@g/me")
            }
            try await eventually("both end") { messages.all.count == 2 }
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

@Suite("what the store keeps")
struct StoreKeepingTests {
    @Test("families that were settled long ago are removed as a whole, others stay whole")
    func retention() async throws {
        let time = ManualClock(1000)
        try await withReplicas(clock: .manual { time.value }) { store, _ in
            for root in ["done", "open", "young"] {
                let claim = try await store.createTask(
                    id: root, timeoutAt: .max, tags: StoreMessageTests.tags, processID: "w", ttl: 1_000_000)
                _ = try await store.fencedCreate(task: claim, id: "\(root):1", timeoutAt: .max)
                _ = try await store.fencedSettle(task: claim, id: "\(root):1", state: .resolved)
                if root == "done" { _ = try await store.fulfillTask(id: root, version: 1, state: .resolved) }
            }
            time.value = 100_000
            _ = try await store.fulfillTask(id: "young", version: 1, state: .resolved)
            let retention = Retention(store, .seconds(50))
            #expect(try await retention.removeOld(after: "") == nil)
            let left = try await store.searchPromises(PromiseSearch()).promises.map(\.id)
            #expect(left == ["open", "open:1", "young", "young:1"])
            #expect(try await store.getTask(id: "done") == nil)
        }
    }

    @Test("tables of the first version are brought up to date, with what is in them, while somebody uses them")
    func upgrade() async throws {
        try await withTestDatabase { url in
            let pool = try pool(url)
            try await pool.withConnection { connection in
                try await connection.execute(
                    """
                    CREATE SCHEMA sluice;
                    CREATE TABLE sluice.component (name text PRIMARY KEY, version bigint NOT NULL);
                    INSERT INTO sluice.component VALUES ('promises', 1);
                    """)
                for statement in SchemaVersions.all[0] { try await connection.query(statement) }
                try await connection.execute(
                    """
                    INSERT INTO sluice.promise VALUES ('w', 'pending', '{}', '{}',
                        '{"resonate:target": "local://sluice"}', 9223372036854775807, 1, NULL);
                    INSERT INTO sluice.task VALUES ('w', 'acquired', 3, 0, 100, 'old', 5, 'local://sluice', 1);
                    """)
            }
            // A program of the first version holds its row while the tables change.
            try await pool.withConnection { old in
                try await old.query("BEGIN")
                try await old.query("SELECT FROM sluice.task WHERE id = 'w' FOR UPDATE")
                async let installed: Void = PromiseStore(pool: pool, settings: .init()).install()
                try await eventually("the installer waits or tries") {
                    try await pool.withConnection {
                        try await $0.query(
                            "SELECT FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
                        ).affectedRows > 0
                    }
                }
                try await old.query("COMMIT")
                try await installed
            }
            let store = PromiseStore(pool: pool, settings: .init())
            let claim = try await store.createTask(
                id: "w", timeoutAt: .max, tags: StoreMessageTests.tags, processID: "new", ttl: 60_000)
            #expect(claim.version == 4)
            #expect(try await count("timer", store) == 2)
            store.close()
            await pool.close()
        }
    }

    @Test("what one request asks and the database refuses does not fail those that share its transaction")
    func isolation() async throws {
        try await withReplicas { store, _ in
            try await store.pool.withConnection {
                try await $0.execute("ALTER TABLE sluice.promise ADD CHECK (id <> 'bad')")
            }
            let results = await withTaskGroup(of: (Int, Bool).self) { group in
                for number in 0..<50 {
                    group.addTask {
                        let id = number == 25 ? "bad" : "good\(number)"
                        let promise = try? await store.createPromise(id: id, timeoutAt: .max)
                        return (number, promise != nil)
                    }
                }
                return await group.reduce(into: [Int: Bool]()) { $0[$1.0] = $1.1 }
            }
            #expect(results.filter { !$0.value }.map(\.key) == [25])
            #expect(try await store.searchPromises(PromiseSearch()).promises.count == 49)
        }
    }

    @Test("searches page by id, by state and tags as they are now")
    func search() async throws {
        let time = ManualClock(1000)
        try await withReplicas(clock: .manual { time.value }) { store, _ in
            for number in 0..<25 {
                let id = "p\(number + 10)"
                _ = try await store.createPromise(
                    id: id, timeoutAt: number < 5 ? 2000 : .max, tags: ["kind": number % 2 == 0 ? "even" : "odd"])
            }
            time.value = 3000
            var found: [String] = []
            var search = PromiseSearch(state: "pending", tags: ["kind": "even"], limit: 4)
            repeat {
                let page = try await store.searchPromises(search)
                found += page.promises.map(\.id)
                search.cursor = page.cursor
            } while search.cursor != nil
            #expect(found == stride(from: 6, to: 25, by: 2).map { "p\($0 + 10)" })
            let late = try await store.searchPromises(PromiseSearch(state: "rejected_timedout")).promises
            #expect(late.map(\.id) == (10..<15).map { "p\($0)" } && late.allSatisfy { $0.settledAt == 2000 })
            let wrong = try await store.process(Request(.searchPromises(PromiseSearch(limit: 0))))
            #expect(wrong.status == 400)
        }
    }
}

// MARK: What these tests share

/// What came out of a stream, acknowledged.
final class Received: Sendable {
    private let state = Mutex<(messages: [PromiseMessage], hasEnded: Bool)>(([], false))
    private let reading: Mutex<Task<Void, Never>?> = Mutex(nil)

    init(_ stream: AsyncStream<MessageDelivery>) {
        let task = Task { [weak self] in
            for await delivery in stream {
                self?.state.withLock { $0.messages.append(delivery.message) }
                delivery.acknowledge()
            }
            self?.state.withLock { $0.hasEnded = true }
        }
        reading.withLock { $0 = task }
    }

    deinit {
        reading.withLock { $0?.cancel() }
    }

    var all: [PromiseMessage] { state.withLock { $0.messages } }
    var hasEnded: Bool { state.withLock { $0.hasEnded } }
}

private func pool(_ url: String) throws -> PostgresPool {
    PostgresPool(
        try PostgresConfiguration(url: url, origin: .operatorOwned, applicationName: "sluice/test"), maximum: 6)
}

private func count(_ table: String, _ store: PromiseStore) async throws -> Int64 {
    try await store.pool.withConnection {
        try await $0.query("SELECT count(*) AS n FROM sluice.\(table)").row().integer("n")
    }
}

/// Two stores on one database, both running.
private func withReplicas(
    clock: PromiseClock = .database,
    rules: PromiseRules = PromiseRules(),
    _ body: (PromiseStore, PromiseStore) async throws -> Void
) async throws {
    try await withTestDatabase { url in
        let settings = PromiseStore.Settings(clock: clock, rules: rules, sweepInterval: .milliseconds(100))
        let stores = try (0..<2).map { _ in PromiseStore(pool: try pool(url), settings: settings) }
        for store in stores { try await store.install() }
        try await withThrowingTaskGroup(of: Void.self) { group in
            for store in stores { group.addTask { await store.run() } }
            defer { group.cancelAll() }
            try await body(stores[0], stores[1])
        }
        for store in stores {
            store.close()
            await store.pool.close()
        }
    }
}
