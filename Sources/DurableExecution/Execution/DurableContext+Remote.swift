internal import DurablePromises

/// What others do, on whatever machine.
extension DurableContext {
    // MARK: Calls

    /// Calls another durable function and waits for its result.
    ///
    /// - Parameters:
    ///   - target: where it is to be done, as `poll://any@group`; nil for the group of this worker.
    ///   - timeout: after that long it is rejected; not longer than this execution has.
    public func rpc<Input, Output>(
        _ function: DurableFunction<Input, Output>,
        _ input: Input,
        target: String? = nil,
        timeout: Duration? = nil
    ) async throws -> Output {
        try await begin(function, input, target: target, timeout: timeout).value
    }

    /// Calls a durable function by its name, in whatever language it is written.
    public func rpc<Output: Codable & Sendable>(
        _ name: String,
        _ arguments: any Encodable & Sendable...,
        as type: Output.Type = Output.self,
        version: Int = 1,
        target: String? = nil,
        timeout: Duration? = nil
    ) async throws -> Output {
        let call = Call(name, version: version, arguments: arguments)
        return try await StepHandle<Output>(try begin(call, target, timeout), in: execution).value
    }

    /// Begins a call that is waited for later, or else when the function ends. What is begun one after the other is done
    /// at the same time.
    public func begin<Input, Output>(
        _ function: DurableFunction<Input, Output>,
        _ input: Input,
        target: String? = nil,
        timeout: Duration? = nil
    ) throws -> StepHandle<Output> {
        let call = Call(function.name, version: function.version, arguments: [input])
        return StepHandle(try begin(call, target, timeout), in: execution)
    }

    public func begin<Output: Codable & Sendable>(
        _ name: String,
        _ arguments: any Encodable & Sendable...,
        as type: Output.Type = Output.self,
        version: Int = 1,
        target: String? = nil,
        timeout: Duration? = nil
    ) throws -> StepHandle<Output> {
        let call = Call(name, version: version, arguments: arguments)
        return StepHandle(try begin(call, target, timeout), in: execution)
    }

    private func begin(_ call: Call, _ target: String?, _ timeout: Duration?) throws -> String {
        let step = try nextStep(.call, call.name, version: call.version)
        let tags = [PromiseTag.target: target ?? execution.defaultTarget]
        let param = try Payload.encode(call)
        try execution.begin(step, creation(of: step, param: param, scope: "global", timeout: timeout, tags: tags))
        return step.id
    }

    /// Begins a call that nobody waits for. Returns once it is certain to be done, with the id by which it may be found.
    @discardableResult
    public func detached<Input, Output>(
        _ function: DurableFunction<Input, Output>,
        _ input: Input,
        target: String? = nil,
        timeout: Duration? = nil
    ) async throws -> String {
        try await detached(Call(function.name, version: function.version, arguments: [input]), target, timeout)
    }

    @discardableResult
    public func detached(
        _ name: String,
        _ arguments: any Encodable & Sendable...,
        version: Int = 1,
        target: String? = nil,
        timeout: Duration? = nil
    ) async throws -> String {
        try await detached(Call(name, version: version, arguments: arguments), target, timeout)
    }

    private func detached(_ call: Call, _ target: String?, _ timeout: Duration?) async throws -> String {
        let step = Step(
            id: StepID.detached(try nextID()), kind: .call, name: call.name, version: call.version)
        // It hangs on the origin: this execution may end long before, and its deadline is none of this one's.
        var creation = creation(
            of: step,
            param: try Payload.encode(call),
            scope: "global",
            parent: Lineage.origin(step.id),
            tags: [PromiseTag.target: target ?? execution.defaultTarget]
        )
        creation.timeoutAt = execution.environment.time(after: timeout)
        try await create(step, creation)
        return step.id
    }

    // MARK: Waiting

    /// Sleeps, without a worker being held meanwhile: for seconds or for months.
    public func sleep(for duration: Duration) async throws {
        try await sleep(nextStep(.sleep, nil), untilMilliseconds: execution.environment.time(after: duration))
    }

    /// Sleeps until a time, in milliseconds since 1970.
    public func sleep(until time: Int64) async throws {
        try await sleep(nextStep(.sleep, nil), untilMilliseconds: time)
    }

    private func sleep(_ step: Step, untilMilliseconds time: Int64) async throws {
        var creation = creation(of: step, param: nil, scope: "global", tags: [PromiseTag.timer: "true"])
        creation.timeoutAt = min(deadline, time)
        try await create(step, creation)
        _ = try await execution.wait(for: step.id)
    }

    /// A promise that somebody outside will settle, by its id: a person's answer, the end of something. It exists once this
    /// returns.
    ///
    /// - Parameter name: says what it is about.
    public func promise<Value: Codable & Sendable>(
        _ name: String? = nil,
        as type: Value.Type = Value.self,
        timeout: Duration? = nil
    ) async throws -> StepHandle<Value> {
        let step = try nextStep(.promise, name)
        let param = try name.map { try Payload.encode(Call($0)) }
        let tags = [PromiseTag.external: "true"]
        try await create(step, creation(of: step, param: param, scope: "global", timeout: timeout, tags: tags))
        return StepHandle(step.id, in: execution)
    }

    private func create(_ step: Step, _ creation: PromiseCreation) async throws {
        guard case .perform = try await execution.decide(step) else { return }
        let response = try await execution.write([.createPromise(creation)])[0]
        try execution.learn(try Execution.promise(in: response), of: step, asking: creation)
    }
}
