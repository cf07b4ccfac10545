internal import KubernetesClient
internal import MigrationEngine
internal import SchemaChange

/// The engine's guards in a cluster: who still needs the old columns, who needs the new ones, who writes both, and who has
/// agreed. Every answer is read live.
struct RolloutGuards: MigrationGuards {
    let client: KubernetesClient
    let migration: ObjectKey
    let uid: String?
    let generation: Int64
    let spec: MigrationSpec

    func mayContract() async throws -> GuardVerdict {
        if let verdict = try await specStands() { return verdict }
        let rollouts = spec.rollouts ?? []
        guard !rollouts.isEmpty || spec.contract?.withoutRollouts == true else {
            return .waiting(
                reason: "NoRolloutsNamed",
                message: "name the workloads that use the tables in spec.rollouts, or say that there are none with "
                    + "spec.contract.withoutRollouts: true")
        }
        for rollout in rollouts {
            let verdict = try await follow(rollout, until: .needsNewSide)
            guard verdict == .allowed else { return verdict }
        }
        return .allowed
    }

    func answer(to question: GuardQuestion) async throws -> GuardAnswer? {
        if case .waiting(_, let message)? = try await specStands() { return .notYet(message: message) }
        switch question {
        case .approval(let planHash): return try await approval(of: planHash)
        case .dualWrites: return try await dualWrites()
        }
    }

    private func approval(of planHash: String) async throws -> GuardAnswer? {
        guard let approvals = try await approvals() else { return nil }
        if let approval = approvals.first(where: { $0.approves(planHash, of: migration.name) }) {
            return .yes(who: "MigrationApproval \(approval.metadata.name)")
        }
        return .notYet(message: "create a MigrationApproval of migration \(migration.name) and planHash \(planHash)")
    }

    /// Those of the namespace; nil where the cluster has no such kind.
    private func approvals() async throws(KubernetesError) -> [MigrationApproval]? {
        do {
            return try await client.list(MigrationApproval.self, in: migration.namespace).items
        } catch  where error.code == .notFound {
            return nil
        }
    }

    /// Known only where the writers are named.
    private func dualWrites() async throws -> GuardAnswer? {
        let rollouts = spec.rollouts ?? []
        guard !rollouts.isEmpty else { return nil }
        for rollout in rollouts {
            if case .waiting(_, let message) = try await follow(rollout, until: .writesBothSides) {
                return .notYet(message: message)
            }
        }
        return .yes(who: rollouts.map { "\($0.kind) \($0.name)" }.joined(separator: ", "))
    }

    func mayGoBack(to phase: Phase) async throws -> GuardVerdict {
        if let verdict = try await specStands() { return verdict }
        guard phase < .backfill else { return .allowed }
        let namespace = migration.namespace
        let workloads = try await WorkloadReader(client: client).workloads(in: namespace)
        let replicaSets = try await client.list(ReplicaSet.self, in: namespace).items
        let pods = try await client.list(Pod.self, in: namespace).items
        return RolloutVerdict.dependents(
            on: migration.name, below: phase, workloads: workloads, replicaSets: replicaSets, pods: pods)
    }

    /// Nil while the Migration is still what this run was started for.
    private func specStands() async throws -> GuardVerdict? {
        let live = try await client.find(Migration.self, migration)
        guard let live, live.metadata.uid == uid, live.metadata.generation == generation,
            live.spec?.suspend != true
        else {
            return .waiting(reason: "SpecChanged", message: "the Migration was changed; the new spec is taken up next")
        }
        return nil
    }

    private func follow(_ rollout: RolloutReference, until version: ApplicationVersion) async throws -> GuardVerdict {
        guard let kind = WorkloadKind(apiVersion: rollout.apiVersion, kind: rollout.kind) else {
            return .waiting(
                reason: "RolloutNotSupported",
                message: "\(rollout.kind) \(rollout.name) of \(rollout.apiVersion) cannot be followed")
        }
        let reader = WorkloadReader(client: client)
        guard let workload = try await reader.find(kind, ObjectKey(rollout.name, in: migration.namespace)) else {
            return .waiting(
                reason: "RolloutNotFound",
                message: "there is no \(rollout.kind) \(rollout.name); mend spec.rollouts, or apply it")
        }
        return RolloutVerdict.isRolledOut(try await reader.state(of: workload), version, of: migration.name)
    }
}
