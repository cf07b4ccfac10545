internal import KubernetesClient

/// How a workload is kept from making pods of its template.
///
/// | kind | while held | what that cannot keep from |
/// |---|---|---|
/// | Deployment, Rollout | `paused` | |
/// | CronJob, Job | `suspend` | |
/// | StatefulSet | a partition above every ordinal | the first pods of a set that is new, and those of a scale up |
/// | DaemonSet | `OnDelete` | the first pods of a set that is new, and those on nodes that are new |
extension Workload {
    /// Above every ordinal, also after a scale up, and unlike what a person would choose.
    static let closedPartition: Int64 = 2_147_483_647

    /// Whether no pod is replaced by one of the present template, whoever wanted that.
    var isPaused: Bool {
        switch kind {
        case .deployment, .rollout: return object.spec.paused ?? false
        case .cronJob, .job: return object.spec.suspend ?? false
        case .daemonSet: return object.spec.updateStrategy?.type == "OnDelete"
        case .statefulSet:
            if object.spec.updateStrategy?.type == "OnDelete" { return true }
            return object.spec.updateStrategy?.rollingUpdate?.partition ?? 0 >= max(object.spec.replicas ?? 1, 1)
        }
    }

    /// Whether that is so by what a hold writes. A StatefulSet's partition may be a person's, too.
    var isPausedAsHeld: Bool {
        guard kind == .statefulSet, let partition = object.spec.updateStrategy?.rollingUpdate?.partition else {
            return isPaused
        }
        return partition == Self.closedPartition
    }

    /// The field that a hold owns, from the top of the object.
    var heldPath: [String] {
        switch kind {
        case .deployment, .rollout: ["spec", "paused"]
        case .cronJob, .job: ["spec", "suspend"]
        case .daemonSet: ["spec", "updateStrategy", "type"]
        case .statefulSet: ["spec", "updateStrategy", "rollingUpdate", "partition"]
        }
    }

    /// As it is told to people: `spec.paused`.
    var heldField: String { heldPath.joined(separator: ".") }

    /// Let go, it is what it was before.
    func heldValue(paused: Bool) -> JSONValue {
        switch kind {
        case .deployment, .rollout, .cronJob, .job: .bool(paused)
        case .daemonSet: paused ? "OnDelete" : "RollingUpdate"
        case .statefulSet: .int(paused ? Self.closedPartition : notedPartition ?? 0)
        }
    }

    /// The fields that hold it, or let it go.
    func fields(paused: Bool) -> JSONValue {
        heldPath.reversed().reduce(heldValue(paused: paused)) { value, name in .object([name: value]) }
    }

    /// What a hold notes of the field before it takes it, where that is not what a server fills in.
    var heldFrom: String? {
        guard kind == .statefulSet, let partition = object.spec.updateStrategy?.rollingUpdate?.partition else {
            return nil
        }
        return partition == 0 || partition == Self.closedPartition ? nil : "\(partition)"
    }

    /// A StatefulSet's partition before it was held; nil where it had none of its own.
    var notedPartition: Int64? {
        metadata.annotations[SluiceName.heldFrom].flatMap { Int64($0) }.flatMap {
            (1..<Self.closedPartition) ~= $0 ? $0 : nil
        }
    }

    /// Whether it has the mark of a hold.
    var isMarked: Bool { metadata.annotations[SluiceName.held] != nil }

    /// Whether something that the hold applied is left on the object, as between the two steps of a release.
    var hasFieldsOfHold: Bool {
        metadata.managedFields.contains { $0.manager == SluiceName.holdManager && $0.operation == "Apply" }
    }

    /// Whether the webhook holds it, which does not ask who owns the field.
    var isHeldByWebhook: Bool {
        metadata.annotations[SluiceName.held]?.hasPrefix(SluiceName.webhookMark) ?? false
    }

    /// Whether somebody's manifest says what the field is to be: it is theirs then, and we do not fight over it.
    ///
    /// That a manager which does not apply owns it says nothing: it owns what the server filled in when it wrote, too
    /// (<https://kubernetes.io/docs/reference/using-api/server-side-apply/#field-management>).
    var isHeldFieldDeclared: Bool {
        let isApplied = metadata.managedFields.contains { entry in
            entry.operation == "Apply" && entry.manager != SluiceName.holdManager
                && heldPath.reduce(entry.fieldsV1) { fields, name in fields?["f:\(name)"] } != nil
        }
        let last = metadata.annotations[SluiceName.lastApplied].flatMap { try? JSONValue(parsing: $0) }
        return isApplied || heldPath.reduce(last) { fields, name in fields?[name] } != nil
    }

    /// Whether nothing is left to hold: pods of this very template run already, and no others, as in a workload from before
    /// the operator or after a race that was lost. To hold it then would only keep it from ever being current.
    ///
    /// It stays so when it is scaled up, or a node is lost: pods that are made then replace none of another template. But a
    /// new one whose first pod of several was just made is not there yet, so its controller must have said that this template
    /// was rolled out once.
    var isRolledOut: Bool {
        switch kind {
        case .cronJob: false
        case .job: hasStarted
        default: progress.hasOnlyUpdated && (progress.isComplete || wasComplete)
        }
    }

    /// Whether the kind's controller remembers that the present template was rolled out to the end.
    private var wasComplete: Bool {
        let status = object.status ?? [:]
        switch kind {
        case .deployment:
            // Stays while pods of no other template are there:
            // https://kubernetes.io/docs/concepts/workloads/controllers/deployment/#complete-deployment
            return (status["conditions"]?.array ?? []).contains {
                $0["type"]?.string == "Progressing" && $0["reason"]?.string == "NewReplicaSetAvailable"
            }
        case .statefulSet: return status["currentRevision"] == status["updateRevision"]
        // Pods of it are made wherever they are missing, held or not.
        case .daemonSet: return true
        case .rollout:
            let stable = status["stableRS"]?.string ?? ""
            return !stable.isEmpty && stable == status["currentPodHash"]?.string
        case .cronJob, .job: return false
        }
    }

    /// A Job whose pods are there, or were: suspending it would kill them.
    private var hasStarted: Bool {
        guard let status = object.status else { return false }
        return ["active", "succeeded", "failed"].contains { status[$0]?.int ?? 0 > 0 }
            || status["startTime"]?.string != nil
    }

    /// Whether the first pods of its template cannot be held: there are none of an older one to leave as they are.
    var cannotBeHeld: Bool {
        switch kind {
        case .deployment, .rollout, .cronJob, .job: return false
        case .daemonSet: return isFirstGeneration
        case .statefulSet:
            let (current, updated) = (object.status?["currentRevision"], object.status?["updateRevision"])
            return isFirstGeneration || (progress.isSeen && current == updated)
        }
    }

    /// Why pods of its template run, or are about to, though they should wait; nil where a hold keeps them.
    var whyNotHeld: String? {
        if kind == .job, hasStarted { return "it had started before it could be held" }
        guard cannotBeHeld, !progress.isComplete || progress.updated == 0 else { return nil }
        return
            "the first pods of a \(kind.rawValue) cannot be held: let them wait for themselves, with sluice wait as an "
            + "init container"
    }

    /// Which pods of its template there are, in words, as its controller has counted them since the last change; nil for none.
    /// Of a StatefulSet that is held the field counts what its controller has replaced.
    var podsOfTemplate: String? {
        let progress = progress
        guard progress.isSeen, progress.updated > 0 else { return nil }
        return "\(progress.updated) of \(progress.all) pods are of this template already: they began before the hold"
    }

    private var isFirstGeneration: Bool { metadata.generation ?? 1 <= 1 }
}
