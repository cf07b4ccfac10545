public import KubernetesClient
internal import MigrationEngine
internal import SchemaChange

/// What is known when the gate of a Deployment is decided.
public struct GateInput: Sendable {
    public var deployment: Deployment
    /// Of each migration that the template requires: from the cache in the first round, read live in the second.
    public var migrations: [String: RequiredMigration]
    /// Whether `migrations` were read live just now, with the proof looked at in the target.
    public var isLive: Bool

    public init(deployment: Deployment, migrations: [String: RequiredMigration], isLive: Bool = false) {
        self.deployment = deployment
        self.migrations = migrations
        self.isLive = isLive
    }
}

/// A Migration as a gate sees it.
public enum RequiredMigration: Sendable, Hashable {
    case missing
    /// The operator has not looked at its present spec yet, so neither yes nor no is known.
    case unsettled(planHash: String?)
    case closed(reason: String, planHash: String?)
    case open(planHash: String)

    /// By its status alone.
    public init(_ migration: Migration?) {
        guard let migration, !migration.metadata.isBeingDeleted else {
            self = .missing
            return
        }
        let status = migration.status
        guard let status, status.observedGeneration == migration.metadata.generation else {
            self = .unsettled(planHash: status?.planHash)
            return
        }
        let wantsLess = (migration.spec?.desiredPhase ?? .initial) < .backfill
        if !wantsLess, status.gate == .open, status.holds(.verified, for: migration.metadata.generation),
            status.holds(.gateOpen, for: migration.metadata.generation),
            let plan = status.planHash, status.verification?.planHash == plan
        {
            self = .open(planHash: plan)
        } else {
            self = .closed(
                reason: status.condition(.gateOpen)?.message ?? "it is not verified", planHash: status.planHash)
        }
    }

    var planHash: String? {
        switch self {
        case .missing: nil
        case .unsettled(let hash), .closed(_, let hash): hash
        case .open(let hash): hash
        }
    }

    var isUnsettled: Bool {
        if case .unsettled = self { true } else { false }
    }
}
