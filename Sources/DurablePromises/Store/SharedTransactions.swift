internal import Logging
internal import PostgreSQL

/// Runs what a lane gathered, and answers whoever waits.
struct SharedTransactions: Sendable {
    private let pool: PostgresPool
    private let settings: PromiseStore.Settings
    private let logger: Logger
    private let toldSomebody: @Sendable () -> Void

    init(
        _ pool: PostgresPool,
        _ settings: PromiseStore.Settings,
        _ logger: Logger,
        _ toldSomebody: @escaping @Sendable () -> Void
    ) {
        self.pool = pool
        self.settings = settings
        self.logger = logger
        self.toldSomebody = toldSomebody
    }

    func run(_ batch: RequestQueue.Batch) async {
        let items = batch.flatMap { $0 }
        do {
            let result = try await attempt(items)
            for (item, response) in zip(items, result.responses) { item.finish(.success(response)) }
            if result.toldSomebody { toldSomebody() }
        } catch let error where batch.count > 1 && error.isOfItsRecords {
            // What one of them asked, the server would not take, or is about what cannot be read; the others shall not suffer.
            logger.notice("a shared transaction failed and is done one by one", metadata: ["error": "\(error)"])
            for group in batch { await run([group]) }
        } catch {
            for item in items { item.finish(.failure(error)) }
        }
    }

    /// Somebody who does not know these locks may be at work as well, an older program say: then it is done again, as it is
    /// when a lock was waited for in vain.
    private func attempt(_ items: [RequestQueue.Item]) async throws -> PromiseBatch.Result {
        var attempts = 0
        while true {
            do {
                return try await pool.withConnection { connection in
                    try await PromiseBatch(items, settings).run(on: connection)
                }
            } catch let error as PostgresError where attempts < 10 && error.isWorthAnotherTry {
                attempts += 1
                logger.debug("a shared transaction is done again", metadata: ["error": "\(error.message)"])
            }
        }
    }
}

extension PostgresError {
    /// A record that was made meanwhile, or changed: see ``BatchStatements``.
    fileprivate var isWorthAnotherTry: Bool {
        isLostRace || sqlState == "23505" || sqlState == "22012"
    }
}
