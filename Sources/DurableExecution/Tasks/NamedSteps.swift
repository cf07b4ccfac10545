public import DurablePromises
internal import Logging

/// The steps of a task, under names of their own instead of places in a function.
public struct NamedSteps: Sendable {
    private let task: HeldTask
    private let logger: Logger
    /// What earlier attempts recorded.
    private let recorded: [String: PromiseRecord]

    init(task: HeldTask, logger: Logger) {
        self.task = task
        self.logger = logger
        recorded = Dictionary(task.claim.preload.map { ($0.id, $0) }) { $1 }
    }

    /// Does a step once, under the id of the task, a colon and `name`. One that is settled is not done again, if what it is
    /// about agrees that it is done: a record and the world may have been restored to different moments.
    ///
    /// That it begins is recorded first, so that it can be seen under way.
    ///
    /// - Parameter isDone: looks at what the step is about.
    public func once(
        _ name: String,
        isDone: () async throws -> Bool,
        _ body: () async throws -> Void
    ) async throws {
        let id = StepID.join(task.claim.id, name)
        let promise: PromiseRecord
        if let known = recorded[id] {
            promise = known
        } else {
            promise = try await create(creation(id))
        }
        if try await isDone() {
            logger.debug("replayed", metadata: ["promise": "\(id)"])
        } else {
            try await body()
        }
        guard promise.state == .pending else { return }
        try await settle(id)
    }

    /// Settles the steps that earlier attempts did, and died before they could say so.
    ///
    /// - Parameter isDone: looks at what the step of this name is about; false also where it knows no such step.
    public func settle(where isDone: (_ name: String) async throws -> Bool) async throws {
        let prefix = StepID.join(task.claim.id, "")
        for promise in recorded.values.sorted(by: { $0.id < $1.id })
        where promise.state == .pending && promise.id.hasPrefix(prefix) {
            guard try await isDone(String(promise.id.dropFirst(prefix.count))) else { continue }
            try await settle(promise.id)
        }
    }

    private func settle(_ id: String) async throws {
        let settlement = PromiseSettlement(id: id, state: .resolved)
        _ = try Execution.promise(in: try await task.fenced([.settlePromise(settlement)])[0])
    }

    /// Makes a promise that somebody else keeps, or finds it, as long as the task is held.
    public func create(_ creation: PromiseCreation) async throws -> PromiseRecord {
        try Execution.promise(in: try await task.fenced([.createPromise(creation)])[0])
    }

    private func creation(_ id: String) -> PromiseCreation {
        let root = task.claim.id
        return PromiseCreation(
            id: id,
            timeoutAt: DurableEnvironment.farAway,
            tags: [
                PromiseTag.origin: root, PromiseTag.branch: root, PromiseTag.parent: root, PromiseTag.scope: "local",
            ]
        )
    }
}
