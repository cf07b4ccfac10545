import Synchronization
import TestSupport
import Testing

@testable import DurablePromises

@Suite("limits of the store")
struct StoreLimitTests {
    @Test("a request that names many families has its locks, and shares them with few others", .timeLimit(.minutes(1)))
    func locks() async throws {
        let most = Mutex(0)
        let sizes = Mutex<[Int]>([])
        let queue = RequestQueue(lanes: 1, batchSize: 256) { groups in
            let batch = groups.flatMap { $0 }
            most.withLock { $0 = max($0, Set(batch.flatMap(\.partitions)).count) }
            sizes.withLock { $0.append(batch.count) }
            for item in batch { item.finish(.success(nil)) }
        }
        await withCheckedContinuation { continuation in
            let answers = GatheredAnswers(count: 101) { _ in continuation.resume() }
            for number in 0..<101 {
                let count = number == 50 ? 600 : 100
                let partitions = Set((0..<count).map { Int64(number * 1000 + $0) })
                let item = RequestQueue.Item(.request(Request(.snapshot)), partitions, at: nil) {
                    answers.take($0, at: number)
                }
                queue.add([item])
            }
        }
        queue.close()
        #expect(most.withLock { $0 } == 600, "what alone needs more is alone")
        #expect(sizes.withLock { $0.max() } == 5)
    }

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
