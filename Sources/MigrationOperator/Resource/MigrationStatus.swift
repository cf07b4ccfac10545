internal import Foundation
public import KubernetesClient
public import MigrationEngine
public import SchemaChange

/// The `status` of a Migration, as its schema describes it. A copy: the truth is the ledger in the target.
public struct MigrationStatus: Codable, Hashable, Sendable {
    public enum Gate: String, Codable, Sendable {
        case open = "Open"
        case closed = "Closed"
    }

    public struct Progress: Codable, Hashable, Sendable {
        public var rowsDone: Int64
        public var rowsTotal: Int64
        public var rowsPerSecond: Int64?
        /// For people: `42%`.
        public var percent: String?
        public var estimatedCompletion: Timestamp?
        /// Of the row versions that were written, those that stayed on their page (HOT).
        public var heapOnlyPercent: Int?
    }

    public struct Verification: Codable, Hashable, Sendable {
        public var rowsCompared: Int64
        public var oldSide: Int64
        public var newSide: Int64
        public var mismatches: Int64
        public var planHash: String
        public var walPosition: String
        public var at: Timestamp
        /// True where no row was compared: somebody said that the database had it already.
        public var baseline: Bool?
    }

    /// -1 before the operator has seen it.
    public var observedGeneration: Int64
    public var phase: Phase?
    public var step: String?
    public var progress: Progress?
    public var verification: Verification?
    public var gate: Gate?
    public var promise: String?
    public var planHash: String?
    /// Over what of the spec that plan was made from.
    public var specHash: String?
    /// What the plan with that hash means for the database.
    public var plan: PlanSummary?
    public var reversibleUntil: Timestamp?
    public var conditions: [Condition]?

    public init(observedGeneration: Int64) {
        self.observedGeneration = observedGeneration
    }

    public func condition(_ type: MigrationCondition) -> Condition? {
        conditions?.first { $0.type == type.rawValue }
    }

    /// Whether the condition is true and was found for `generation`.
    public func holds(_ type: MigrationCondition, for generation: Int64?) -> Bool {
        guard let condition = condition(type) else { return false }
        return condition.status == .yes && condition.observedGeneration == generation
    }
}

extension MigrationStatus.Progress {
    init(_ progress: BackfillProgress) {
        rowsDone = progress.rowsDone
        rowsTotal = progress.rowsTotal
        rowsPerSecond = progress.rowsPerSecond
        estimatedCompletion = progress.estimatedCompletion.map { Timestamp($0) }
        heapOnlyPercent = progress.heapOnlyPercent
        // An estimate may be too low; 100% is kept for what is done.
        let total = max(progress.rowsTotal, 1)
        let percent = progress.rowsDone >= progress.rowsTotal ? 100 : progress.rowsDone * 100 / total
        self.percent = "\(percent)%"
    }
}

extension MigrationStatus.Verification {
    init(_ certificate: Certificate) {
        rowsCompared = certificate.rowsCompared
        oldSide = certificate.oldSide
        newSide = certificate.newSide
        mismatches = certificate.mismatches
        planHash = certificate.planHash
        walPosition = certificate.walPosition
        // Whole seconds, as it comes back from the server: what did not change must compare equal.
        at = Timestamp(Date(timeIntervalSince1970: certificate.at.timeIntervalSince1970.rounded(.down)))
        baseline = certificate.baseline
    }
}
