import Foundation
import KubernetesClient
import MigrationEngine
import SchemaChange

@testable import MigrationOperator

/// What dies with the operator: its memory, its engine's run, and what it was about to do for a gate.
struct OperatorProcess: Hashable {
    var cached: Migration?
    /// A cache that has not reached the version of its own last write is not decided from.
    var lastWrite = 0
    var memory = MigrationMemory.Entry()
    var worker: WorkerState?
    /// What each of the two loops of a gate is about.
    var hold: GateWrites?
    var confirmation = Confirmation.rest

    func observed(proofInterval: Duration) -> Observed {
        var observed = Observed(now: now)
        observed.worker = worker
        observed.ledger = memory.ledger
        observed.ledgerReadAt = memory.ledgerReadAt
        observed.proof = memory.proof
        observed.databaseFailure = memory.failure
        observed.lastStatusWrite = memory.lastStatusWrite
        observed.proofInterval = proofInterval
        return observed
    }

    /// As much time passes that whatever waited for some is due.
    mutating func grow() {
        func aged(_ date: Date?) -> Date? { date.map { _ in now.addingTimeInterval(-1_000_000) } }
        memory.ledgerReadAt = aged(memory.ledgerReadAt)
        memory.lastStatusWrite = aged(memory.lastStatusWrite)
        if let at = memory.proof?.at { memory.proof?.at = aged(at)! }
        if let at = memory.failure?.at { memory.failure?.at = aged(at)! }
        worker?.startedAt = now.addingTimeInterval(-1_000_000)
        let ended = worker?.endedAt
        worker?.endedAt = aged(ended)
    }
}
