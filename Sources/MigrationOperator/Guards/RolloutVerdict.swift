internal import KubernetesClient
internal import MigrationEngine
internal import SchemaChange

/// What the guards make of what they read. No I/O.
enum RolloutVerdict {
    /// Whether a Deployment runs nothing but the version that needs `migration`.
    static func isRolledOut(_ state: RolloutState, for migration: String) -> GuardVerdict {
        let deployment = state.deployment
        let name = "Deployment \(deployment.metadata.name)"
        let requirements = requirements(deployment.spec.template)
        guard requirements.contains(where: { $0.migration == migration }) else {
            return .waiting(
                reason: "RolloutNotUpdated",
                message: "\(name): its template does not require \(migration), so it may still be the old version; "
                    + "roll out the new one with \(SluiceName.requires): \(migration)")
        }
        if deployment.spec.paused == true {
            return .waiting(reason: "RolloutPaused", message: "\(name) is paused")
        }
        let status = deployment.status
        guard let seen = status?.observedGeneration, seen >= deployment.metadata.generation ?? 0 else {
            return .waiting(
                reason: "RolloutInProgress", message: "\(name): its controller has not seen its last change yet")
        }
        let wanted = deployment.spec.replicas ?? 1
        let counts = (
            all: status?.replicas ?? 0, updated: status?.updatedReplicas ?? 0, available: status?.availableReplicas ?? 0
        )
        guard counts.updated == wanted, counts.all == wanted, counts.available == wanted else {
            return .waiting(
                reason: "RolloutInProgress",
                message: "\(name): \(counts.updated) of \(wanted) pods are updated, \(counts.available) available, "
                    + "\(counts.all) in all")
        }
        return nothingOldIsLeft(state, migration, name)
    }

    private static func nothingOldIsLeft(_ state: RolloutState, _ migration: String, _ name: String) -> GuardVerdict {
        let isNew: (ReplicaSet) -> Bool = { set in
            set.spec.template.map { template in
                requirements(template).contains { $0.migration == migration }
            } ?? false
        }
        let old = state.replicaSets.filter { !isNew($0) }
        let living = old.filter { ($0.spec.replicas ?? 0) > 0 || ($0.status?.replicas ?? 0) > 0 }
        if let set = living.min(by: { $0.key < $1.key }) {
            return .waiting(
                reason: "OldVersionRuns", message: "\(name): the old ReplicaSet \(set.metadata.name) still has pods")
        }
        // A pod that is on its way out is counted by nobody any more, and may still write.
        let oldUIDs = Set(old.compactMap(\.metadata.uid))
        let pods = state.pods.filter { pod in
            !pod.isFinished && pod.metadata.controller.map { oldUIDs.contains($0.uid) } == true
        }
        if !pods.isEmpty {
            return .waiting(
                reason: "OldVersionRuns",
                message: "\(name): pods of the old version have not ended: \(names(pods.map(\.metadata.name)))")
        }
        return .allowed
    }

    /// Who in the namespace needs what would go on the way back to `phase`.
    static func dependents(
        on migration: String, below phase: Phase, deployments: [Deployment], replicaSets: [ReplicaSet], pods: [Pod]
    ) -> GuardVerdict {
        let needs: ([String: String]) -> Bool = { annotations in
            Requirement.parse(annotations[SluiceName.requires]).contains {
                $0.migration == migration && $0.needsMore(than: phase)
            }
        }
        var found: [String] = []
        for deployment in deployments.sorted(by: { $0.key < $1.key })
        where (deployment.spec.replicas ?? 1) > 0 && needs(deployment.spec.template.annotations) {
            found.append("Deployment \(deployment.metadata.name)")
        }
        for set in replicaSets.sorted(by: { $0.key < $1.key })
        where ((set.spec.replicas ?? 1) > 0 || (set.status?.replicas ?? 0) > 0)
            && needs(set.spec.template?.annotations ?? [:])
        {
            found.append("ReplicaSet \(set.metadata.name)")
        }
        // Pods of other kinds of workload are found here, too.
        for pod in pods.sorted(by: { $0.key < $1.key }) where !pod.isFinished && needs(pod.metadata.annotations) {
            found.append("Pod \(pod.metadata.name)")
        }
        guard !found.isEmpty else { return .allowed }
        return .waiting(
            reason: "WaitingForDependents",
            message: "\(names(found)) require \(migration); roll them back, or scale them to zero, first")
    }

    private static func requirements(_ template: PodTemplate) -> [Requirement] {
        Requirement.parse(template.annotations[SluiceName.requires])
    }

    /// The first few, and how many more.
    private static func names(_ names: [String]) -> String {
        let shown = names.prefix(5).joined(separator: ", ")
        return names.count > 5 ? "\(shown) and \(names.count - 5) more" : shown
    }
}
