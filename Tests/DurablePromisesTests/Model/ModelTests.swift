import Logging
import PostgreSQL
import Synchronization
import TestSupport
import Testing

@testable import DurablePromises

/// Random histories, through the model and through the store: every answer and in the end every row is the same.
@Suite("the store and its model")
struct ModelTests {
    /// 1 January 2026, 00:00 UTC.
    private static let newYear: Int64 = 1_767_225_600_000

    private static let seeds: Range<UInt64> = 0..<(TestServers.isSoak ? 100 : 6)
    private static let steps = TestServers.isSoak ? 1000 : 400

    @Test("answer alike, and keep the same", arguments: [false, true])
    func alike(isStrict: Bool) async throws {
        var counts: [Int: Int] = [:]
        try await withTestDatabase { url in
            let configuration = try PostgresConfiguration(
                url: url, origin: .operatorOwned, applicationName: "sluice/test")
            let pool = PostgresPool(configuration, maximum: 5)
            let clock = ManualClock(Self.newYear)
            let rules = PromiseRules(isStrict: isStrict, retryInterval: 500, maximumBackoff: 3000)
            let store = PromiseStore(pool: pool, clock: .manual { clock.value }, rules: rules)
            try await store.install()
            for seed in Self.seeds {
                let history = History(seed: seed &* 2 &+ (isStrict ? 1 : 0), store, pool, clock, rules)
                counts.merge(try await history.run(steps: Self.steps)) { $0 + $1 }
            }
            store.close()
            await pool.close()
        }
        print("model: \(counts.values.reduce(0, +)) requests; by status: \(counts.sorted { $0.key < $1.key })")
        // A test in which nothing succeeds would see no difference either.
        for status in [200, 300, 400, 404, 409, 422] {
            #expect(counts[status, default: 0] > (status == 300 ? 0 : 20), "\(status)")
        }
    }

    @Test("keep what one transaction deletes and makes again, and what it makes and takes, as several would")
    func together() async throws {
        try await withTestDatabase { url in
            let configuration = try PostgresConfiguration(
                url: url, origin: .operatorOwned, applicationName: "sluice/test")
            let pool = PostgresPool(configuration, maximum: 5)
            let store = PromiseStore(pool: pool, clock: .manual { Self.newYear })
            try await store.install()
            var model = ModelPromises(now: Self.newYear)
            let branch = [PromiseTag.branch: "a"]
            let requests = [
                [creating("a:1", branch)],
                [
                    creating("a:2", branch.merging(targeted) { $1 }),
                    Request(.acquireTask(TaskReference(id: "a:2", version: 0), pid: "me", ttl: 9)),
                ],
                [schedule("x", cron: "* * * * *")],
                [Request(.deleteSchedule(id: "s")), schedule("y", cron: "0 * * * *")],
                [
                    Request(.deleteSchedule(id: "s")), schedule("z", cron: "0 0 * * *"),
                    Request(.deleteSchedule(id: "s")),
                ],
                [schedule("x", cron: "* * * * *"), Request(.deleteSchedule(id: "s")), Request(.getSchedule(id: "s"))],
                [
                    Request(.registerCallback(Callback(awaited: "a:3", awaiter: "a:2"))), creating("a:3", external),
                    Request(.registerCallback(Callback(awaited: "a:3", awaiter: "a:2"))), settling("a:3"),
                ],
            ]
            for requests in requests {
                let expected = model.answer(requests)
                #expect(try await store.process(requests) == expected)
                #expect(try await StoredRows(pool).difference(from: StoredRows(model)) == nil)
            }
            store.close()
            await pool.close()
        }
    }

    private func schedule(_ promiseId: String, cron: String) -> Request {
        Request(
            .createSchedule(
                ScheduleCreation(id: "s", cron: cron, promiseId: promiseId, promiseTimeout: 9, promiseTags: targeted)
            )
        )
    }

    /// One history, from an empty store.
    private struct History {
        let seed: UInt64
        let store: PromiseStore
        let pool: PostgresPool
        let clock: ManualClock
        let rules: PromiseRules

        init(seed: UInt64, _ store: PromiseStore, _ pool: PostgresPool, _ clock: ManualClock, _ rules: PromiseRules) {
            self.seed = seed
            self.store = store
            self.pool = pool
            self.clock = clock
            self.rules = rules
        }

        /// How often each status was answered.
        func run(steps: Int) async throws -> [Int: Int] {
            try await pool.withConnection { connection in
                try await connection.execute(
                    """
                    TRUNCATE sluice.promise, sluice.task, sluice.callback, sluice.listener, sluice.schedule, sluice.timer,
                        sluice.message
                    """
                )
            }
            clock.value = ModelTests.newYear
            var model = ModelPromises(now: clock.value, rules: rules)
            var random = RandomRequests(seed: seed)
            var counts: [Int: Int] = [:]
            for step in 0..<steps {
                model.now += random.pause()
                clock.value = model.now
                if random.chance(8) {
                    try await store.fireTimers()
                    model.fireTimers()
                }
                let requests = (0..<(random.chance(6) ? 3 : 1)).map { _ in random.request(model) }
                let expected = model.answer(requests)
                let answers =
                    requests.count == 1 ? [try await store.process(requests[0])] : try await store.process(requests)
                for (answer, wanted) in zip(answers, expected) {
                    counts[answer.status, default: 0] += wanted == answer ? 1 : 0
                }
                guard answers == expected else {
                    Issue.record(
                        """
                        seed \(seed), step \(step), time \(model.now - ModelTests.newYear)
                        asked    \(requests.map { String(decoding: $0.json, as: UTF8.self) })
                        expected \(expected.map { String(decoding: $0.json, as: UTF8.self) })
                        answered \(answers.map { String(decoding: $0.json, as: UTF8.self) })
                        """
                    )
                    return counts
                }
                if step % 50 == 49 || step == steps - 1, try await !isAlike(model, step) { return counts }
            }
            return counts
        }

        /// Whether the rows are those of the model.
        private func isAlike(_ model: ModelPromises, _ step: Int) async throws -> Bool {
            let stored = try await StoredRows(pool)
            guard let difference = stored.difference(from: StoredRows(model)) else { return true }
            Issue.record("seed \(seed), by step \(step), time \(model.now - ModelTests.newYear)\n\(difference)")
            return false
        }
    }
}
