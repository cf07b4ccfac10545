public import DurablePromises
internal import Foundation
public import Logging
internal import Synchronization

/// Begins executions, finds them again, and tells what becomes of them: for whoever is not a durable function.
///
/// While ``listen()`` or the worker that this belongs to runs, results are told as soon as they are there. Else, and besides,
/// they are asked for.
public final class Executions: Sendable {
    private let client: any PromiseClient
    private let environment: DurableEnvironment
    private let logger: Logger
    private let group: String
    private let id: String
    private let arrivals = Arrivals()
    /// How many tasks take messages for it.
    private let listeners = Mutex(0)
    /// Who can begin at once what is done in this process.
    private let worker = Mutex<DurableWorker?>(nil)

    /// - Parameters:
    ///   - group: whose workers do what names no target.
    ///   - id: that of this process within the group; made up when it is not given.
    public init(
        _ client: any PromiseClient,
        group: String = "default",
        id: String? = nil,
        environment: DurableEnvironment = .system,
        logger: Logger
    ) {
        self.client = client
        self.group = group
        self.id = id ?? UUID().uuidString.lowercased()
        self.environment = environment
        self.logger = logger
    }

    /// Where calls go that name no target.
    var target: String { "poll://any@\(group)" }

    // MARK: Beginning

    /// Begins an execution, or finds it: one id is one execution, whoever asks and however often.
    ///
    /// - Parameters:
    ///   - id: without a colon.
    ///   - target: where it is to be done, as `poll://any@group`; nil for this group.
    ///   - timeout: after that long it is rejected. Nil gives it all the time in the world.
    /// - Throws: a ``DurableError`` when the id is that of another function's execution.
    @discardableResult
    public func begin<Input, Output>(
        _ function: DurableFunction<Input, Output>,
        id: String,
        input: Input,
        target: String? = nil,
        timeout: Duration? = nil
    ) async throws -> ExecutionHandle<Output> {
        let call = Call(function.name, version: function.version, arguments: [input])
        return ExecutionHandle(id: try await begin(call, id, target, timeout), executions: self)
    }

    /// As ``begin(_:id:input:target:timeout:)``, by name, in whatever language it is written.
    @discardableResult
    public func begin<Output: Codable & Sendable>(
        _ name: String,
        id: String,
        arguments: [any Encodable & Sendable] = [],
        as type: Output.Type = Output.self,
        version: Int = 1,
        target: String? = nil,
        timeout: Duration? = nil
    ) async throws -> ExecutionHandle<Output> {
        let call = Call(name, version: version, arguments: arguments)
        return ExecutionHandle(id: try await begin(call, id, target, timeout), executions: self)
    }

    private func begin(_ call: Call, _ id: String, _ target: String?, _ timeout: Duration?) async throws -> String {
        guard !id.isEmpty, !id.utf8.contains(where: { $0 == UInt8(ascii: ":") || $0 == 0 }) else {
            throw DurableError(.invalid, "the id of an execution is not empty, and contains no colon: \"\(id)\"")
        }
        let creation = PromiseCreation(
            id: id,
            timeoutAt: environment.time(after: timeout),
            param: try Payload.encode(call),
            tags: [
                PromiseTag.target: target ?? self.target, PromiseTag.origin: id, PromiseTag.branch: id,
                PromiseTag.parent: id, PromiseTag.scope: "global",
            ]
        )
        let record: PromiseRecord
        if target == nil, let begun = try await worker.withLock({ $0 })?.begin(call, creation) {
            record = begun
        } else {
            record = try await client.createPromise(
                id: id, timeoutAt: creation.timeoutAt, param: creation.param ?? PromiseValue(),
                tags: creation.tags ?? [:])
        }
        if let name = Step(recorded: record).name, name != call.name {
            throw DurableError(.idTaken, "\(id) is an execution of \(name), not of \(call.name)")
        }
        return id
    }

    /// An execution that was begun before, or any promise.
    public func attach<Output: Codable & Sendable>(
        _ id: String,
        as type: Output.Type = Output.self
    ) -> ExecutionHandle<Output> {
        ExecutionHandle(id: id, executions: self)
    }

    // MARK: Settling

    /// Settles a promise that a function waits for. One that is settled stays as it is.
    public func resolve(_ id: String, with value: some Encodable & Sendable) async throws {
        try await settle(id, .resolved, try Payload.encode(value))
    }

    /// As ``resolve(_:with:)``, with a failure.
    public func reject(_ id: String, with failure: DurableFailure) async throws {
        try await settle(id, .rejected, Payload.encode(failure))
    }

    /// Cancels an execution, or whatever else the promise stands for. Its worker learns of it when it writes next, or within
    /// a part of its lease; what the execution called goes on.
    public func cancel(_ id: String) async throws {
        try await settle(id, .rejectedCanceled, PromiseValue())
    }

    private func settle(_ id: String, _ state: PromiseState, _ value: PromiseValue) async throws {
        guard try await client.settlePromise(id: id, state: state, value: value) != nil else {
            throw DurableError(.notFound, "there is no promise \(id)")
        }
    }

    // MARK: Results

    /// Takes messages until the task is cancelled, so that results are told at once. Not for a worker, which does so itself.
    public func listen() async {
        await take(client.messages(group: group, id: id)) { _ in }
    }

    /// Takes messages: results for whoever waits for them, the rest for `offer`.
    func take(_ messages: AsyncStream<PromiseMessage>, _ offer: (TaskReference) -> Void) async {
        listeners.withLock { $0 += 1 }
        defer { listeners.withLock { $0 -= 1 } }
        for await message in messages {
            switch message {
            case .execute(let task): offer(task)
            case .unblock(let promise): arrivals.tell(promise)
            }
        }
    }

    /// A promise was settled in this process.
    func tell(_ promise: PromiseRecord) {
        arrivals.tell(promise)
    }

    /// Executions are begun at once by that worker; nil when it works no more.
    func begins(with worker: DurableWorker?) {
        self.worker.withLock { $0 = worker }
    }

    /// Waits until a promise is settled.
    func settled(_ id: String) async throws -> PromiseRecord {
        var rounds = 0
        while true {
            let isTold = listeners.withLock { $0 } > 0
            // From before it is asked, so that nothing comes in between.
            let arrival = arrivals.expect(id)
            if rounds == 0, worker.withLock({ $0 })?.isAt(id) ?? false {
                rounds += 1
                if let record = try await first(arrival, Self.here) { return record }
                continue
            }
            do {
                guard let record = try await look(id, isTold) else {
                    throw DurableError(.notFound, "there is no promise \(id)")
                }
                if record.state != .pending { return record }
            } catch let error as PromiseError where error.code != .unavailable {
                throw error
            } catch let error as DurableError {
                throw error
            } catch {
                try Task.checkCancellation()
                logger.notice("asking again", metadata: ["promise": "\(id)", "error": "\(error)"])
            }
            let patience = isTold ? Self.told : Self.asking
            rounds += 1
            let pause =
                patience.pause(after: NotYet(), attempts: rounds, random: environment.random()) ?? patience.longest
            if let record = try await first(arrival, pause) { return record }
        }
    }

    /// Somebody who listens is told of what changes; who does not, or may not, asks.
    private func look(_ id: String, _ isTold: Bool) async throws -> PromiseRecord? {
        guard isTold else { return try await client.getPromise(id: id) }
        do {
            return try await client.registerListener(on: id, address: "poll://uni@\(group)/\(self.id)")
        } catch let error as PromiseError where error.code == .unprocessable {
            return try await client.getPromise(id: id)
        } catch let error as PromiseError where error.code == .notFound {
            return nil
        }
    }

    private func first(_ arrival: AsyncStream<PromiseRecord>, _ pause: Duration) async throws -> PromiseRecord? {
        let environment = environment
        return try await withThrowingTaskGroup(of: PromiseRecord?.self) { group in
            group.addTask {
                for await record in arrival { return record }
                return nil
            }
            group.addTask {
                try await environment.sleep(pause)
                return nil
            }
            defer { group.cancelAll() }
            let record = try await group.next() ?? nil
            try Task.checkCancellation()
            return record
        }
    }

    private struct NotYet: Error {}
    /// What is done in this process may be done so soon that nobody else needs to be asked to tell.
    private static let here: Duration = .milliseconds(20)
    /// A message may be lost.
    private static let told = RetryPolicy(mostAttempts: nil, first: .seconds(2), longest: .seconds(30), jitter: 0.2)
    private static let asking = RetryPolicy(
        mostAttempts: nil, first: .milliseconds(20), factor: 1.5, longest: .seconds(2), jitter: 0.2)
}
