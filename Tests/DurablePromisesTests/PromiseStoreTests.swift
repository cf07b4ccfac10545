import PostgreSQL
import Synchronization
import TestSupport
import Testing

@testable import DurablePromises

@Suite("the promise store")
struct PromiseStoreTests {
    static let tags = [PromiseTag.target: "poll://any@workers"]

    @Test("keeps what it is given, and create is idempotent by id")
    func create() async throws {
        try await withStore { store, _ in
            let param = PromiseValue(headers: ["k": "v"], data: "ünï \"q\" \\ 𝒳")
            let first = try await store.createPromise(id: "a:1", timeoutAt: .max, param: param, tags: ["x": "y"])
            #expect(first.param == param && first.tags == ["x": "y"] && first.state == .pending)
            #expect(try await store.createPromise(id: "a:1", timeoutAt: 1) == first)
            #expect(try await store.getPromise(id: "a:1") == first)
            #expect(try await store.getPromise(id: "absent") == nil)
            let settled = try await store.settlePromise(id: "a:1", state: .resolved, value: PromiseValue(data: "1"))
            #expect(settled?.state == .resolved && settled?.value.data == "1")
            #expect(try await store.settlePromise(id: "a:1", state: .rejected) == settled)
            #expect(try await store.settlePromise(id: "absent", state: .rejected) == nil)
        }
    }

    @Test("of workers that race for one task, exactly one wins")
    func race() async throws {
        try await withStore { _, pool in
            for round in 0..<10 {
                let wins = try await withThrowingTaskGroup(of: Bool.self) { group in
                    for worker in 0..<4 {
                        let store = PromiseStore(pool: pool, settings: .init(lanes: 1))
                        group.addTask {
                            do {
                                let claim = try await store.createTask(
                                    id: "task-\(round)", timeoutAt: .max, tags: Self.tags, processID: "w\(worker)",
                                    ttl: 60_000)
                                return claim.version == 1
                            } catch let error as PromiseError where error.code == .conflict {
                                return false
                            }
                        }
                    }
                    return try await group.reduce(into: [Bool]()) { $0.append($1) }
                }
                #expect(wins.count { $0 } == 1)
            }
        }
    }

    @Test("of stores that ask for one version of a task at the same moment, exactly one gets it")
    func acquire() async throws {
        try await withStore { store, pool in
            let other = PromiseStore(pool: pool, settings: .init(lanes: 1))
            _ = try await store.createPromise(id: "p", timeoutAt: .max, tags: Self.tags)
            let (first, second) = try await pool.withConnection { blocker in
                // Both are made to wait for the same lock, so that neither is done before the other begins.
                let workers = try await blocker.transaction { blocker in
                    _ = try await blocker.query(
                        BatchStatements.lock([Partition.ofPromise("p")]).sql,
                        [.textArray(["\(Partition.ofPromise("p"))"])])
                    let workers = [("a", store), ("b", other)].map { name, store in
                        Task { try await store.acquireTask(id: "p", version: 0, pid: name, ttl: 60_000) }
                    }
                    try await eventually("both wait") {
                        // Not in the blocker's transaction, which would see the same picture again and again.
                        try await pool.withConnection { observer in
                            try await observer.query(
                                """
                                SELECT FROM pg_stat_activity WHERE datname = current_database()
                                    AND wait_event_type = 'Lock'
                                """
                            ).affectedRows == 2
                        }
                    }
                    return workers
                }
                return (await workers[0].result, await workers[1].result)
            }
            let claims = [first, second].compactMap { try? $0.get() }
            #expect(claims.map(\.version) == [1])
            #expect(try await store.getTask(id: "p")?.pid == claims.first?.task.pid)
            other.close()
        }
    }

    @Test("lets a lease that has ended be taken over at version + 1; the old worker's steps are refused")
    func takeover() async throws {
        let time = ManualClock(1000)
        try await withStore(clock: .manual { time.value }) { store, _ in
            let old = try await store.createTask(
                id: "p", timeoutAt: .max, tags: Self.tags, processID: "old", ttl: 100)
            _ = try await store.fencedCreate(task: old, id: "p:1", timeoutAt: .max)
            time.value = 1060
            try await store.heartbeat(pid: "old", tasks: [old.reference])
            time.value = 1159
            await conflict { try await store.acquireTask(id: "p", version: 1, pid: "new", ttl: 100) }
            _ = try await store.fencedSettle(task: old, id: "p:1", state: .resolved)
            time.value = 1160
            let new = try await store.createTask(
                id: "p", timeoutAt: .max, tags: Self.tags, processID: "new", ttl: 100)
            #expect(new.version == 2)
            await conflict { try await store.fencedCreate(task: old, id: "p:2", timeoutAt: .max) }
            await conflict { try await store.fulfillTask(id: "p", version: old.version, state: .resolved) }
            await conflict { try await store.releaseTask(id: "p", version: old.version) }
            #expect(try await store.getPromise(id: "p:2") == nil)
            #expect(try await store.getPromise(id: "p:1")?.state == .resolved)
            let end = try await store.fulfillTask(id: "p", version: new.version, state: .resolved)
            #expect(end.state == .resolved)
            let again = try await store.createTask(
                id: "p", timeoutAt: .max, tags: Self.tags, processID: "new", ttl: 100)
            #expect(again.isFulfilled && again.promise == end)
        }
    }

    @Test("takes the time from the database when it is given none")
    func databaseClock() async throws {
        try await withStore { store, pool in
            let claim = try await store.createTask(
                id: "p", timeoutAt: .max, tags: Self.tags, processID: "old", ttl: 1)
            // The server's clock goes on by more than the lease, without a wait on this side.
            try await pool.withConnection { try await $0.query("SELECT pg_sleep(0.01)") }
            await conflict { try await store.releaseTask(id: "p", version: claim.version) }
            let next = try await store.acquireTask(id: "p", version: 1, pid: "new", ttl: 60_000)
            #expect(next.version == 2)
        }
    }

    @Test("writes all of a request or nothing, when the connection is lost in the middle")
    func atomic() async throws {
        try await withStore { store, pool in
            // The promise is written before its task, whose writing ends the session.
            try await pool.withConnection {
                try await $0.execute(
                    """
                    CREATE FUNCTION die() RETURNS trigger LANGUAGE plpgsql AS
                        $$ BEGIN PERFORM pg_terminate_backend(pg_backend_pid()); PERFORM pg_sleep(60); END $$;
                    CREATE TRIGGER die BEFORE INSERT ON sluice.task FOR EACH ROW EXECUTE FUNCTION die()
                    """)
            }
            do {
                _ = try await store.createTask(
                    id: "p", timeoutAt: .max, tags: Self.tags, processID: "w", ttl: 60_000)
                Issue.record("the session was to end")
            } catch let error as PostgresError {
                #expect(error.code == .connection && error.isTransient)
            }
            #expect(try await store.getPromise(id: "p") == nil)
            try await pool.withConnection { try await $0.execute("DROP TRIGGER die ON sluice.task") }
            let claim = try await store.createTask(
                id: "p", timeoutAt: .max, tags: Self.tags, processID: "w", ttl: 60_000)
            #expect(claim.version == 1)
        }
    }

    @Test("is installed by many at once, again and again, and not over a newer one")
    func install() async throws {
        try await withTestDatabase { url in
            let pool = try pool(url)
            try await withThrowingTaskGroup(of: Void.self) { group in
                for _ in 0..<6 { group.addTask { try await PromiseStore(pool: pool).install() } }
                try await group.waitForAll()
            }
            let store = PromiseStore(pool: pool, settings: .init(lanes: 1))
            _ = try await store.createPromise(id: "a", timeoutAt: .max)
            try await store.install()
            #expect(try await store.getPromise(id: "a") != nil)
            try await pool.withConnection { try await $0.execute("UPDATE sluice.component SET version = 99") }
            await #expect(throws: PromiseError.self) { try await store.install() }
            await pool.close()
        }
    }

    // MARK: What the tests are about

    private func conflict<Value>(_ body: () async throws -> Value) async {
        do {
            _ = try await body()
            Issue.record("there was no conflict")
        } catch {
            #expect((error as? PromiseError)?.code == .conflict, "\(error)")
        }
    }

    private func pool(_ url: String) throws -> PostgresPool {
        let configuration = try PostgresConfiguration(
            url: url, origin: .operatorOwned, applicationName: "sluice/test")
        return PostgresPool(configuration, maximum: 5)
    }

    private func withStore(
        clock: PromiseClock = .database, _ body: (PromiseStore, PostgresPool) async throws -> Void
    ) async throws {
        try await withTestDatabase { url in
            let pool = try pool(url)
            let store = PromiseStore(pool: pool, clock: clock)
            try await store.install()
            try await body(store, pool)
            store.close()
            await pool.close()
        }
    }
}

/// A test's clock.
final class ManualClock: Sendable {
    private let stored: Mutex<Int64>

    init(_ value: Int64) {
        stored = Mutex(value)
    }

    var value: Int64 {
        get { stored.withLock { $0 } }
        set { stored.withLock { $0 = newValue } }
    }
}
