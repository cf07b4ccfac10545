internal import DurablePromises
internal import Foundation
internal import Logging

/// The promises of one walk: the root, whose task a worker holds, and one for each step under it.
struct WalkPromises: Sendable {
    let store: PromiseStore
    /// `migration/<namespace>/<name>/<plan>/w<walk>`; a step's is the root's, a colon, and the step's id.
    let root: String
    let worker: String
    let lease: Duration
    let logger: Logger

    /// Steps do not expire; deadlines are policy. The year 3000, in milliseconds.
    private static let farAway: Int64 = 32_503_680_000_000
    private static let target = "poll://any@sluice"

    /// The task of the root; nil when the root is settled.
    ///
    /// - Throws: `Interruption.heldByAnother` while another worker's lease lasts.
    func claim() async throws -> TaskClaim? {
        do {
            let claim = try await store.createTask(
                id: root,
                timeoutAt: Self.farAway,
                param: PromiseValue(),
                tags: [PromiseTag.target: Self.target, PromiseTag.origin: root],
                processID: worker,
                ttl: Int64(lease / .milliseconds(1))
            )
            return claim.isFulfilled ? nil : claim
        } catch let error as PromiseError where error.code == .conflict {
            throw Interruption.heldByAnother
        }
    }

    /// Runs `body` while the lease is kept alive, then settles the root. When `body` throws, the task is given back, so that
    /// nobody has to wait for the end of the lease.
    func whileHeld(_ claim: TaskClaim, _ body: @escaping @Sendable () async throws -> Void) async throws {
        do {
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { try await body() }
                group.addTask { try await keepAlive(claim) }
                defer { group.cancelAll() }
                // The heartbeat ends by an error only.
                try await group.next()
            }
            _ = try await store.fulfillTask(
                id: claim.id,
                version: claim.version,
                state: .resolved,
                value: PromiseValue()
            )
        } catch {
            // A task that was cancelled can still give back what it holds.
            await Task { await release(claim) }.value
            throw error
        }
    }

    /// Does a step once in this walk. One that is settled is not done again, if the database agrees that it is done.
    func once(
        _ step: String,
        under claim: TaskClaim,
        isDone: () async throws -> Bool,
        _ body: () async throws -> Void
    ) async throws {
        let id = "\(root):\(step)"
        let promise = try await store.fencedCreate(
            task: claim,
            id: id,
            timeoutAt: Self.farAway,
            param: PromiseValue(),
            tags: [
                PromiseTag.origin: root, PromiseTag.branch: root, PromiseTag.parent: root, "resonate:scope": "local",
            ]
        )
        let isDone = try await isDone()
        if isDone {
            logger.debug("replayed", metadata: ["promise": "\(id)"])
        } else {
            try await body()
        }
        if promise.state == .pending {
            _ = try await store.fencedSettle(task: claim, id: id, state: .resolved, value: PromiseValue())
        }
    }

    // MARK: The lease

    private func keepAlive(_ claim: TaskClaim) async throws {
        let clock = ContinuousClock()
        var lastSeen = clock.now
        while true {
            try await clock.sleep(for: lease / 4)
            do {
                try await store.heartbeat(pid: worker, tasks: [claim.reference])
                let task = try await store.getTask(id: claim.id)
                guard task?.state == .acquired, task?.version == claim.version else { throw Interruption.heldByAnother }
                lastSeen = clock.now
            } catch let error where !(error is Interruption) && !Task.isCancelled && clock.now - lastSeen < lease {
                logger.notice("the heartbeat failed and is tried again", metadata: ["error": "\(error)"])
            }
        }
    }

    private func release(_ claim: TaskClaim) async {
        do {
            try await store.releaseTask(id: claim.id, version: claim.version)
        } catch {
            logger.debug("the task could not be given back; its lease will end", metadata: ["error": "\(error)"])
        }
    }
}
