import TestSupport
import Testing

@testable import DurablePromises

@Suite("limits of the store")
struct StoreLimitTests {
    @Test("a page of a search ends by bytes as well, and the next goes on after it")
    func largePages() async throws {
        try await withReplicas { store, _ in
            let large = PromiseValue(data: String(repeating: "x", count: 1 << 20))
            let larger = PromiseValue(data: String(repeating: "x", count: 9 << 20))
            let ids = (10..<30).map { "p\($0)" }
            for id in ids {
                _ = try await store.createPromise(
                    id: id, timeoutAt: .max, param: id == "p12" ? larger : large, tags: targeted)
            }
            var pages: [[String]] = []
            var search = PromiseSearch(limit: 1000)
            repeat {
                let page = try await store.searchPromises(search)
                pages.append(page.promises.map(\.id))
                search.cursor = page.cursor
            } while search.cursor != nil
            #expect(pages.flatMap { $0 } == ids)
            // Two and the large one, then eight whose text has a little more than 8 MB.
            #expect(pages.map(\.count) == [3, 8, 8, 1])
            let tasks = try await store.process(Request(.searchTasks(PromiseSearch()))).get()
            #expect(tasks.tasks?.map(\.id) == ids && tasks.cursor == nil)
        }
    }
}
