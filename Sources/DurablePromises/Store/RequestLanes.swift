internal import Logging
internal import PostgreSQL

/// Gathers requests that come at the same time into transactions.
///
/// Each lane is a task that runs one transaction after the other, each with all that has come meanwhile; so the more there is
/// to do, the more of it is done at once. The lanes end with this object.
final class RequestLanes: Sendable {
    private let queue: RequestQueue

    /// - Parameter toldSomebody: called when messages were written.
    init(
        pool: PostgresPool,
        settings: PromiseStore.Settings,
        logger: Logger,
        toldSomebody: @escaping @Sendable () -> Void
    ) {
        let transactions = SharedTransactions(pool, settings, logger, toldSomebody)
        queue = RequestQueue(lanes: settings.lanes, batchSize: settings.batchSize) { await transactions.run($0) }
    }

    deinit {
        queue.close()
    }

    /// Has something decided, with others that come at the same time. An event has no answer.
    ///
    /// Throws what the database does. It does not stop when the task is cancelled, for others share the transaction.
    ///
    /// - Parameter time: what time it shall be, in milliseconds since 1970, when it is not the database's.
    func perform(
        _ work: RequestQueue.Work,
        _ partitions: Set<Int64>,
        at time: Int64? = nil
    ) async throws -> Response? {
        let result: Result<Response?, any Error> = await withCheckedContinuation { continuation in
            queue.add([RequestQueue.Item(work, partitions, at: time) { continuation.resume(returning: $0) }])
        }
        return try result.get()
    }

    /// Has several things decided in one transaction, one after the other.
    func perform(_ works: [(work: RequestQueue.Work, partitions: Set<Int64>, time: Int64?)]) async throws -> [Response?]
    {
        let result: Result<[Response?], any Error> = await withCheckedContinuation { continuation in
            let answers = GatheredAnswers(count: works.count) { continuation.resume(returning: $0) }
            queue.add(
                works.enumerated().map { index, work in
                    RequestQueue.Item(work.work, work.partitions, at: work.time) { answers.take($0, at: index) }
                }
            )
        }
        return try result.get()
    }

    /// Ends the lanes when they have done what is waiting. May be repeated.
    func close() {
        queue.close()
    }
}
