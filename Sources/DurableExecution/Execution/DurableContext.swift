internal import DurablePromises
public import Logging

/// What a durable function works with: each of its steps is recorded, and is not done again when the function is run again.
///
/// A function is run from its beginning whenever its worker died, or something that it waited for has come; then it gets the
/// recorded results. So between its steps it must do the same each time: what depends on time, chance or the outside
/// belongs in a step.
///
/// A context belongs to one task, which the compiler checks. For concurrency there are calls that are begun and waited for
/// later, ``map(_:atMost:_:)`` and ``concurrently(_:)``, which give each branch a context of its own.
public final class DurableContext {
    let execution: Execution
    /// The id of the execution's promise, or of the branch below it.
    public let id: String
    private var steps = 0
    private var isInStep = false

    init(_ execution: Execution, id: String) {
        self.execution = execution
        self.id = id
    }

    /// The id of the execution's promise.
    public var executionID: String { execution.promise.id }

    /// When the execution must be done, in milliseconds since 1970.
    public var deadline: Int64 { execution.promise.timeoutAt }

    /// Says which execution a message is about.
    public var logger: Logger { execution.logger }

    // MARK: Steps

    /// Does something once: its result is recorded, and is what this gives from then on. When the process dies before that,
    /// it is done again.
    ///
    /// - Parameters:
    ///   - name: says what the step is, to people and to the check that the function is still the same.
    ///   - retry: when to try again after an error. Attempts are not recorded, only what comes of them.
    /// - Returns: what `body` gave, as it is after JSON.
    /// - Throws: a ``DurableFailure`` when `body` failed.
    public func run<Value: Codable & Sendable>(
        _ name: String,
        retry: RetryPolicy = .never,
        _ body: () async throws -> Value
    ) async throws -> Value {
        let step = try nextStep(.run, name)
        let settled = try await settled(step, retry, body)
        return try Settled(settled).value(Value.self)
    }

    /// As ``run(_:retry:_:)``, of what gives nothing.
    public func run(_ name: String, retry: RetryPolicy = .never, _ body: () async throws -> Void) async throws {
        let _: Nothing = try await run(name, retry: retry) {
            try await body()
            return Nothing()
        }
    }

    private func settled<Value: Codable & Sendable>(
        _ step: Step,
        _ retry: RetryPolicy,
        _ body: () async throws -> Value
    ) async throws -> PromiseRecord {
        if case .settled(let record) = try await execution.decide(step) { return record }
        let creation = creation(of: step, param: try? Payload.encode(Call(step.name ?? "")), scope: "local")
        var isCreated = execution.record(step.id) != nil
        if !isCreated, execution.asksFirst {
            let response = try await execution.write([.createPromise(creation)])[0]
            let record = try Execution.promise(in: response)
            try execution.learn(record, of: step, asking: creation)
            if record.state != .pending { return record }
            isCreated = true
        }
        let settlement = try await attempt(step, retry, body)
        // That it began and how it ended are written at once: a step costs one commit. A worker that dies before does it
        // again, as one that dies in between would.
        let operations = (isCreated ? [] : [.createPromise(creation)]) + [PromiseOperation.settlePromise(settlement)]
        let responses = try await execution.write(operations)
        if !isCreated { try execution.learn(try Execution.promise(in: responses[0]), of: step, asking: creation) }
        let record = try Execution.promise(in: responses[responses.count - 1])
        execution.learn(record)
        return record
    }

    private func attempt<Value: Codable & Sendable>(
        _ step: Step,
        _ retry: RetryPolicy,
        _ body: () async throws -> Value
    ) async throws -> PromiseSettlement {
        isInStep = true
        defer { isInStep = false }
        var attempts = 0
        while true {
            do {
                let value = try await body()
                return PromiseSettlement(id: step.id, state: .resolved, value: try Payload.encode(value))
            } catch {
                // A worker that stops is no failure of the step.
                try Task.checkCancellation()
                attempts += 1
                let random = execution.environment.random()
                guard let pause = retry.pause(after: error, attempts: attempts, random: random) else {
                    return PromiseSettlement(
                        id: step.id, state: .rejected, value: Payload.encode(DurableFailure(error)))
                }
                logger.debug(
                    "a step failed and is tried again",
                    metadata: ["step": "\(step.title)", "attempts": "\(attempts)", "error": "\(error)"]
                )
                try await execution.environment.sleep(pause)
            }
        }
    }

    // MARK: What steps are made of

    /// The next place in this context.
    func nextID() throws(DurableError) -> String {
        if isInStep {
            throw execution.broken(
                DurableError(.nestedUse, "the context \(id) of \(execution.function) is used inside one of its steps"))
        }
        steps += 1
        return StepID.join(id, String(steps))
    }

    func nextStep(_ kind: Step.Kind, _ name: String?, version: Int? = nil) throws(DurableError) -> Step {
        Step(id: try nextID(), kind: kind, name: name, version: version)
    }

    /// The promise of a step.
    ///
    /// - Parameter parent: nil for this context.
    func creation(
        of step: Step,
        param: PromiseValue?,
        scope: String,
        timeout: Duration? = nil,
        parent: String? = nil,
        tags: [String: String] = [:]
    ) -> PromiseCreation {
        let origin = execution.promise.tags[PromiseTag.origin] ?? Lineage.origin(executionID)
        // The steps of one execution have one branch, by which all of them are found at once. What others work on is their
        // own.
        let branch = tags[PromiseTag.target] == nil ? executionID : step.id
        let own = [
            PromiseTag.scope: scope, PromiseTag.origin: origin, PromiseTag.branch: branch,
            PromiseTag.parent: parent ?? id,
        ]
        return PromiseCreation(
            id: step.id,
            timeoutAt: min(deadline, execution.environment.time(after: timeout)),
            param: param,
            tags: own.merging(tags) { $1 }
        )
    }
}

/// Not even by mistake: two tasks that share a context would take their places in it in any order.
@available(*, unavailable)
extension DurableContext: Sendable {}
