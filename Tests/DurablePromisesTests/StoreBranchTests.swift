import PostgreSQL
import TestSupport
import Testing

@testable import DurablePromises

@Suite("branches of executions in the store")
struct StoreBranchTests {
    private static func tags(_ id: String, under root: String, target: Bool = true) -> [String: String] {
        var tags = [PromiseTag.origin: root, PromiseTag.branch: id, PromiseTag.parent: root]
        if target { tags[PromiseTag.target] = "poll://any@nobody" }
        return tags
    }

    private static func removeAll(_ prefix: String, _ store: PromiseStore) async throws {
        try await store.pool.withConnection { connection in
            while try await connection.transaction({
                try await PromiseStore.removeSettledBranches(beginningWith: prefix, on: $0)
            }) {}
        }
    }

    private static func ids(_ store: PromiseStore) async throws -> Set<String> {
        Set(try await store.searchPromises(PromiseSearch(limit: 1000)).promises.map(\.id))
    }

    @Test("are removed when they are settled or late, with all that belongs to them; the root's own steps stay")
    func removal() async throws {
        try await withReplicas { store, _ in
            for root in ["w/1", "w/12"] {
                _ = try await store.createPromise(id: root, timeoutAt: .max, tags: Self.tags(root, under: root))
                let step = [PromiseTag.origin: root, PromiseTag.branch: root, PromiseTag.parent: root]
                _ = try await store.createPromise(id: "\(root):fill", timeoutAt: .max, tags: step)
                _ = try await store.createPromise(id: "\(root):approval", timeoutAt: .max)
                for call in ["fill.0.1", "fill.0.2", "fill2.0.1"] {
                    let id = "\(root):\(call)"
                    _ = try await store.createPromise(id: id, timeoutAt: .max, tags: Self.tags(id, under: root))
                    let inside = [PromiseTag.origin: root, PromiseTag.branch: id, PromiseTag.parent: id]
                    _ = try await store.createPromise(id: "\(id).1", timeoutAt: .max, tags: inside)
                    if call == "fill.0.2" { continue }
                    for done in [id, "\(id).1"] { _ = try await store.settlePromise(id: done, state: .resolved) }
                }
                let late = "\(root):fill.1.1"
                _ = try await store.createPromise(id: late, timeoutAt: 1, tags: Self.tags(late, under: root))
                _ = try await store.settlePromise(id: "\(root):fill", state: .resolved)
                _ = try await store.settlePromise(id: "\(root):approval", state: .resolved)
            }
            let others = try await Self.ids(store).filter { $0.hasPrefix("w/12") }
            let kept: Set = ["w/1", "w/1:approval", "w/1:fill", "w/1:fill.0.2", "w/1:fill.0.2.1"]

            try await Self.removeAll("w/1:fill.", store)
            #expect(try await Self.ids(store) == kept.union(["w/1:fill2.0.1", "w/1:fill2.0.1.1"]).union(others))
            try await Self.removeAll("w/1:", store)
            #expect(try await Self.ids(store) == kept.union(others))
            try await store.pool.withConnection { connection in
                for (table, column) in [("task", "id"), ("timer", "id"), ("message", "promise")] {
                    let rows = try await connection.query(
                        "SELECT DISTINCT \(column) AS id FROM sluice.\(table) WHERE \(column) LIKE 'w/1:%'"
                    ).rows
                    #expect(try rows.map { try $0.text("id") } == ["w/1:fill.0.2"], "\(table)")
                }
            }

            try await store.cancelBranches(beginningWith: "w/1:")
            #expect(try await store.getPromise(id: "w/1:fill.0.2")?.state == .rejectedCanceled)
            #expect(try await store.getPromise(id: "w/1")?.state == .pending)
            try await Self.removeAll("w/1:", store)
            #expect(try await Self.ids(store) == others.union(["w/1", "w/1:approval", "w/1:fill"]))
            await #expect(throws: PromiseError.self) { try await Self.removeAll("", store) }
        }
    }

    @Test("are removed and cancelled however many they are")
    func many() async throws {
        try await withReplicas { store, _ in
            try await withThrowingTaskGroup(of: Void.self) { group in
                for number in 0..<450 {
                    let id = "w:fill.0.\(number)"
                    group.addTask {
                        _ = try await store.createPromise(id: id, timeoutAt: .max, tags: Self.tags(id, under: "w"))
                    }
                }
                try await group.waitForAll()
            }
            try await Self.removeAll("w:", store)
            #expect(try await rowCount("promise", store) == 450)
            try await store.cancelBranches(beginningWith: "w:")
            try await Self.removeAll("w:", store)
            for table in ["promise", "task", "timer", "message"] { #expect(try await rowCount(table, store) == 0) }
        }
    }

    @Test("somebody who is still to be told that one is late is told")
    func late() async throws {
        let time = ManualClock(1000)
        try await withTestDatabase { url in
            let store = PromiseStore(pool: try testPool(url), settings: .init(clock: .manual { time.value }))
            try await store.install()
            let id = "w:fill.0.1"
            _ = try await store.createPromise(id: id, timeoutAt: 2000, tags: Self.tags(id, under: "w"))
            _ = try await store.registerListener(on: id, address: "poll://uni@a/b")
            try await Self.removeAll("w:", store)
            #expect(try await rowCount("promise", store) == 1)
            try await store.fireTimers(at: 3000)
            try await Self.removeAll("w:", store)
            #expect(try await rowCount("promise", store) == 0)
            store.close()
            await store.pool.close()
        }
    }
}
