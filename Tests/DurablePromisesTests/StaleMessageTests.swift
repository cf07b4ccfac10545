import PostgreSQL
import TestSupport
import Testing

@testable import DurablePromises

@Suite("messages that nobody comes for")
struct StaleMessageTests {
    private func keys(_ store: PromiseStore) async throws -> [String] {
        try await store.pool.withConnection {
            try await $0.query("SELECT key FROM sluice.message ORDER BY key").rows.map { try $0.text("key") }
        }
    }

    @Test("are removed when nobody needs them any more, or when they are news of more than a week ago")
    func removal() async throws {
        try await withIdleStore { store in
            for id in ["gone", "halted", "open", "settled", "taken"] {
                _ = try await store.createPromise(id: id, timeoutAt: .max, tags: StoreMessageTests.tags)
            }
            for id in ["forgotten", "old", "young"] {
                _ = try await store.createPromise(id: id, timeoutAt: .max, tags: [PromiseTag.external: "true"])
                _ = try await store.registerListener(on: id, address: "poll://uni@workers/dead")
                _ = try await store.settlePromise(id: id, state: .resolved)
            }
            _ = try await store.acquireTask(id: "taken", version: 0, pid: "w", ttl: 60_000)
            _ = try await store.settlePromise(id: "settled", state: .resolved)
            try await store.haltTask(id: "halted")
            try await execute("DELETE FROM sluice.task WHERE id = 'gone'", store)
            try await execute("DELETE FROM sluice.promise WHERE id IN ('gone', 'forgotten')", store)
            let week = StaleMessages.age
            for (id, age) in [("old", week + 1), ("young", week - 60_000)] {
                try await execute(
                    "UPDATE sluice.message SET written_at = written_at - \(age) WHERE promise = '\(id)'", store)
            }
            #expect(try await keys(store).count == 8)
            #expect(try await StaleMessages(store).remove(after: "") == nil)
            #expect(try await keys(store) == ["execute open", "unblock poll://uni@workers/dead young"])
        }
    }

    @Test("are looked at some at a time, and by a store that runs")
    func slices() async throws {
        try await withIdleStore { store in
            let sql = """
                INSERT INTO sluice.message (key, promise, version, address, channel)
                SELECT 'execute ' || n, 'p' || n, 0, 'poll://any@g', 'any@g' FROM generate_series(10001, 12500) n
                """
            try await execute(sql, store)
            let stale = StaleMessages(store)
            let cursor = try #require(try await stale.remove(after: ""))
            #expect(try await rowCount("message", store) == 1500 && cursor == "execute 11000")
            let running = Task { await store.run() }
            try await eventually("the others go") { try await rowCount("message", store) == 0 }
            running.cancel()
            await running.value
        }
    }

    @Test("stay when somebody wrote them anew, or is at it, after they were found")
    func again() async throws {
        try await withIdleStore { store in
            for id in ["a", "b"] {
                _ = try await store.createPromise(id: id, timeoutAt: .max, tags: StoreMessageTests.tags)
            }
            try await store.haltTask(id: "b")
            try await store.pool.withConnection { writer in
                try await writer.query("BEGIN")
                try await writer.query("SELECT FROM sluice.message WHERE key = 'execute b' FOR UPDATE")
                try await StaleMessages(store).remove(["execute a", "execute b"], writtenBefore: .max)
                try await writer.query("ROLLBACK")
            }
            #expect(try await keys(store) == ["execute a", "execute b"])
        }
    }
}
