internal import KubernetesClient
internal import MigrationEngine
internal import SchemaChange

/// What is known when the gate of a workload is decided.
public struct GateInput: Sendable {
    public var workload: Workload
    /// What each requirement of the template meets: from the cache in the first round, read live in the second.
    public var required: [Requirement: RequiredMigration]
    /// Whether `required` was read live just now, with the proof looked at in the target.
    public var isLive: Bool

    public init(workload: Workload, required: [Requirement: RequiredMigration], isLive: Bool = false) {
        self.workload = workload
        self.required = required
        self.isLive = isLive
    }
}

/// A Migration as a requirement sees it.
public enum RequiredMigration: Sendable, Hashable {
    case missing
    /// What is asked for makes no sense for this Migration, whatever becomes of it.
    case refused(reason: String)
    /// The operator has not looked at its present spec yet, so neither yes nor no is known.
    case unsettled(planHash: String?)
    case closed(reason: String, planHash: String?)
    case open(planHash: String)

    /// By its status alone.
    public init(_ migration: Migration?, for level: Requirement.Level = .verified) {
        if case .unknown(let text) = level {
            self = .refused(reason: "@\(text) means nothing: write the name alone, which means verified")
            return
        }
        guard let migration, !migration.metadata.isBeingDeleted else {
            self = .missing
            return
        }
        if level == .expanded, migration.spec?.writer != .application {
            self = .refused(
                reason:
                    "@Expand is for a release that writes both sides (dualWrite.by: Application); here triggers do, "
                    + "so write the name alone")
            return
        }
        let status = migration.status
        guard let status, status.observedGeneration == migration.metadata.generation,
            !Self.isUnseen(status, migration.metadata.generation),
            status.condition(level == .expanded ? .expanded : .verified)?.status != .unknown
        else {
            self = .unsettled(planHash: status?.planHash)
            return
        }
        if let plan = status.planHash, Self.isMet(level, by: status, of: migration) {
            self = .open(planHash: plan)
        } else {
            let condition = status.condition(level == .expanded ? .expanded : .gateOpen)
            self = .closed(reason: condition?.message ?? "it is not verified", planHash: status.planHash)
        }
    }

    /// Whether a run was begun for the spec, but has not seen the database yet.
    private static func isUnseen(_ status: MigrationStatus, _ generation: Int64?) -> Bool {
        [Situation.waitingForSlot, Situation.starting].contains(status.step)
            && !status.holds(.verified, for: generation)
    }

    private static func isMet(_ level: Requirement.Level, by status: MigrationStatus, of migration: Migration) -> Bool {
        let wanted = migration.spec?.desiredPhase ?? .initial
        let generation = migration.metadata.generation
        switch level {
        case .verified:
            return wanted >= .backfill && status.gate == .open && status.holds(.verified, for: generation)
                && status.holds(.gateOpen, for: generation) && status.verification?.planHash == status.planHash
        case .expanded:
            return wanted >= .expand && status.holds(.expanded, for: generation)
        case .unknown:
            return false
        }
    }

    var planHash: String? {
        switch self {
        case .missing, .refused: nil
        case .unsettled(let hash), .closed(_, let hash): hash
        case .open(let hash): hash
        }
    }

    var isUnsettled: Bool {
        if case .unsettled = self { true } else { false }
    }

    var isOpen: Bool {
        if case .open = self { true } else { false }
    }
}
