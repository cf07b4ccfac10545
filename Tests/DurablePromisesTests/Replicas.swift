import PostgreSQL
import Synchronization
import TestSupport

@testable import DurablePromises

/// What came out of a stream, acknowledged.
final class Received: Sendable {
    private let state = Mutex<(messages: [PromiseMessage], hasEnded: Bool)>(([], false))
    private let reading: Mutex<Task<Void, Never>?> = Mutex(nil)

    init(_ stream: AsyncStream<MessageDelivery>) {
        let task = Task { [weak self] in
            for await delivery in stream {
                self?.state.withLock { $0.messages.append(delivery.message) }
                delivery.acknowledge()
            }
            self?.state.withLock { $0.hasEnded = true }
        }
        reading.withLock { $0 = task }
    }

    deinit {
        reading.withLock { $0?.cancel() }
    }

    var all: [PromiseMessage] { state.withLock { $0.messages } }
    var hasEnded: Bool { state.withLock { $0.hasEnded } }
}

func testPool(_ url: String) throws -> PostgresPool {
    PostgresPool(
        try PostgresConfiguration(url: url, origin: .operatorOwned, applicationName: "sluice/test"), maximum: 6)
}

func rowCount(_ table: String, _ store: PromiseStore) async throws -> Int64 {
    try await store.pool.withConnection {
        try await $0.query("SELECT count(*) AS n FROM sluice.\(table)").row().integer("n")
    }
}

/// A store that does not run, unless the test lets it.
func withIdleStore(
    clock: PromiseClock = .database,
    _ body: (PromiseStore) async throws -> Void
) async throws {
    try await withTestDatabase { url in
        let settings = PromiseStore.Settings(clock: clock, sweepInterval: .milliseconds(100))
        let store = PromiseStore(pool: try testPool(url), settings: settings)
        try await store.install()
        try await body(store)
        store.close()
        await store.pool.close()
    }
}

/// Does as SQL what no request does.
func execute(_ sql: String, _ store: PromiseStore) async throws {
    try await store.pool.withConnection { try await $0.execute(sql) }
}

/// Two stores on one database, both running.
func withReplicas(
    clock: PromiseClock = .database,
    rules: PromiseRules = PromiseRules(),
    webhook: (any MessageWebhook)? = nil,
    _ body: (PromiseStore, PromiseStore) async throws -> Void
) async throws {
    try await withTestDatabase { url in
        let settings = PromiseStore.Settings(
            clock: clock, rules: rules, sweepInterval: .milliseconds(100), webhook: webhook)
        let stores = try (0..<2).map { _ in PromiseStore(pool: try testPool(url), settings: settings) }
        for store in stores { try await store.install() }
        try await withThrowingTaskGroup(of: Void.self) { group in
            for store in stores { group.addTask { await store.run() } }
            defer { group.cancelAll() }
            try await body(stores[0], stores[1])
        }
        for store in stores {
            store.close()
            await store.pool.close()
        }
    }
}
