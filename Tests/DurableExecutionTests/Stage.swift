import DurableExecution
import DurablePromises
import Foundation
import Logging
import PostgreSQL
import Synchronization
import TestSupport

/// A real promise store, and what tests need around it.
struct Stage: Sendable {
    let store: PromiseStore
    let clock: MovableClock
    let log: MemoryLog

    var logger: Logger { log.logger }

    var environment: DurableEnvironment {
        DurableEnvironment(
            now: { clock.now },
            sleep: { try await ContinuousClock().sleep(for: $0) },
            random: { 0.5 }
        )
    }

    func worker(
        _ functions: FunctionRegistry,
        on client: (any PromiseClient)? = nil,
        id: String? = nil,
        lease: Duration = .seconds(60),
        concurrency: Int = 64,
        rejects: Bool = false
    ) -> DurableWorker {
        DurableWorker(
            client ?? store,
            functions: functions,
            settings: DurableWorker.Settings(
                group: "test", id: id, concurrency: concurrency, lease: lease, rejectsNonDeterminism: rejects),
            environment: environment,
            logger: logger
        )
    }

    /// Runs `body` while a worker works.
    func working<Value: Sendable>(
        _ functions: FunctionRegistry,
        on client: (any PromiseClient)? = nil,
        lease: Duration = .seconds(60),
        concurrency: Int = 64,
        rejects: Bool = false,
        _ body: (Executions) async throws -> Value
    ) async throws -> Value {
        let worker = worker(functions, on: client, lease: lease, concurrency: concurrency, rejects: rejects)
        return try await whileRunning(worker) { try await body(worker.executions) }
    }

    /// Runs `body` while a worker works, then has it stop, and waits for that.
    func whileRunning<Value: Sendable>(_ worker: DurableWorker, _ body: () async throws -> Value) async throws -> Value
    {
        let running = Task { await worker.run() }
        do {
            let value = try await body()
            running.cancel()
            await running.value
            return value
        } catch {
            running.cancel()
            await running.value
            throw error
        }
    }

    /// All leases end, and every task that nobody holds is offered again.
    func later(_ duration: Duration = .seconds(70)) async throws {
        clock.advance(duration)
        try await store.fireTimers()
    }

    func promises(below id: String) async throws -> [PromiseRecord] {
        var search = PromiseSearch(state: nil, tags: [PromiseTag.origin: id], limit: 1000, cursor: nil)
        var all: [PromiseRecord] = []
        repeat {
            let page = try await store.searchPromises(search)
            all += page.promises
            search.cursor = page.cursor
        } while search.cursor != nil
        return all
    }
}

/// The machine's clock, which a test may put forward.
final class MovableClock: Sendable {
    private let offset = Mutex<Int64>(0)

    var now: Int64 { Int64(Date().timeIntervalSince1970 * 1000) + offset.withLock { $0 } }

    func advance(_ duration: Duration) {
        offset.withLock { $0 += Int64(duration / .milliseconds(1)) }
    }
}

/// Keeps what is logged, so that a test can look at it.
final class MemoryLog: Sendable {
    private let lines = Mutex<[String]>([])

    var text: String { lines.withLock { $0.joined(separator: "\n") } }

    var logger: Logger { Logger(label: "test") { _ in Handler(log: self) } }

    private struct Handler: LogHandler {
        let log: MemoryLog
        var metadata: Logger.Metadata = [:]
        var logLevel: Logger.Level = .debug

        init(log: MemoryLog) { self.log = log }

        subscript(metadataKey key: String) -> Logger.Metadata.Value? {
            get { metadata[key] }
            set { metadata[key] = newValue }
        }

        func log(event: LogEvent) {
            let all = metadata.merging(event.metadata ?? [:]) { $1 }
            log.lines.withLock { $0.append("\(event.level) \(event.message) \(all)") }
        }
    }
}

func withStage<Value: Sendable>(_ body: (Stage) async throws -> Value) async throws -> Value {
    try await withTestDatabase { url in
        let configuration = try PostgresConfiguration(
            url: url, origin: .operatorOwned, applicationName: "sluice/test")
        let pool = PostgresPool(configuration, maximum: 6)
        let clock = MovableClock()
        let log = MemoryLog()
        let store = PromiseStore(
            pool: pool,
            settings: PromiseStore.Settings(clock: .manual { clock.now }, sweepInterval: .milliseconds(50)),
            logger: log.logger
        )
        try await store.install()
        let running = Task { await store.run() }
        let result: Result<Value, any Error>
        do {
            result = .success(try await body(Stage(store: store, clock: clock, log: log)))
        } catch {
            result = .failure(error)
            print(log.text)
        }
        running.cancel()
        await running.value
        store.close()
        await pool.close()
        return try result.get()
    }
}

/// Counts what really was done, by name.
final class Deeds: Sendable {
    private let counts = Mutex<[String: Int]>([:])

    @discardableResult
    func note(_ name: String) -> Int {
        counts.withLock { counts in
            counts[name, default: 0] += 1
            return counts[name] ?? 0
        }
    }

    subscript(name: String) -> Int { counts.withLock { $0[name] ?? 0 } }
    var all: [String: Int] { counts.withLock { $0 } }
}
