internal import KubernetesClient

/// What the webhook does to a workload that is being written. No I/O, and no look at any Migration: whether the gate is
/// open is for the gate to say, which releases what is held here as soon as it has looked.
///
/// So that no pod of a template that requires something begins before the gate has let it through, the workload is stored
/// held: when it is made, when its template changes, when somebody else than the gate lets go of a held one, and when a
/// person ends a pause of their own before the gate is open. What no hold can keep from its first pods is stored as it is
/// when it is made.
///
/// - Parameter account: as whom the operator writes; nil where that is not known, and the field manager alone tells.
public func decideAdmission(_ request: AdmissionRequest, operator account: String? = nil) -> AdmissionDecision {
    guard request.operation == .create || request.operation == .update, request.subresource == nil,
        !request.isOfGate(of: account),
        let workload = request.workload(request.object), needsGate(workload)
    else { return .pass }
    let old = request.workload(request.oldObject)
    if old == nil, !workload.kind.holdsFirstPods { return .pass }
    let wasHeld = old.map { $0.isPaused && $0.isMarked } ?? false
    if workload.isPaused {
        // A pause that comes with the object is a person's, and so is one that somebody declares on what we held.
        let isTakenOver =
            wasHeld && workload.isMarked && workload.isHeldFieldDeclared && old?.isHeldFieldDeclared == false
        return isTakenOver ? .giveUp : .pass
    }
    guard wasHeld || request.changesTemplate || (old.map(isKeptByPause) ?? false) else { return .pass }
    let waited = workload.requirements.map(\.description).joined(separator: ", ")
    return .hold(
        path: workload.heldPath, value: workload.heldValue(paused: true),
        marks: .init("\(SluiceName.webhookMark)waits for \(waited)", from: workload.heldFrom))
}

/// Whether its template requires something, and nobody has said that it rolls out nevertheless.
private func needsGate(_ workload: Workload) -> Bool {
    !workload.metadata.isBeingDeleted && !workload.isOwnedByWorkload && !workload.requirements.isEmpty
        && workload.template.annotations[SluiceName.bypass]?.isEmpty ?? true
}

/// Whether a pause, of whomever, keeps it from rolling out what the gate has not let through, by the operator's stamp.
private func isKeptByPause(_ old: Workload) -> Bool {
    old.isPaused && old.metadata.annotations[SluiceName.gate] != "open"
}

extension AdmissionRequest {
    /// A write of the gate's own, which holds and releases by what it has read live. Anybody may call himself by its field
    /// managers, so the account counts as well.
    fileprivate func isOfGate(of account: String?) -> Bool {
        guard let fieldManager, [SluiceName.holdManager, SluiceName.stampManager].contains(fieldManager) else {
            return false
        }
        return account == nil || username == account
    }

    /// By all of it, byte for byte, as its controller compares: Swift takes texts of another normal form for the same.
    fileprivate var changesTemplate: Bool {
        func text(_ object: JSONValue?) -> [UInt8] {
            let templates = [object?[path: "spec", "template"], object?[path: "spec", "jobTemplate"]]
            return Array(JSONValue.array(templates.map { $0 ?? .null }).text.utf8)
        }
        return text(object) != text(oldObject)
    }

    /// An object of the request; nil where there is none, or none that is gated.
    fileprivate func workload(_ object: JSONValue?) -> Workload? {
        guard let kind = WorkloadKind(rawValue: kind), kind.group == group,
            let object = try? object?.decode(WorkloadObject.self)
        else { return nil }
        return Workload(kind, object)
    }
}
