internal import DurablePromises
internal import Logging

/// The durable functions that a worker can do, by name and version.
public struct FunctionRegistry: Sendable {
    struct Key: Hashable, Sendable {
        let name: String
        let version: Int
    }

    struct Entry: Sendable {
        let retry: RetryPolicy
        let body: @Sendable (Execution) async throws -> PromiseValue
    }

    private var entries: [Key: Entry] = [:]

    public init() {}

    /// - Parameters:
    ///   - retry: when a function is tried again that failed before its first step. One that took steps is not: it says
    ///     itself which of them are tried again.
    ///   - body: what it does. What it throws is what its caller gets, as a ``DurableFailure``.
    @_disfavoredOverload  // Else a closure of several statements that gives nothing could be either.
    public mutating func register<Input, Output>(
        _ function: DurableFunction<Input, Output>,
        retry: RetryPolicy = .never,
        _ body: @escaping @Sendable (DurableContext, Input) async throws -> Output
    ) {
        let key = Key(name: function.name, version: function.version)
        precondition(entries[key] == nil, "\(key.name) version \(key.version) is registered twice")
        entries[key] = Entry(retry: retry) { execution in
            let promise = execution.promise
            let arguments = try Payload.decode(
                Call.Arguments<Input>.self, from: promise.param, "the input of \(execution.function)")
            let context = DurableContext(execution, id: promise.id)
            return try Payload.encode(try await body(context, arguments.input))
        }
    }

    /// As ``register(_:retry:_:)``, of what gives nothing.
    public mutating func register<Input>(
        _ function: DurableFunction<Input, Nothing>,
        retry: RetryPolicy = .never,
        _ body: @escaping @Sendable (DurableContext, Input) async throws -> Void
    ) {
        register(function, retry: retry) { context, input in
            try await body(context, input)
            return Nothing()
        }
    }

    subscript(name: String, version: Int) -> Entry? {
        entries[Key(name: name, version: version)]
    }

    /// The versions of a function that there are, in order.
    func versions(of name: String) -> [Int] {
        entries.keys.filter { $0.name == name }.map(\.version).sorted()
    }
}

extension FunctionRegistry.Entry {
    /// Runs the function to its end, with all that it began.
    func run(_ execution: Execution) async -> Execution.Ending {
        var attempts = 0
        while true {
            let state: PromiseState
            let value: PromiseValue
            do {
                value = try await body(execution)
                state = .resolved
            } catch {
                attempts += 1
                if Task.isCancelled || execution.isOver { return .broken(CancellationError()) }
                let random = execution.environment.random()
                if execution.isUntouched, (error as? DurableError)?.code != .undecodable,
                    let pause = retry.pause(after: error, attempts: attempts, random: random)
                {
                    execution.logger.debug("the function is tried again", metadata: ["error": "\(error)"])
                    try? await execution.environment.sleep(pause)
                    continue
                }
                value = Payload.encode(DurableFailure(error))
                state = .rejected
            }
            await execution.joinCalls()
            if let step = execution.neverAsked {
                return .broken(DurableError.nonDeterminism(neverAsked: step, in: execution.function))
            }
            return .settled(state, value)
        }
    }
}

extension Execution {
    /// Waits for the calls that were begun: none outlives the function, whose result tells that all is done.
    fileprivate func joinCalls() async {
        let calls = openCalls
        guard !calls.isEmpty else { return }
        beginBranches(calls.count - 1)
        await withTaskGroup(of: Void.self) { group in
            for id in calls { group.addTask { _ = try? await self.wait(for: id) } }
        }
    }
}
