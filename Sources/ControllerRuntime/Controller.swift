public import Logging

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
    private let random: RandomSource
    private let logger: Logger
    private let metadata: @Sendable (Key) -> Logger.Metadata
    private let reconcile: Reconcile

    /// - Parameters:
    ///   - name: for the log.
    ///   - metadata: goes with each line of the log about a key.
    ///   - reconcile: called with a key whose object may be gone by now. It may be called again at any time.
    public init(
        name: String, workers: Int = 4, queue: WorkQueue<Key> = WorkQueue(), random: RandomSource = .system,
        logger: Logger, metadata: @escaping @Sendable (Key) -> Logger.Metadata = { _ in [:] },
        reconcile: @escaping Reconcile
    ) {
        self.name = name
        self.workers = workers
        self.queue = queue
        self.random = random
        self.logger = logger
        self.metadata = metadata
        self.reconcile = reconcile
    }

    /// Works until its task is cancelled, and until the reconciles that run then have returned.
    @concurrent
    public func run() async {
        await withTaskGroup { group in
            for _ in 0..<workers {
                group.addTask { await self.work() }
            }
        }
    }

    private func work() async {
        while let key = await queue.next() {
            do {
                let result = try await reconcile(key)
                queue.forget(key)
                if case .requeue(let delay) = result {
                    // Many that ask for the same long time must not all come back at once.
                    queue.add(key, after: delay > .seconds(60) ? random.jitter(delay, by: 0.1) : delay)
                }
            } catch let error as TerminalError {
                queue.forget(key)
                logger.error("\(name): \(key) failed for good", metadata: about(key, ["error": "\(error)"]))
            } catch {
                // Only our own end is no failure: a reconcile may have cancelled something of its own.
                guard !Task.isCancelled else {
                    queue.done(key)
                    return
                }
                let delay = queue.addRateLimited(key)
                logger.warning(
                    "\(name): \(key) failed, will be repeated",
                    metadata: about(key, ["error": "\(error)", "after": "\(delay)"]))
            }
            queue.done(key)
        }
    }

    private func about(_ key: Key, _ what: Logger.Metadata) -> Logger.Metadata {
        metadata(key).merging(what) { $1 }
    }
}
