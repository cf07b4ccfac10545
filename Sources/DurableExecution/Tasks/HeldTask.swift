internal import DurablePromises
internal import Logging
internal import Synchronization

/// A task that this process holds, and what it may do as long as it does.
///
/// What gets no answer is asked again until the lease must be over. All of it may be repeated.
final class HeldTask: Sendable {
    let client: any PromiseClient
    let claim: TaskClaim
    let pid: String
    let lease: Duration
    let environment: DurableEnvironment
    private let logger: Logger
    /// When the lease is over if nobody extends it, in milliseconds since 1970 and by this machine's clock.
    private let end: Mutex<Int64>

    init(
        client: any PromiseClient,
        claim: TaskClaim,
        pid: String,
        lease: Duration,
        environment: DurableEnvironment,
        logger: Logger
    ) {
        self.client = client
        self.claim = claim
        self.pid = pid
        self.lease = lease
        self.environment = environment
        self.logger = logger
        end = Mutex(environment.time(after: lease))
    }

    /// Sends requests for other promises than its own, in this order; throws ``LeaseLost`` when one was refused for that.
    ///
    /// - Returns: the answers to them, each of which may be a refusal.
    func fenced(_ operations: [PromiseOperation]) async throws -> [Response] {
        let requests = operations.map { Request(.fence(claim.reference, action: Request($0))) }
        return try await ask(requests).map { response in
            guard let inner = try checked(response).action else {
                throw PromiseError(.incompatible, "an answer lacks the record that it is about")
            }
            return inner
        }
    }

    /// Has the task sleep until one of `awaited` is settled. True when it does; false when one is already, and the task is
    /// still held.
    func suspend(until awaited: [String]) async throws -> Bool {
        let actions = awaited.map { Request(.registerCallback(Callback(awaited: $0, awaiter: claim.id))) }
        let response = try await ask([Request(.suspendTask(claim.reference, actions: actions))])[0]
        _ = try checked(response)
        return response.status != 300
    }

    /// Settles the task's promise, and gives it.
    @discardableResult
    func fulfill(_ state: PromiseState, _ value: PromiseValue) async throws -> PromiseRecord {
        let settlement = PromiseSettlement(id: claim.id, state: state, value: value)
        let request = Request(.fulfillTask(claim.reference, action: Request(.settlePromise(settlement))))
        guard let promise = try checked(try await ask([request])[0]).promise else {
            throw PromiseError(.incompatible, "an answer lacks the record that it is about")
        }
        return promise
    }

    /// Gives the task back, so that nobody has to wait for the end of the lease. A task that was cancelled can still do so.
    func release() async {
        let result = await Task { try await client.releaseTask(id: claim.id, version: claim.version) }.result
        if case .failure(let error) = result {
            logger.debug("the task could not be given back; its lease will end", metadata: ["error": "\(error)"])
        }
    }

    /// The promises as they are now, those that exist.
    func read(_ ids: [String]) async throws -> [PromiseRecord] {
        try await ask(ids.map { Request(.getPromise(id: $0)) }).compactMap { response in
            response.status == 404 ? nil : try response.get().promise
        }
    }

    // MARK: The lease

    /// The lease was extended.
    func extend() {
        end.withLock { $0 = environment.time(after: lease) }
    }

    /// Whether the lease must be over.
    var isOver: Bool {
        end.withLock { $0 } <= environment.now()
    }

    // MARK: Asking

    private func checked(_ response: Response) throws -> ResponseData {
        if response.status == 409 || response.status == 404 { throw LeaseLost(task: claim.id) }
        return try response.get()
    }

    private func ask(_ requests: [Request]) async throws -> [Response] {
        var attempts = 0
        while true {
            do {
                let responses = try await client.process(requests)
                for response in responses where response.status >= 500 && response.status != 501 {
                    _ = try response.get()
                }
                return responses
            } catch {
                if Task.isCancelled || isOver { throw error }
                attempts += 1
                let level: Logger.Level = attempts == 1 ? .notice : .debug
                logger.log(level: level, "asking again", metadata: ["task": "\(claim.id)", "error": "\(error)"])
                if let pause = Self.patience.pause(after: error, attempts: attempts, random: environment.random()) {
                    try await environment.sleep(pause)
                }
            }
        }
    }

    private static let patience = RetryPolicy(mostAttempts: nil, first: .milliseconds(50), longest: .seconds(2))
}
