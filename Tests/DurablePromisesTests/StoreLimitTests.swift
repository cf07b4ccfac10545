import PostgreSQL
import Synchronization
import TestSupport
import Testing

@testable import DurablePromises

@Suite("limits of the store")
struct StoreLimitTests {
    @Test("ids and addresses of any allowed length are kept, whatever they are of")
    func longKeys() async throws {
        var random = SplitMix(seed: 1)
        // What an index cannot compress.
        func text(_ begin: String, _ count: Int = Identifier.mostBytes) -> String {
            begin
                + (begin.count..<count).reduce(into: "") { text, _ in
                    text.append(Character(Unicode.Scalar(UInt8.random(in: 97...122, using: &random))))
                }
        }
        try await withReplicas { store, other in
            let root = text("", Identifier.mostBytes - 24)
            let (awaiter, awaited) = (root, text(root + ":"))
            _ = try await store.createPromise(
                id: awaiter, timeoutAt: .max, tags: [PromiseTag.target: text("poll://any@")])
            _ = try await store.createPromise(
                id: awaited, timeoutAt: .max, tags: [PromiseTag.target: text("http://")])
            let member = text("poll://uni@" + text("", 100) + "/")
            for request in [
                awaiting(awaited, by: awaiter),
                Request(.registerListener(Listener(awaited: awaited, address: text("http://")))),
                Request(.registerListener(Listener(awaited: awaited, address: member))),
                settling(awaited),
                Request(
                    .createSchedule(
                        ScheduleCreation(
                            id: text(""), cron: "0 0 1 1 *", promiseId: "x", promiseTimeout: 9, promiseTags: targeted)
                    )
                ),
            ] {
                let response = try await store.process(request)
                #expect(response.status == 200, "\(response.error ?? "")")
            }
            let told = try await other.pool.withConnection {
                try await $0.query("SELECT FROM sluice.message WHERE version IS NULL").affectedRows
            }
            #expect(told == 2)
        }
    }

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

    @Test("a heartbeat in which one id cannot be one extends the others")
    func heartbeat() async throws {
        let time = ManualClock(1000)
        try await withReplicas(clock: .manual { time.value }) { store, _ in
            let claim = try await store.createTask(
                id: "p", timeoutAt: .max, tags: targeted, processID: "me", ttl: 100)
            time.value = 1060
            let tasks = ["a\0", "p", "o\u{308}"].map { TaskReference(id: $0, version: claim.version) }
            try await store.heartbeat(pid: "me", tasks: tasks)
            time.value = 1150
            #expect(try await store.getTask(id: "p")?.state == .acquired)
            let suspension = PromiseOperation.suspendTask(claim.reference, actions: [awaiting("p:\0", by: "p")])
            let response = try await store.process(Request(suspension))
            #expect(response.status == 400)
        }
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
