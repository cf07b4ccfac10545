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

    private static let mostRepetitions = 10

    /// It is about the records: those of others in the same transaction shall not suffer.
    private static let otherRows = PromiseError(
        .incompatible,
        "the rows to be changed were not as they had been read, \(mostRepetitions + 1) times in a row: another program writes "
            + "the tables of the schema sluice, or a trigger on them keeps rows from being changed"
    )

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
            } catch let error as PostgresError where error.isWorthAnotherTry {
                guard attempts < Self.mostRepetitions else { throw error.isOfOtherRows ? Self.otherRows : error }
                attempts += 1
                logger.debug("a shared transaction is done again", metadata: ["error": "\(error.message)"])
            }
        }
    }
}

extension PostgresError {
    /// A record that was made meanwhile, or changed: see ``BatchStatements``.
    fileprivate var isWorthAnotherTry: Bool {
        isLostRace || sqlState == "23505" || isOfOtherRows
    }

    /// What a write that counts its rows fails as.
    fileprivate var isOfOtherRows: Bool { sqlState == "22012" }
}
