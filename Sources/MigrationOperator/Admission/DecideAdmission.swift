internal import KubernetesClient

/// What the webhook does to a workload that is being written. No I/O, and no look at any Migration: whether the gate is
/// open is for the gate to say, which releases what is held here as soon as it has looked.
///
/// So that no pod of a template that requires something begins before the gate has let it through, it is stored paused:
/// when it is made, when its template changes, and when somebody else than the gate takes the pause of a held one away.
public func decideAdmission(_ request: AdmissionRequest) -> AdmissionDecision {
    guard request.group == "apps", request.kind == "Deployment", request.subresource == nil,
        request.operation == .create || request.operation == .update,
        let object = request.object.map(GatedObject.init),
        // The gate's own writes: it holds and releases by what it has read live.
        request.fieldManager != SluiceName.holdManager, request.fieldManager != SluiceName.stampManager,
        !object.isBeingDeleted, !object.requirements.isEmpty, !object.isBypassed
    else { return .pass }
    let old = request.oldObject.map(GatedObject.init)
    let wasHeld = old?.isHeldByUs ?? false
    if object.isPaused {
        // A pause that comes with the object is a person's, and so is one that somebody declares on what we held.
        let isTakenOver = object.mark != nil && wasHeld && object.declaresPause(besides: old)
        return isTakenOver ? .giveUp : .pass
    }
    guard wasHeld || old?.template != object.template else { return .pass }
    return .hold(mark: "waits for \(object.requirements.map(\.description).joined(separator: ", "))")
}

/// A workload as it stands in an admission request.
private struct GatedObject {
    let json: JSONValue

    init(_ json: JSONValue) {
        self.json = json
    }

    var template: JSONValue? { json[path: "spec", "template"] }
    var isPaused: Bool { json[path: "spec", "paused"]?.bool ?? false }
    var mark: String? { json[path: "metadata", "annotations", SluiceName.held]?.string }
    var isHeldByUs: Bool { isPaused && mark != nil }
    var isBeingDeleted: Bool { json[path: "metadata", "deletionTimestamp"]?.string != nil }

    var requirements: [Requirement] {
        Requirement.parse(template?[path: "metadata", "annotations", SluiceName.requires]?.string)
    }

    var isBypassed: Bool {
        template?[path: "metadata", "annotations", SluiceName.bypass]?.string?.isEmpty == false
    }

    /// Whether somebody owns `spec.paused` who did not own it in `old`.
    func declaresPause(besides old: GatedObject?) -> Bool {
        !pauseOwners.subtracting(old?.pauseOwners ?? []).isEmpty
    }

    private var pauseOwners: Set<String> {
        let entries = json[path: "metadata", "managedFields"]?.array ?? []
        return Set(
            entries.compactMap { entry in
                guard let manager = entry["manager"]?.string, manager != SluiceName.holdManager,
                    entry[path: "fieldsV1", "f:spec", "f:paused"] != nil
                else { return nil }
                return manager
            })
    }
}
