internal import DurablePromises

/// Somebody's consent that Contract takes the old side away: a promise under the walk's root, which whoever decides settles
/// from outside, by `sluice promise settle`, an SDK or curl.
///
/// It is bound to the walk, and so to the plan: whoever goes back and comes again is asked again.
struct ContractApproval {
    /// The root promise of the walk.
    let root: String

    var id: String { "\(root):approval" }

    /// Throws what the migration waits for, or that it was refused. The promise is made when it is not there.
    func require(on client: any PromiseClient) async throws {
        let promise = try await client.createPromise(
            id: id,
            // Nobody's silence is an answer. The year 3000.
            timeoutAt: 32_503_680_000_000,
            tags: [PromiseTag.origin: root, PromiseTag.parent: root, PromiseTag.external: "true"]
        )
        switch promise.state {
        case .resolved: return
        case .pending:
            throw Interruption.waiting(
                reason: "WaitingForApproval",
                message: "Contract waits until somebody approves it: sluice promise settle \(id) --state resolved"
            )
        case .rejected, .rejectedCanceled, .rejectedTimedout:
            throw Interruption.stalled(
                reason: "NotApproved",
                message:
                    "Contract was refused: the promise \(id) is \(promise.state.rawValue); go to Backfill, and ask "
                    + "again by going to Contract"
            )
        }
    }
}
