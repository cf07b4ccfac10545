import PostgreSQL
import TestSupport
import Testing

@testable import DurablePromises

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
            let pool = try testPool(url)
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
            #expect(try await rowCount("timer", store) == 2)
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
