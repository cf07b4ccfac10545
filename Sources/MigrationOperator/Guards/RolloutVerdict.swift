internal import KubernetesClient
internal import MigrationEngine
internal import SchemaChange

/// What the guards make of what they read. No I/O.
enum RolloutVerdict {
    /// Whether a workload runs nothing but this version of the application, as far as `migration` is concerned.
    static func isRolledOut(
        _ state: RolloutState, _ version: ApplicationVersion, of migration: String
    ) -> GuardVerdict {
        let workload = state.workload
        let isOfVersion = { version.isDeclared(by: $0, for: migration) }
        guard isOfVersion(workload.template.annotations) else {
            return .waiting(
                reason: "RolloutNotUpdated",
                message: "\(workload.name): its template does not say that it is the version which is waited for; roll "
                    + "that out, with \(version.annotation(for: migration))")
        }
        return progress(workload) ?? nothingOldIsLeft(state, isOfVersion)
    }

    /// Nil when the kind's controller is done, or has nothing that it does by and by.
    private static func progress(_ workload: Workload) -> GuardVerdict? {
        if workload.kind == .cronJob || workload.kind == .job { return nil }
        if workload.isPaused {
            return .waiting(
                reason: "RolloutPaused", message: "\(workload.name) is paused, by \(workload.heldField)")
        }
        let progress = workload.progress
        guard progress.isSeen else {
            return .waiting(
                reason: "RolloutInProgress",
                message: "\(workload.name): its controller has not seen its last change yet")
        }
        guard progress.isComplete else {
            return .waiting(
                reason: "RolloutInProgress",
                message: "\(workload.name): \(progress.updated) of \(progress.wanted) pods are updated, "
                    + "\(progress.available) available, \(progress.all) in all")
        }
        return nil
    }

    private static func nothingOldIsLeft(
        _ state: RolloutState, _ isOfVersion: ([String: String]) -> Bool
    ) -> GuardVerdict {
        let name = state.workload.name
        let old = state.replicaSets.filter { !isOfVersion($0.spec.template?.annotations ?? [:]) }
        let living = old.filter { ($0.spec.replicas ?? 0) > 0 || ($0.status?.replicas ?? 0) > 0 }
        if let set = living.min(by: { $0.key < $1.key }) {
            return .waiting(
                reason: "OldVersionRuns", message: "\(name): the old ReplicaSet \(set.metadata.name) still has pods")
        }
        // Between two tries it has no pod, and the next one is of its own template all the same.
        let jobs = state.jobs.filter { $0.wantsPods && !isOfVersion($0.template.annotations) }
        if !jobs.isEmpty {
            return .waiting(
                reason: "OldVersionRuns",
                message: "\(name): Jobs of the old version have not ended: \(names(jobs.map(\.metadata.name)))")
        }
        // A pod that is on its way out is counted by nobody any more, and may still write.
        let sets = Set(state.replicaSets.compactMap(\.metadata.uid))
        let oldSets = Set(old.compactMap(\.metadata.uid))
        let pods = state.pods.filter { pod in
            guard !pod.isFinished, let owner = pod.metadata.controller?.uid else { return false }
            return sets.contains(owner) ? oldSets.contains(owner) : !isOfVersion(pod.metadata.annotations)
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
        on migration: String, below phase: Phase, workloads: [Workload], replicaSets: [ReplicaSet], pods: [Pod]
    ) -> GuardVerdict {
        let needs: ([String: String]) -> Bool = { annotations in
            Requirement.parse(annotations[SluiceName.requires]).contains {
                $0.migration == migration && $0.needsMore(than: phase)
            }
        }
        var found: [String] = []
        for workload in workloads.sorted(by: { ($0.kind.rawValue, $0.key) < ($1.kind.rawValue, $1.key) })
        where workload.wantsPods && needs(workload.template.annotations) {
            found.append(workload.name)
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

    /// The first few, and how many more.
    private static func names(_ names: [String]) -> String {
        let shown = names.prefix(5).joined(separator: ", ")
        return names.count > 5 ? "\(shown) and \(names.count - 5) more" : shown
    }
}
