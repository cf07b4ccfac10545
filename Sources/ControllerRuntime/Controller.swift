public import Logging
public import Prometheus
internal import Synchronization

/// What a reconcile asks for when it is through.
public enum ReconcileResult: Equatable, Sendable {
    case done
    /// Look at the key again after this time, changed or not.
    case requeue(after: Duration)
}

/// An error that a repetition cannot mend: the key is not tried again until something changes.
public struct TerminalError: Error, CustomStringConvertible {
    public let underlying: any Error

    public init(_ underlying: any Error) {
        self.underlying = underlying
    }

    public var description: String { "\(underlying)" }
}

/// Workers that take keys from a queue and reconcile them, one worker for a key at a time.
public final class Controller<Key: Hashable & Sendable>: Sendable {
    public typealias Reconcile = @Sendable (Key) async throws -> ReconcileResult

    public let queue: WorkQueue<Key>
    private let name: String
    private let workers: Int
    private let patience: Duration
    private let random: RandomSource
    private let metrics: ControllerMetrics.Series
    private let logger: Logger
    private let metadata: @Sendable (Key) -> Logger.Metadata
    private let reconcile: Reconcile
    private let heartbeat = Mutex(Heartbeat())

    /// - Parameters:
    ///   - name: for the log and the metrics.
    ///   - patience: for how long all workers may be busy, none coming to an end, before the loop counts as stuck.
    ///   - metrics: where it counts; by default nobody reads them.
    ///   - metadata: goes with each line of the log about a key.
    ///   - reconcile: called with a key whose object may be gone by now. It may be called again at any time.
    public init(
        name: String, workers: Int = 4, queue: WorkQueue<Key> = WorkQueue(), patience: Duration = .seconds(600),
        random: RandomSource = .system, metrics: ControllerMetrics = ControllerMetrics(MetricsRegistry()),
        logger: Logger, metadata: @escaping @Sendable (Key) -> Logger.Metadata = { _ in [:] },
        reconcile: @escaping Reconcile
    ) {
        self.name = name
        self.workers = workers
        self.queue = queue
        self.patience = patience
        self.random = random
        self.metrics = metrics.series(of: name)
        self.logger = logger
        self.metadata = metadata
        self.reconcile = reconcile
    }

    /// False while the loop is stuck: every worker has a key, or keys wait that none may take, and none has come to an end
    /// with one for longer than `patience`. True before it runs and after. For `/healthz`: who sees false starts the process
    /// again.
    public var isHealthy: Bool {
        let keysWait = queue.depth > 0
        return heartbeat.withLock { $0.isAlive(at: .now, patience: patience, keysWait: keysWait) }
    }

    /// Works until its task is cancelled, and until the reconciles that run then have returned.
    @concurrent
    public func run() async {
        heartbeat.withLock { $0.started(workers: workers) }
        metrics.workers.set(Int64(workers))
        await withTaskGroup { group in
            for _ in 0..<workers {
                group.addTask { await self.work() }
            }
        }
        heartbeat.withLock { $0.ended() }
    }

    private func work() async {
        while let key = await queue.next() {
            let start = ContinuousClock.now
            heartbeat.withLock { $0.took(at: start) }
            metrics.activeWorkers.add(1)
            let result: Result<ReconcileResult, any Error>
            do {
                result = .success(try await reconcile(key))
            } catch {
                result = .failure(error)
            }
            let end = ContinuousClock.now
            metrics.activeWorkers.add(-1)
            metrics.seconds.observe(end - start)
            settle(key, result)
            queue.done(key)
            heartbeat.withLock { $0.finished(at: end) }
        }
    }

    /// Many that ask for the same long time must not all come back at once.
    static func spread(_ delay: Duration, _ random: RandomSource) -> Duration {
        delay > .seconds(60) ? random.jitter(delay, by: 0.1) : delay
    }

    /// Whether and when the key is looked at again.
    private func settle(_ key: Key, _ result: Result<ReconcileResult, any Error>) {
        switch result {
        case .success(.done):
            metrics.succeeded.increment()
            queue.forget(key)
        case .success(.requeue(let delay)):
            metrics.requeued.increment()
            queue.forget(key)
            queue.add(key, after: Self.spread(delay, random))
        case .failure(let error as TerminalError):
            metrics.failed.increment()
            metrics.errors.increment()
            metrics.terminalErrors.increment()
            queue.forget(key)
            logger.error("\(name): \(key) failed for good", metadata: about(key, ["error": "\(error)"]))
        case .failure(let error):
            // Only our own end is no failure: a reconcile may have cancelled something of its own.
            guard !Task.isCancelled else { return }
            metrics.failed.increment()
            metrics.errors.increment()
            let delay = queue.addRateLimited(key)
            logger.warning(
                "\(name): \(key) failed, will be repeated",
                metadata: about(key, ["error": "\(error)", "after": "\(delay)"]))
        }
    }

    private func about(_ key: Key, _ what: Logger.Metadata) -> Logger.Metadata {
        metadata(key).merging(what) { $1 }
    }
}
