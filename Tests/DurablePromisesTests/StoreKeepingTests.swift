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
            // Its worker died in this step, and somebody settled the root: nobody looks at the step again.
            let left = try await store.createTask(
                id: "left", timeoutAt: .max, tags: StoreMessageTests.tags, processID: "w", ttl: 1_000_000)
            _ = try await store.fencedCreate(task: left, id: "left:1", timeoutAt: 5000)
            _ = try await store.settlePromise(id: "left", state: .rejectedCanceled)
            // A point in a name makes no family.
            for root in ["order.1", "order.2"] {
                _ = try await store.createPromise(id: root, timeoutAt: .max)
                _ = try await store.createPromise(id: root + ":1", timeoutAt: .max, tags: [PromiseTag.origin: root])
                _ = try await store.settlePromise(id: root + ":1", state: .resolved)
            }
            _ = try await store.settlePromise(id: "order.1", state: .resolved)
            time.value = 100_000
            _ = try await store.fulfillTask(id: "young", version: 1, state: .resolved)
            let retention = Retention(store, .seconds(50))
            #expect(try await retention.removeOld(after: "") == nil)
            let remaining = try await store.searchPromises(PromiseSearch()).promises.map(\.id)
            #expect(remaining == ["open", "open:1", "order.2", "order.2:1", "young", "young:1"])
            #expect(try await store.getTask(id: "done") == nil)
            #expect(try await rowCount("task", store) == 2)
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

    @Test("requests that came together are done together, also when the database refuses one of them")
    func together() async throws {
        try await withReplicas { store, _ in
            try await store.pool.withConnection {
                try await $0.execute("ALTER TABLE sluice.promise ADD CHECK (id <> 'bad')")
            }
            let requests = ["bad", "good"].map {
                Request(.createPromise(PromiseCreation(id: $0, timeoutAt: .max)))
            }
            await #expect(throws: PostgresError.self) { _ = try await store.process(requests) }
            #expect(try await store.getPromise(id: "good") == nil)
            // And in one transaction with somebody else's.
            let other = Request(.createPromise(PromiseCreation(id: "other", timeoutAt: .max)))
            let batch = [requests, [other]].map { group in
                group.map { RequestQueue.Item(.request($0), $0.operation.partitions ?? [], at: nil) { _ in } }
            }
            await SharedTransactions(store.pool, store.settings, store.logger) {}.run(batch)
            #expect(try await store.getPromise(id: "good") == nil)
            #expect(try await store.getPromise(id: "other") != nil)
        }
    }

    @Test("a record that somebody changed who knows no lock is seen before anything is written")
    func unlocked() async throws {
        try await withReplicas { store, _ in
            _ = try await store.createPromise(id: "t", timeoutAt: .max, tags: StoreMessageTests.tags)
            _ = try await store.createPromise(id: "p", timeoutAt: .max)
            // The first time it is as if the promise were settled already.
            try await store.pool.withConnection {
                try await $0.execute(
                    """
                    CREATE SEQUENCE tries;
                    CREATE FUNCTION once() RETURNS trigger LANGUAGE plpgsql AS
                        $$ BEGIN IF nextval('tries') = 1 THEN RETURN NULL; END IF; RETURN NEW; END $$;
                    CREATE TRIGGER once BEFORE UPDATE ON sluice.promise FOR EACH ROW WHEN (OLD.id = 'p')
                        EXECUTE FUNCTION once();
                    """)
            }
            let task = TaskReference(id: "t", version: 0)
            let responses = try await store.process([
                Request(.acquireTask(task, pid: "w", ttl: 60_000)),
                Request(.settlePromise(PromiseSettlement(id: "p", state: .resolved))),
            ])
            #expect(responses.map(\.status) == [200, 200])
            #expect(try await store.getPromise(id: "p")?.state == .resolved)
        }
    }

    @Test("rows that are kept from being changed are told as such, and others of the transaction do not suffer")
    func kept() async throws {
        try await withReplicas { store, _ in
            for id in ["p", "q"] { _ = try await store.createPromise(id: id, timeoutAt: .max) }
            try await store.pool.withConnection {
                try await $0.execute(
                    """
                    CREATE FUNCTION never() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NULL; END $$;
                    CREATE TRIGGER never BEFORE UPDATE ON sluice.promise FOR EACH ROW WHEN (OLD.id = 'p')
                        EXECUTE FUNCTION never();
                    """)
            }
            let error = await #expect(throws: (any Error).self) {
                try await store.settlePromise(id: "p", state: .resolved)
            }
            let words = error.map { "\($0)" } ?? ""
            #expect(
                words.hasPrefix("the rows to be changed were not as they had been read, 11 times in a row"), "\(words)")
            let batch = ["p", "q"].map { id in
                [Request(.settlePromise(PromiseSettlement(id: id, state: .resolved)))].map {
                    RequestQueue.Item(.request($0), $0.operation.partitions ?? [], at: nil) { _ in }
                }
            }
            await SharedTransactions(store.pool, store.settings, store.logger) {}.run(batch)
            #expect(try await store.getPromise(id: "p")?.state == .pending)
            #expect(try await store.getPromise(id: "q")?.state == .resolved)
        }
    }

    @Test("what a program that knows no lock settles meanwhile stays as it is")
    func older() async throws {
        try await withReplicas { store, _ in
            _ = try await store.createPromise(id: "p", timeoutAt: .max)
            try await store.pool.withConnection { old in
                try await old.query("BEGIN")
                try await old.query(
                    """
                    UPDATE sluice.promise SET state = 'resolved', value = '{"data": "old"}', settled_at = 1 WHERE id = 'p'
                    """)
                async let settled = store.settlePromise(id: "p", state: .rejected)
                try await eventually("the store waits for the row") {
                    try await store.pool.withConnection {
                        try await $0.query(
                            "SELECT FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
                        ).affectedRows > 0
                    }
                }
                try await old.query("COMMIT")
                #expect(try await settled?.value.data == "old")
            }
            #expect(try await store.getPromise(id: "p")?.state == .resolved)
        }
    }

    @Test(
        "a process that is frozen between reading and writing keeps nobody else out for long", .timeLimit(.minutes(2)))
    func frozen() async throws {
        try await withReplicas { store, _ in
            try await store.pool.withConnection { frozen in
                let lock = BatchStatements.lock([Partition.ofPromise("p")])
                for outcome in try await frozen.pipeline([BatchStatements.begin, lock]) { _ = try outcome.get() }
                let began = ContinuousClock.now
                _ = try await store.createPromise(id: "p", timeoutAt: .max)
                #expect(ContinuousClock.now - began < .seconds(30))
                await #expect(throws: PostgresError.self) { try await frozen.query("COMMIT") }
            }
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
