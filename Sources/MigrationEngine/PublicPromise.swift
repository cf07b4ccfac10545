internal import DurableExecution
internal import DurablePromises
internal import Foundation
internal import SchemaChange

/// Something that is known outside of the database only: a promise under the walk's root, which whoever knows settles, by
/// `sluice promise settle`, an SDK or curl.
///
/// It is bound to the walk, and so to the plan. What was answered in one walk is not asked again there, whoever goes on
/// with it; another walk asks anew.
struct PublicPromise: Sendable {
    let id: String
    private let root: String
    private let question: GuardQuestion
    /// What the migration waits for while it is pending, and what it means when it is rejected.
    private let waiting: (reason: String, message: String)
    private let refused: (reason: String, message: String, remedy: String)

    private init(
        _ name: String,
        _ question: GuardQuestion,
        under root: String,
        waiting: (reason: String, message: String),
        refused: (reason: String, message: String, remedy: String)
    ) {
        self.question = question
        id = "\(root):\(name)"
        self.root = root
        self.waiting = waiting
        self.refused = refused
    }

    /// Somebody's consent that Contract takes the old side away.
    static func approval(of planHash: String, under root: String) -> PublicPromise {
        PublicPromise(
            "approval",
            .approval(planHash: planHash),
            under: root,
            waiting: ("WaitingForApproval", "Contract waits until somebody approves it"),
            refused: ("NotApproved", "Contract was refused", askAgain(from: .backfill, to: .contract))
        )
    }

    /// That every writer which runs writes both sides.
    static func dualWrites(under root: String) -> PublicPromise {
        PublicPromise(
            "dual-writes",
            .dualWrites,
            under: root,
            waiting: (
                "WaitingForDualWrite",
                "nothing is filled until somebody declares that every writer which runs writes both sides"
            ),
            refused: (
                "NotDualWriting",
                "it was declared that not every writer writes both sides",
                askAgain(from: .expand, to: .backfill)
            )
        )
    }

    /// What makes another walk, though the migration be at `phase` already.
    private static func askAgain(from phase: Phase, to target: Phase) -> String {
        let (start, end) = (phase.rawValue, target.rawValue)
        return
            "to be asked again go to \(start) and on: sluice run --phase \(start), then --phase \(end); in Kubernetes set "
            + "spec.phase to \(start) and, once Ready is true, to \(end)"
    }

    /// Throws what the migration waits for, or that it was refused. The promise is made when it is not there, and settled
    /// when `guards` know the answer to be yes.
    func require(on client: any PromiseClient, answeredBy guards: any MigrationGuards) async throws {
        var promise = try await client.createPromise(
            id: id,
            // Nobody's silence is an answer.
            timeoutAt: DurableEnvironment.farAway,
            tags: [PromiseTag.origin: root, PromiseTag.parent: root, PromiseTag.external: "true"]
        )
        var known: String?
        if promise.state == .pending {
            switch try await guards.answer(to: question) {
            case .yes(let who):
                let value = PromiseValue(data: try JSONEncoder().encode(who).base64EncodedString())
                promise = try await client.settlePromise(id: id, state: .resolved, value: value) ?? promise
            case .notYet(let message): known = message
            case nil: break
            }
        }
        switch promise.state {
        case .resolved: return
        case .pending:
            let command = "sluice promise settle \(id) --state resolved"
            throw Interruption.waiting(
                reason: waiting.reason,
                message: known.map { "\(waiting.message): \($0); or \(command)" } ?? "\(waiting.message): \(command)"
            )
        case .rejected, .rejectedCanceled, .rejectedTimedout:
            let why = promise.value.statedReason.map { ": \"\($0)\"" } ?? ""
            throw Interruption.stalled(
                reason: refused.reason,
                message: "\(refused.message)\(why); \(refused.remedy) (promise \(id) is \(promise.state.rawValue))"
            )
        }
    }
}
