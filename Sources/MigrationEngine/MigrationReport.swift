public import Backfill
public import Foundation
public import SchemaChange

/// What the engine knows of a migration at one moment: the ledger's record, and what its worker is doing.
public struct MigrationReport: Sendable, Hashable {
    public enum Activity: Sendable, Hashable {
        /// A worker is at it; `message` says what it is doing or waiting for, such as a lock and who holds it.
        case working(reason: String, message: String)
        /// The phase that was asked for is complete.
        case reached
        /// Nothing is wrong, but it cannot go on yet: a guard, a queue, a database that is away. Ask again later.
        case waiting(reason: String, message: String)
        /// It does not go on until somebody mends the spec or the data. It is tried again all the same, with back-off.
        case stalled(reason: String, message: String)
    }

    /// Whether the ledger has been read: until then `phase`, `planHash`, `certificate` and the like say nothing.
    public var isFromLedger: Bool
    /// Of the pinned plan, `sha256:…`; nil before there is one.
    public var planHash: String?
    /// Of the plan that the spec of the run asks for, which may be another one; nil before that is known, and where nobody
    /// was given a spec.
    public var wantedPlanHash: String?
    /// What the plan means for the database, where this run has made it.
    public var plan: PlanSummary?
    /// The last phase that is complete.
    public var phase: Phase
    /// What it is doing now, one word in CamelCase, or the phase's name when it is at rest.
    public var step: String
    public var progress: BackfillProgress?
    /// What the backfill, or the verification, is held by at the moment.
    public var hold: ThrottleHold?
    /// The proof, while there is one for this plan.
    public var certificate: Certificate?
    /// The root promise of the present walk.
    public var promise: String?
    /// Until when Contract can be undone; nil when it is not contracted, or no more.
    public var reversibleUntil: Date?
    public var activity: Activity

    public init(
        isFromLedger: Bool = true,
        planHash: String? = nil,
        wantedPlanHash: String? = nil,
        plan: PlanSummary? = nil,
        phase: Phase = .initial,
        step: String = "Pending",
        progress: BackfillProgress? = nil,
        certificate: Certificate? = nil,
        promise: String? = nil,
        reversibleUntil: Date? = nil,
        activity: Activity
    ) {
        self.isFromLedger = isFromLedger
        self.planHash = planHash
        self.wantedPlanHash = wantedPlanHash
        self.plan = plan
        self.phase = phase
        self.step = step
        self.progress = progress
        self.certificate = certificate
        self.promise = promise
        self.reversibleUntil = reversibleUntil
        self.activity = activity
    }

    /// Why the proof that there is does not hold, where the run itself found that.
    public var proofFailure: String? {
        guard certificate != nil, case .stalled(let reason, let message) = activity,
            ["ProofBroken", "DualWriteMissing", "Mismatch", Drift.reason].contains(reason)
        else { return nil }
        return message
    }
}

/// How far the backfill, or the verification, has come.
public struct BackfillProgress: Sendable, Hashable, Codable {
    public var rowsDone: Int64
    /// An estimate of the planner's until the end, then exact.
    public var rowsTotal: Int64
    public var rowsPerSecond: Int64
    public var estimatedCompletion: Date?
    /// Of the row versions that this worker wrote, those that stayed on their page (HOT), in percent; nil where that is not
    /// known: by keys, and while nothing was written.
    public var heapOnlyPercent: Int?

    public init(
        rowsDone: Int64, rowsTotal: Int64, rowsPerSecond: Int64 = 0, estimatedCompletion: Date? = nil,
        heapOnlyPercent: Int? = nil
    ) {
        self.rowsDone = rowsDone
        self.rowsTotal = rowsTotal
        self.rowsPerSecond = rowsPerSecond
        self.estimatedCompletion = estimatedCompletion
        self.heapOnlyPercent = heapOnlyPercent
    }
}
