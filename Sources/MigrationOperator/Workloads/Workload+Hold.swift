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

    func heldValue(paused: Bool) -> JSONValue {
        switch kind {
        case .deployment, .rollout, .cronJob, .job: .bool(paused)
        case .daemonSet: paused ? "OnDelete" : "RollingUpdate"
        case .statefulSet: .int(paused ? Self.closedPartition : 0)
        }
    }

    /// The fields that hold it, or let it go.
    func fields(paused: Bool) -> JSONValue {
        heldPath.reversed().reduce(heldValue(paused: paused)) { value, name in .object([name: value]) }
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

    /// Whether nothing is left to hold: pods of this very template run already, as in a workload from before the operator
    /// or after a race that was lost. To hold it then would only keep it from ever being current.
    var isRolledOut: Bool {
        switch kind {
        case .cronJob: false
        case .job: hasStarted
        default: progress.hasUpdated
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
        guard cannotBeHeld, !isRolledOut else { return nil }
        return
            "the first pods of a \(kind.rawValue) cannot be held: let them wait for themselves, with sluice wait as an "
            + "init container"
    }

    private var isFirstGeneration: Bool { metadata.generation ?? 1 <= 1 }
}
