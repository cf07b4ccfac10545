public import DurablePromises
public import Logging

/// A task that is worked on here and now, by whoever asked, instead of by whichever worker it is offered to.
///
/// It is for work that has its own reasons to stop and to be gone on with: whoever asked gets the error, and the task is
/// given back.
public struct ForegroundTask: Sendable {
    private let task: HeldTask
    private let leases: LeaseKeeper
    private let logger: Logger

    /// The task of a promise, which is made if there is none; nil when the promise is settled.
    ///
    /// - Parameters:
    ///   - worker: who has the lease: unique to this process.
    ///   - target: who is offered the task when nobody works on it, as `poll://any@group`.
    /// - Throws: a `PromiseError` with the code `conflict` while another worker's lease lasts.
    public static func claim(
        _ id: String,
        on client: any PromiseClient,
        worker: String,
        target: String,
        lease: Duration,
        environment: DurableEnvironment = .system,
        logger: Logger
    ) async throws -> ForegroundTask? {
        let claim = try await client.createTask(
            id: id,
            timeoutAt: DurableEnvironment.farAway,
            tags: [PromiseTag.target: target, PromiseTag.origin: id, PromiseTag.branch: id, PromiseTag.parent: id],
            processID: worker,
            ttl: Int64(lease / .milliseconds(1))
        )
        if claim.isFulfilled { return nil }
        let task = HeldTask(
            client: client, claim: claim, pid: worker, lease: lease, environment: environment, logger: logger)
        let leases = LeaseKeeper(client: client, pid: worker, lease: lease, environment: environment, logger: logger)
        return ForegroundTask(task: task, leases: leases, logger: logger)
    }

    private init(task: HeldTask, leases: LeaseKeeper, logger: Logger) {
        self.task = task
        self.leases = leases
        self.logger = logger
    }

    /// Runs `body` while the lease is kept, then settles the promise. When `body` throws, the task is given back, so that
    /// nobody has to wait for the end of the lease.
    ///
    /// - Throws: what `body` throws; ``LeaseLost`` when somebody else has the task, or what kept it from being asked.
    public func whileHeld(_ body: @escaping @Sendable (NamedSteps) async throws -> Void) async throws {
        let (losses, loss) = AsyncStream.makeStream(of: (any Error).self)
        leases.add(task) { loss.yield($0) }
        let steps = NamedSteps(task: task, logger: logger)
        do {
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { try await body(steps) }
                group.addTask {
                    for await error in losses { throw error }
                    try await Task.sleep(for: .seconds(.max / 4))
                }
                group.addTask { try await leases.run() }
                defer { group.cancelAll() }
                // The other two end by an error only.
                try await group.next()
            }
            try await task.fulfill(.resolved, PromiseValue())
        } catch {
            await task.release()
            throw error
        }
    }
}
