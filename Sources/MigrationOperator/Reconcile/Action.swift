public import SchemaChange

/// What is to be done about a Migration. The controller performs them in order, and stops at the first that fails.
public enum Action: Sendable, Hashable {
    /// Before the first side effect.
    case addFinalizer
    case removeFinalizer
    /// Reads the Secret and starts an engine that walks to the phase.
    case startWorker(Phase)
    /// Cancels the engine and waits until it has released its lease.
    case stopWorker
    /// Reads the ledger; what it says is observed in another round.
    case readLedger
    /// Looks at the proof; what it says is observed in another round.
    case checkProof
    /// Removes the Migration from the ledger, after everything was undone.
    case forget
    case writeStatus(MigrationStatus)
    case event(MigrationEvent)
    case requeue(after: Duration)
}

/// An event that is worth telling.
public struct MigrationEvent: Sendable, Hashable {
    public enum Severity: Sendable, Hashable {
        case normal, warning
    }

    public var severity: Severity
    public var reason: String
    public var message: String

    /// Of a workload: it is held, which is so only once the hold is written.
    static let gateHeld = "GateHeld"
    static let gateNotHeld = "GateNotHeld"

    public init(_ severity: Severity = .normal, _ reason: String, _ message: String) {
        self.severity = severity
        self.reason = reason
        self.message = message
    }
}
