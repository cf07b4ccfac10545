public import DurablePromises
internal import Foundation
public import Logging
internal import Synchronization

/// Does what is called: takes the tasks of a group, runs the functions that they name, and keeps their leases meanwhile.
public final class DurableWorker: Sendable {
    public struct Settings: Sendable {
        /// Those who share the work. Any of them gets what is sent to `poll://any@group`.
        public var group: String
        /// This one of them; no other process has the same. Made up when it is not given.
        public var id: String
        /// How many executions are under way here at a time. One that sleeps does not count.
        public var concurrency: Int
        /// After that long without a sign of life, another worker takes over.
        public var lease: Duration
        /// Whether an execution is rejected whose function does not ask for the steps that it recorded. Else it is given back,
        /// and goes on when a worker has the function as it was.
        public var rejectsNonDeterminism: Bool

        public init(
            group: String = "default",
            id: String? = nil,
            concurrency: Int = 64,
            lease: Duration = .seconds(30),
            rejectsNonDeterminism: Bool = false
        ) {
            self.group = group
            self.id = id ?? UUID().uuidString.lowercased()
            self.concurrency = concurrency
            self.lease = lease
            self.rejectsNonDeterminism = rejectsNonDeterminism
        }
    }

    /// Begins executions, and tells what becomes of them.
    public let executions: Executions

    private let client: any PromiseClient
    private let functions: FunctionRegistry
    private let settings: Settings
    private let environment: DurableEnvironment
    private let logger: Logger
    private let leases: LeaseKeeper
    private let intake: Mutex<Intake>
    /// What is to be worked on next.
    private let starts: Mutex<AsyncStream<Start>.Continuation?>
    /// What was made and taken here, and is not begun yet.
    private let begun = Mutex<[String: TaskClaim]>([:])

    private enum Start: Sendable {
        /// A task that is offered.
        case offer(TaskReference)
        /// One that this worker made and holds already.
        case claim(TaskClaim)
    }

    public init(
        _ client: any PromiseClient,
        functions: FunctionRegistry,
        settings: Settings = Settings(),
        environment: DurableEnvironment = .system,
        logger: Logger
    ) {
        self.client = client
        self.functions = functions
        self.settings = settings
        self.environment = environment
        self.logger = logger
        executions = Executions(
            client, group: settings.group, id: settings.id, environment: environment, logger: logger)
        leases = LeaseKeeper(
            client: client, pid: settings.id, lease: settings.lease, environment: environment, logger: logger)
        intake = Mutex(Intake(width: max(1, settings.concurrency)))
        starts = Mutex(nil)
    }

    /// Works until the task is cancelled. Then what is under way is cancelled as well, and given back, so that others go on
    /// with it at once. May be called once.
    public func run() async {
        let (stream, start) = AsyncStream.makeStream(of: Start.self)
        starts.withLock { $0 = start }
        executions.begins(with: self)
        await withDiscardingTaskGroup { group in
            group.addTask { try? await self.leases.run() }
            group.addTask {
                let messages = self.client.messages(group: self.settings.group, id: self.settings.id)
                await self.executions.take(messages) { task in
                    if let task = self.intake.withLock({ $0.offer(task) }) { start.yield(.offer(task)) }
                }
            }
            for await next in stream { group.addTask { await self.work(on: next) } }
            group.cancelAll()
        }
        executions.begins(with: nil)
        starts.withLock { $0 = nil }
        for claim in begun.withLock({ $0.values }) { await giveBack(claim) }
    }

    private func work(on start: Start) async {
        switch start {
        case .offer(let task):
            if !Task.isCancelled, let claim = await acquire(task) { await work(on: claim) }
            done(task)
        case .claim(let claim):
            begun.withLock { $0[claim.id] = nil }
            await work(on: claim)
            done(Self.place(of: claim.id))
        }
    }

    private func done(_ task: TaskReference) {
        guard let next = intake.withLock({ $0.done(task) }) else { return }
        starts.withLock { _ = $0?.yield(.offer(next)) }
    }

    // MARK: Beginning here

    /// Makes an execution and begins it at once, where there is room for one of a function that is known here. Nil where not,
    /// and where the execution exists already.
    func begin(_ call: Call, _ creation: PromiseCreation) async throws -> PromiseRecord? {
        let place = Self.place(of: creation.id)
        guard functions[call.name, call.version] != nil, intake.withLock({ $0.reserve(place) }) else { return nil }
        do {
            let claim = try await client.createTask(
                id: creation.id,
                timeoutAt: creation.timeoutAt,
                param: creation.param ?? PromiseValue(),
                tags: creation.tags ?? [:],
                processID: settings.id,
                ttl: Int64(settings.lease / .milliseconds(1))
            )
            if claim.isFulfilled {
                done(place)
            } else {
                begun.withLock { $0[claim.id] = claim }
                let isTaken = starts.withLock { Self.isTaken($0?.yield(.claim(claim))) }
                if !isTaken { await giveBack(claim) }
            }
            return claim.promise
        } catch let error as PromiseError where error.code == .conflict {
            done(place)
            return nil
        } catch {
            done(place)
            await giveBackIfTaken(place)
            throw error
        }
    }

    /// Whether it is at an execution that was begun here.
    func isAt(_ id: String) -> Bool {
        intake.withLock { $0.isRunning(Self.place(of: id)) }
    }

    /// It has stopped before it came to it.
    private func giveBack(_ claim: TaskClaim) async {
        guard begun.withLock({ $0.removeValue(forKey: claim.id) }) != nil else { return }
        done(Self.place(of: claim.id))
        let client = client
        await Task { try? await client.releaseTask(id: claim.id, version: claim.version) }.value
    }

    private static func isTaken(_ result: AsyncStream<Start>.Continuation.YieldResult?) -> Bool {
        if case .enqueued = result { true } else { false }
    }

    /// Where a task that is made here stands in the intake.
    private static func place(of id: String) -> TaskReference {
        TaskReference(id: id, version: 0)
    }

    // MARK: One task

    private func work(on claim: TaskClaim) async {
        // A timer that has a target is made so by clients who only want its deadline kept: its lease just ends.
        if claim.isFulfilled || claim.promise.state != .pending || claim.promise.isTimer { return }
        var logger = logger
        logger[metadataKey: "promise"] = "\(claim.id)"
        let task = HeldTask(
            client: client, claim: claim, pid: settings.id, lease: settings.lease, environment: environment,
            logger: logger)
        let head: Call.Head
        do {
            head = try Payload.decode(Call.Head.self, from: claim.promise.param, "the param of \(claim.id)")
        } catch {
            // Nobody will ever be able to do this.
            return await reject(task, error, logger)
        }
        let title = "\(head.name) version \(head.version)"
        guard let entry = functions[head.name, head.version] else {
            // Another worker may know it, or this one's successor. The store offers it more and more rarely.
            let known = functions.versions(of: head.name)
            logger.error(
                "no such function is registered here; the task is given back",
                metadata: ["function": "\(title)", "registered versions": "\(known)"]
            )
            return await task.release()
        }
        let execution = Execution(
            task: task, function: title, defaultTarget: executions.target, logger: logger)
        leases.add(task) { execution.lose($0) }
        let outcome = await execution.run { await entry.run($0) }
        leases.remove(task)
        await settle(outcome, task, logger)
    }

    private func settle(_ outcome: Execution.Outcome, _ task: HeldTask, _ logger: Logger) async {
        switch outcome {
        case .fulfilled(let promise):
            executions.tell(promise)
            logger.debug("fulfilled", metadata: ["state": "\(promise.state.rawValue)"])
        case .suspended: logger.debug("suspended")
        case .lost: logger.info("somebody else has the task, or its promise is settled")
        case .stopped: await task.release()
        case .broken(let error):
            if settings.rejectsNonDeterminism, let error = error as? DurableError, error.code == .nonDeterminism {
                return await reject(task, error, logger)
            }
            logger.error("it cannot go on here; the task is given back", metadata: ["error": "\(error)"])
            await task.release()
        }
    }

    private func reject(_ task: HeldTask, _ error: any Error, _ logger: Logger) async {
        logger.error("the execution is rejected", metadata: ["error": "\(error)"])
        do {
            try await task.fulfill(.rejected, Payload.encode(DurableFailure(error)))
        } catch {
            logger.notice("that could not be written", metadata: ["error": "\(error)"])
            await task.release()
        }
    }

    // MARK: Taking

    /// Nil when somebody else was faster, or nobody answers.
    private func acquire(_ reference: TaskReference) async -> TaskClaim? {
        do {
            return try await client.acquireTask(
                id: reference.id, version: reference.version, pid: settings.id,
                ttl: Int64(settings.lease / .milliseconds(1)))
        } catch let error as PromiseError where error.code == .conflict || error.code == .notFound {
            return nil
        } catch {
            logger.notice("a task could not be taken", metadata: ["promise": "\(reference.id)", "error": "\(error)"])
            await giveBackIfTaken(reference)
            return nil
        }
    }

    /// There was no answer: the task may be ours, and nobody would work on it until its lease is over.
    private func giveBackIfTaken(_ reference: TaskReference) async {
        let client = client
        let pid = settings.id
        // Also when this worker is about to stop.
        await Task {
            guard let task = try? await client.getTask(id: reference.id), task.state == .acquired, task.pid == pid,
                task.version == reference.version + 1
            else { return }
            try? await client.releaseTask(id: task.id, version: task.version)
        }.value
    }
}
