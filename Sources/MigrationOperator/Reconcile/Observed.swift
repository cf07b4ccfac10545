public import Foundation
public import MigrationEngine
public import SchemaChange

/// What is known of a Migration besides the object itself, when its next actions are decided.
public struct Observed: Sendable {
    public var now: Date
    public var worker: WorkerState?
    /// Read only while there is no worker to ask.
    public var ledger: LedgerReading = .unread
    /// When `ledger` was read.
    public var ledgerReadAt: Date?
    public var proof: ProofReading?
    /// The last try to reach the database, where it failed.
    public var databaseFailure: DatabaseFailure?
    /// Of each of `dependsOn`, what it is at.
    public var dependencies: [String: DependencyState] = [:]
    /// A circle of `dependsOn` that this Migration is in.
    public var dependencyCycle: [String] = []
    /// When this operator last wrote the object's status.
    public var lastStatusWrite: Date?
    /// Nothing can be made in the namespace any more, such as a Secret that is missing.
    public var namespaceIsTerminating = false
    /// How often a proof at rest is looked at.
    public var proofInterval: Duration = Timing.proofInterval

    public init(now: Date) {
        self.now = now
    }
}

/// The run of an engine in this process, or the last one.
public struct WorkerState: Sendable, Hashable {
    public var uid: String?
    /// Of the spec that it was started with.
    public var generation: Int64
    /// Where it walks to.
    public var phase: Phase
    /// When it began to work, or to wait for a slot.
    public var startedAt: Date
    /// Whether as many others work as may, so that it has not begun yet.
    public var waitsForSlot = false
    /// Nil while it runs.
    public var endedAt: Date?
    /// The latest of this run.
    public var report: MigrationReport?
    /// The last one of the run before, when that had the same task.
    public var previous: MigrationReport?
    /// What the run before waited for or was stalled by, when that had the same task, whether it came as far as the ledger
    /// or not: it is told until this run knows better.
    public var obstacle: MigrationReport.Activity?
    /// How many runs with the same task ended without reaching the phase, one after the other.
    public var fruitless: Int

    public init(
        uid: String?, generation: Int64, phase: Phase, startedAt: Date, endedAt: Date? = nil,
        report: MigrationReport? = nil, previous: MigrationReport? = nil,
        obstacle: MigrationReport.Activity? = nil, fruitless: Int = 0
    ) {
        self.uid = uid
        self.generation = generation
        self.phase = phase
        self.startedAt = startedAt
        self.endedAt = endedAt
        self.report = report
        self.previous = previous
        self.obstacle = obstacle
        self.fruitless = fruitless
    }

    public var isRunning: Bool { endedAt == nil }

    /// The next run with the same task, which remembers what this one came to.
    func next(startedAt: Date) -> WorkerState {
        var next = WorkerState(uid: uid, generation: generation, phase: phase, startedAt: startedAt)
        // A run that never reached the database has nothing to say of it.
        next.previous = report.flatMap { $0.isFromLedger ? $0 : nil } ?? previous
        next.obstacle = report.map { $0.activity.isObstacle ? $0.activity : nil } ?? obstacle
        next.fruitless = fruitless
        return next
    }
}

extension MigrationReport.Activity {
    /// Whether it is what keeps a run from going on.
    var isObstacle: Bool {
        switch self {
        case .waiting, .stalled: true
        case .working, .reached: false
        }
    }
}

public enum LedgerReading: Sendable, Hashable {
    case unread
    /// The target's ledger does not know the Migration.
    case unknown
    case known(MigrationReport)
}

/// What a live look at the proof said.
public struct ProofReading: Sendable, Hashable {
    public enum Result: Sendable, Hashable {
        /// There is one that holds, of this plan.
        case holds(planHash: String)
        case broken(reason: String)
        /// The database has none.
        case none
    }

    public var result: Result
    public var at: Date
    /// The certificate that was known then: what is found broken says nothing of a later one.
    public var certificate: Certificate?

    public init(_ result: Result, at: Date, of certificate: Certificate? = nil) {
        self.result = result
        self.at = at
        self.certificate = certificate
    }
}

/// Why the database could not be used.
public struct DatabaseFailure: Sendable, Hashable {
    /// One word in CamelCase: `SecretNotFound`, `InvalidDatabaseURL`, `DatabaseUnavailable`.
    public var reason: String
    public var message: String
    public var at: Date
    /// How often, one after the other.
    public var attempts: Int

    public init(reason: String, message: String, at: Date, attempts: Int) {
        self.reason = reason
        self.message = message
        self.at = at
        self.attempts = attempts
    }

    public static let secretNotFound = "SecretNotFound"
    public static let invalidURL = "InvalidDatabaseURL"
    public static let unavailable = "DatabaseUnavailable"
}

public enum DependencyState: Sendable, Hashable {
    case verified
    case missing
    /// What it is at, for a message.
    case notVerified(String)
}
