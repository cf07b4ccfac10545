import Logging
import PostgreSQL
import Synchronization
import TestSupport
import Testing

@testable import DurablePromises

/// Two replicas on one database, many clients, and an order in which all that they saw makes sense.
@Suite("linearizability", .serialized)
struct LinearizabilityTests {
    @Test("two stores answer as one would, though sessions are ended under them", .timeLimit(.minutes(30)))
    func stores() async throws {
        try await withReplicas { stores, pools in
            let load = ConcurrentLoad(
                ask: { client, request in await Self.ask(stores[client % 2], request) },
                clients: 128, width: 32, families: TestServers.isSoak ? 20_000 : 200
            )
            let families = try await withThrowingTaskGroup(of: [Family]?.self) { group in
                group.addTask { await load.run(prefix: "r") }
                group.addTask {
                    try await Self.endSessions(pools[0])
                    return nil
                }
                defer { group.cancelAll() }
                while let families = try await group.next() { if let families { return families } }
                return []
            }
            let report = await HistoryReport.check(families)
            print("linearizability, two stores: \(report)")
            #expect(report.isLinearizable, "\(report.violations.first ?? "") \(report.undecided)")
            #expect(report.operations >= 20_000)
            for status in [200, 300, 404, 409, 422] { #expect(report.statuses[status, default: 0] > 100, "\(status)") }
        }
    }

    @Test("leases and deadlines end at one moment for all, by a clock that is part of the history")
    func clock() async throws {
        let start: Int64 = 1_767_225_600_000
        let clock = ManualClock(start)
        try await withReplicas(clock: .manual { clock.value }) { stores, _ in
            let load = ConcurrentLoad(
                ask: { client, request in await Self.ask(stores[client % 2], request) },
                clients: 16, width: 4, length: 100, families: TestServers.isSoak ? 2000 : 60, seed: 3, ttl: 20,
                // Half of the families come to their end by themselves, some before they begin.
                deadline: { $0 % 2 == 0 ? .max : start + Int64($0) * 8 }
            )
            let times = Times()
            let families = try await withThrowingTaskGroup(of: [Family]?.self) { group in
                group.addTask { await load.run(prefix: "t") }
                group.addTask {
                    while !Task.isCancelled {
                        let time = clock.value + Int64.random(in: 1...9)
                        let called = load.moments.moment()
                        clock.value = time
                        times.add(time, called, load.moments.moment())
                        try? await Task.sleep(for: .milliseconds(20))
                        // What happens without being asked shows in no answer.
                        try await stores[0].fireTimers()
                    }
                    return nil
                }
                defer { group.cancelAll() }
                while let families = try await group.next() { if let families { return families } }
                return []
            }
            let report = await HistoryReport.check(families, times: times.operations, from: start)
            print("linearizability, with a clock set \(times.operations.count) times: \(report)")
            #expect(report.isLinearizable, "\(report.violations.first ?? "") \(report.undecided)")
            let last = families.flatMap(\.operations).compactMap { $0.output?.data.task }
            #expect(last.contains { $0.version > 5 }, "nothing was taken over")
        }
    }

    // MARK: What the tests are about

    /// How the clock was set.
    private final class Times: Sendable {
        private let stored = Mutex<[Family.Operation]>([])

        func add(_ time: Int64, _ called: Int, _ returned: Int) {
            stored.withLock {
                $0.append(.init(client: -1, input: .time(time), output: Family.set, called: called, returned: returned))
            }
        }

        var operations: [Family.Operation] { stored.withLock { $0 } }
    }

    private static func ask(_ store: PromiseStore, _ request: Request) async -> ConcurrentLoad.Outcome {
        do {
            return .answered(try await store.process(request))
        } catch {
            return .unknown
        }
    }

    /// Every now and then ends the sessions of one replica, in whatever they are.
    private static func endSessions(_ pool: PostgresPool) async throws {
        while true {
            do { try await Task.sleep(for: .seconds(1)) } catch { return }
            let sql = """
                SELECT pg_terminate_backend(pid) FROM pg_stat_activity
                WHERE datname = current_database() AND application_name = 'sluice/replica0' AND pid <> pg_backend_pid()
                """
            _ = try? await pool.withConnection { try await $0.query(sql) }
        }
    }

    private func withReplicas(
        clock: PromiseClock = .database,
        _ body: ([PromiseStore], [PostgresPool]) async throws -> Void
    ) async throws {
        try await withTestDatabase { url in
            let pools = try (0..<2).map { replica in
                PostgresPool(
                    try PostgresConfiguration(
                        url: url, origin: .operatorOwned, applicationName: "sluice/replica\(replica)"
                    ),
                    maximum: 4
                )
            }
            var logger = Logger(label: "sluice.promises")
            logger.logLevel = .critical
            let stores = pools.map { PromiseStore(pool: $0, settings: .init(clock: clock), logger: logger) }
            try await stores[0].install()
            try await body(stores, pools)
            for store in stores { store.close() }
            for pool in pools { await pool.close() }
        }
    }
}
