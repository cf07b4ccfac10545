internal import DurablePromises
internal import Logging
internal import Synchronization

/// One attempt to bring a function to its end: runs it from the beginning, gives it the results that are recorded, and
/// records new ones.
///
/// The function and its branches run in tasks of their own, and hand in what is to be written. ``run(_:)`` alone talks to the
/// store: it writes what came meanwhile in one go, and when all branches are blocked has the task sleep. Then the
/// function is unwound: its task is cancelled, and whatever it still asks for throws `CancellationError`. Nothing that it does
/// from then on counts.
final class Execution: Sendable {
    /// How the attempt ended.
    enum Outcome: Sendable {
        /// The promise is settled: so.
        case fulfilled(PromiseRecord)
        /// The task sleeps until something that it waits for is settled.
        case suspended
        /// Somebody else has the task, or has settled its promise.
        case lost
        /// This process was asked to stop.
        case stopped
        /// It cannot go on here. The task is given back.
        case broken(any Error)
    }

    /// How the function ended.
    enum Ending: Sendable {
        case settled(PromiseState, PromiseValue)
        case broken(any Error)
    }

    private struct Writing: Sendable {
        let operations: [PromiseOperation]
        let done: @Sendable (Result<[Response], any Error>) -> Void
    }

    private struct State {
        /// What is known of the promises of the steps.
        var records: [String: PromiseRecord] = [:]
        /// The steps that the function asked for in this attempt.
        var asked: Set<String> = []
        var failures: [String: any Error] = [:]
        var waiters: [String: [CheckedContinuation<PromiseRecord, any Error>]] = [:]
        var branches = Branches()
        var writings: [Writing] = []
        /// Calls that the function began, in order.
        var calls: [String] = []
        var ending: Ending?
        var outcome: Outcome?
        /// How often something was asked for after the end.
        var refusals = 0

        /// Those who wait for a promise, and wait no more.
        mutating func wake(_ id: String) -> [CheckedContinuation<PromiseRecord, any Error>] {
            let woken = waiters.removeValue(forKey: id) ?? []
            branches.wake(woken.count)
            return woken
        }
    }

    let task: HeldTask
    /// The function with its version, for people.
    let function: String
    let logger: Logger
    /// Where calls go that name no target.
    let defaultTarget: String
    /// Whether a step may have been done of which nobody told: then it is asked for before it is done again.
    let asksFirst: Bool
    private let recorded: Set<String>
    private let state: Mutex<State>
    private let signals: AsyncStream<Void>
    private let signal: AsyncStream<Void>.Continuation

    init(task: HeldTask, function: String, defaultTarget: String, logger: Logger) {
        self.task = task
        self.function = function
        self.defaultTarget = defaultTarget
        self.logger = logger
        var state = State()
        for record in task.claim.preload { state.records[record.id] = record }
        recorded = Set(state.records.keys)
        asksFirst = task.claim.version > 1 && (recorded.isEmpty || recorded.count >= PromiseRules.mostPreloaded)
        self.state = Mutex(state)
        (signals, signal) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(1))
    }

    var promise: PromiseRecord { task.claim.promise }
    var environment: DurableEnvironment { task.environment }

    // MARK: From outside

    /// Runs the function. Its end is waited for, whatever happens.
    func run(_ function: @escaping @Sendable (Execution) async -> Ending) async -> Outcome {
        await withTaskGroup(of: Void.self) { group in
            group.addTask {
                let ending = await function(self)
                self.state.withLock { $0.ending = ending }
                self.signal.yield()
            }
            let outcome = await drive()
            close(outcome)
            group.cancelAll()
            return outcome
        }
    }

    /// The lease is lost.
    func lose(_ error: any Error) {
        close(error is LeaseLost ? .lost : .broken(error))
    }

    // MARK: Driving

    private enum Action {
        case rest
        case write([Writing])
        case suspend([String])
        case end(Ending)
        case stop(Outcome)
    }

    private func drive() async -> Outcome {
        var signals = signals.makeAsyncIterator()
        while true {
            switch next() {
            case .write(let writings): await write(writings)
            case .suspend(let ids): if let outcome = await suspend(until: ids) { return outcome }
            case .end(let ending): return await end(ending)
            case .stop(let outcome): return outcome
            case .rest:
                if await signals.next(isolation: nil) == nil || Task.isCancelled { return .stopped }
            }
        }
    }

    private func next() -> Action {
        state.withLock { state in
            if let outcome = state.outcome { return .stop(outcome) }
            if !state.writings.isEmpty {
                defer { state.writings = [] }
                return .write(state.writings)
            }
            if let ending = state.ending { return .end(ending) }
            return state.branches.areBlocked ? .suspend(state.waiters.keys.sorted()) : .rest
        }
    }

    private func write(_ writings: [Writing]) async {
        do {
            var answers = try await task.fenced(writings.flatMap(\.operations))[...]
            for writing in writings {
                writing.done(.success(Array(answers.prefix(writing.operations.count))))
                answers = answers.dropFirst(writing.operations.count)
            }
        } catch {
            fail(error)
            for writing in writings { writing.done(.failure(CancellationError())) }
        }
    }

    /// Nil when there is something to go on with.
    private func suspend(until ids: [String]) async -> Outcome? {
        do {
            if try await task.suspend(until: ids) { return .suspended }
            for record in try await task.read(ids) { learn(record) }
            return nil
        } catch {
            fail(error)
            return nil
        }
    }

    private func end(_ ending: Ending) async -> Outcome {
        switch ending {
        case .broken(let error): return .broken(error)
        case .settled(let state, let value):
            do {
                return .fulfilled(try await task.fulfill(state, value))
            } catch {
                if Task.isCancelled { return .stopped }
                return error is LeaseLost ? .lost : .broken(error)
            }
        }
    }

    private func fail(_ error: any Error) {
        if Task.isCancelled {
            close(.stopped)
        } else {
            lose(error)
        }
    }

    /// Nothing counts any more: whoever waits is unwound.
    private func close(_ outcome: Outcome) {
        let (waiters, writings) = state.withLock { state in
            defer {
                state.outcome = state.outcome ?? outcome
                state.waiters = [:]
                state.writings = []
            }
            return (state.waiters.values.flatMap { $0 }, state.writings)
        }
        for waiter in waiters { waiter.resume(throwing: CancellationError()) }
        for writing in writings { writing.done(.failure(CancellationError())) }
        signal.yield()
    }

    // MARK: For the function

    /// What to do about a step. Throws when the attempt is over, or another step is recorded there.
    func decide(_ step: Step) async throws -> ReplayDecision {
        let decision: ReplayDecision? = state.withLock { state in
            guard state.outcome == nil else { return nil }
            state.asked.insert(step.id)
            return ReplayDecision.decide(step, recorded: state.records[step.id])
        }
        guard let decision else { throw await refusal() }
        if case .mismatch(let recorded) = decision {
            throw broken(.nonDeterminism(step, recorded: recorded, in: function))
        }
        return decision
    }

    /// Writes, and waits until it is written.
    func write(_ operations: [PromiseOperation]) async throws -> [Response] {
        try await withCheckedThrowingContinuation { continuation in
            write(Writing(operations: operations) { continuation.resume(with: $0) })
        }
    }

    private func write(_ writing: Writing) {
        let isOpen = state.withLock { state in
            guard state.outcome == nil else { return false }
            state.writings.append(writing)
            return true
        }
        if isOpen { signal.yield() } else { writing.done(.failure(CancellationError())) }
    }

    /// Begins a call, without waiting for anything. Throws when the attempt is over, or another step is recorded there.
    func begin(_ step: Step, _ creation: PromiseCreation) throws {
        let decision: ReplayDecision = try state.withLock { state in
            if state.outcome != nil { throw CancellationError() }
            state.asked.insert(step.id)
            state.calls.append(step.id)
            let decision = ReplayDecision.decide(step, recorded: state.records[step.id])
            if decision == .perform { state.branches.begin() }
            return decision
        }
        switch decision {
        case .perform: break
        case .wait, .settled: return
        case .mismatch(let recorded): throw broken(.nonDeterminism(step, recorded: recorded, in: function))
        }
        write(
            Writing(operations: [.createPromise(creation)]) { result in
                do {
                    try self.learn(try Self.promise(in: try result.get()[0]), of: step, asking: creation)
                } catch {
                    self.learn(error, about: step.id)
                }
                self.endBranches()
            }
        )
    }

    /// Waits until a promise is settled: until this attempt learns of it, or is over.
    func wait(for id: String) async throws -> PromiseRecord {
        try await withCheckedThrowingContinuation { continuation in
            let result: Result<PromiseRecord, any Error>? = state.withLock { state in
                if state.outcome != nil { return .failure(CancellationError()) }
                if let error = state.failures[id] { return .failure(error) }
                if let record = state.records[id], record.state != .pending { return .success(record) }
                state.waiters[id, default: []].append(continuation)
                state.branches.wait()
                return nil
            }
            if let result { continuation.resume(with: result) } else { signal.yield() }
        }
    }

    /// What the store says of a promise.
    func learn(_ record: PromiseRecord) {
        let waiters = state.withLock { state -> [CheckedContinuation<PromiseRecord, any Error>] in
            if let known = state.records[record.id], known.state != .pending { return [] }
            state.records[record.id] = record
            guard record.state != .pending else { return [] }
            return state.wake(record.id)
        }
        for waiter in waiters { waiter.resume(returning: record) }
    }

    /// What the store has where a step was to be created. Throws when that is another step.
    func learn(_ record: PromiseRecord, of step: Step, asking creation: PromiseCreation) throws {
        if record.param != creation.param ?? PromiseValue() {
            let recorded = Step(recorded: record)
            if !step.matches(recorded) { throw broken(.nonDeterminism(step, recorded: recorded, in: function)) }
        }
        learn(record)
    }

    private func learn(_ error: any Error, about id: String) {
        let waiters = state.withLock { state in
            state.failures[id] = error
            return state.wake(id)
        }
        for waiter in waiters { waiter.resume(throwing: error) }
    }

    func record(_ id: String) -> PromiseRecord? {
        state.withLock { $0.records[id] }
    }

    /// A promise in an answer.
    static func promise(in response: Response) throws -> PromiseRecord {
        guard let promise = try response.get().promise else {
            throw PromiseError(.incompatible, "an answer lacks the record that it is about")
        }
        return promise
    }

    // MARK: Branches

    func beginBranches(_ count: Int) {
        state.withLock { $0.branches.begin(count) }
    }

    func endBranches() {
        state.withLock { $0.branches.end() }
        signal.yield()
    }

    /// Whether nothing durable was asked for yet, so that the function may be tried again from the beginning.
    var isUntouched: Bool {
        state.withLock { $0.asked.isEmpty }
    }

    /// The calls that were begun and are not settled.
    var openCalls: [String] {
        state.withLock { state in state.calls.filter { state.records[$0]?.state ?? .pending == .pending } }
    }

    // MARK: The end

    /// A step that was recorded and that the function, which has ended, did not ask for.
    var neverAsked: Step? {
        state.withLock { state in
            recorded.subtracting(state.asked).min().flatMap { state.records[$0] }.map { Step(recorded: $0) }
        }
    }

    /// The attempt is over, whatever the function makes of the error.
    func broken(_ error: DurableError) -> DurableError {
        close(.broken(error))
        return error
    }

    var isOver: Bool {
        state.withLock { $0.outcome != nil }
    }

    /// What is thrown at a function that goes on after the end. One that does so again and again, by catching every error
    /// in a loop, is slowed down, and named.
    private func refusal() async -> CancellationError {
        let refusals = state.withLock { state in
            state.refusals += 1
            return state.refusals
        }
        if refusals > Self.mostRefusals {
            logger.error(
                "it catches the error by which it is unwound, in a loop: rethrow CancellationError",
                metadata: ["function": "\(function)", "promise": "\(promise.id)"]
            )
            let environment = environment
            await Task { try? await environment.sleep(.seconds(1)) }.value
        }
        return CancellationError()
    }

    private static let mostRefusals = 1000
}
