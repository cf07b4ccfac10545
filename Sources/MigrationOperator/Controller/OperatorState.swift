internal import KubernetesClient
internal import Synchronization

/// What an operator process tells of itself while it runs: to probes, to metrics, and to whoever acts for the leader.
public final class OperatorState: Sendable {
    private enum Role {
        /// The API server has not been reached yet, or does not know the kind Migration.
        case starting
        case standingBy
        /// With what says whether the lease is ours still.
        case leading(OperatorTeam, hasLease: @Sendable () -> Bool)
        case stopped
    }

    private let role = Mutex(Role.starting)

    public init() {}

    /// Whether it can do its part now: one that stands by can, and one that leads once its first lists are there.
    ///
    /// The databases of Migrations are no part of it. One tenant's database that is away is said in that Migration's
    /// conditions; it must not take the operator of all others out of service.
    public var isReady: Bool {
        switch role.withLock({ $0 }) {
        case .starting, .stopped: false
        case .standingBy: true
        case .leading(let team, _): team.hasLists
        }
    }

    /// By the lease's deadline: whoever is about to write what only the leader may asks again just before.
    public var isLeading: Bool {
        if case .leading(_, let hasLease) = role.withLock({ $0 }) { hasLease() } else { false }
    }

    /// What of it does not get on any more, in words; nil while all is well. Who is told starts the process again.
    ///
    /// That is a loop none of whose workers has come to an end for long, though all are busy, or keys wait that none may take.
    public var problem: String? {
        switch role.withLock({ $0 }) {
        case .starting, .standingBy: nil
        case .leading(let team, _):
            team.isHealthy
                ? nil : "all workers of a loop are busy, or keys wait that none may take, and none comes to an end"
        case .stopped: "the operator has stopped"
        }
    }

    /// What the leader's caches hold; nil in a process that does not lead, or has not listed yet. It may be old.
    public var snapshot: OperatorSnapshot? {
        guard case .leading(let team, _) = role.withLock({ $0 }), team.hasMigrations else { return nil }
        return team.snapshot
    }

    func standsBy() { role.withLock { $0 = .standingBy } }
    func leads(_ team: OperatorTeam, hasLease: @escaping @Sendable () -> Bool) {
        role.withLock { $0 = .leading(team, hasLease: hasLease) }
    }
    func stops() { role.withLock { $0 = .stopped } }
}

/// The objects that a leading operator knows of, at one moment.
public struct OperatorSnapshot: Sendable {
    public var migrations: [Migration]
    /// Workloads that are held by the gate.
    public var held: [WorkloadKey]

    public init(migrations: [Migration], held: [WorkloadKey]) {
        self.migrations = migrations
        self.held = held
    }
}
