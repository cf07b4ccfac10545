import KubernetesClient
import MigrationEngine

@testable import MigrationOperator

/// The Deployment, and what the operator's two loops do about its gate: one holds by what it has seen, the other opens by
/// what it reads live. Both may be about to write at the same time.
extension World {
    // MARK: Whoever interferes, and what rolls out

    /// With the webhook: what requires something begins held.
    mutating func apply(requires: String?) {
        let template = (requires == nil ? Self.oldVersion : Self.newVersion).template
        guard workload.template != template else { return }
        hasBeenProven = false
        runsNewPods = false
        workload.object.spec.template = template
        if requires != nil, !workload.isPaused {
            workload.object.spec.paused = true
            workload.object.metadata.annotations[SluiceName.held] = "until the operator lets it go"
        }
        store(workload)
    }

    mutating func rollOut() throws {
        guard !workload.isPaused, workload.requires("split"), !runsNewPods else { return }
        guard hasBeenProven else {
            throw Violation(description: "pods run whose migration was never proven since their template came")
        }
        runsNewPods = true
    }

    private mutating func store(_ changed: Workload) {
        workload = changed
        workload.object.metadata.resourceVersion = "2"
    }

    /// Of versions it matters only whether they are that of the object as it is.
    mutating func renumberWorkload() {
        let present = workload.metadata.resourceVersion
        func rank(_ version: String?) -> String { version == present ? "1" : "0" }
        let version = process.hold?.version
        process.hold?.version = rank(version)
        let confirmed = process.confirmation.version
        process.confirmation.version = rank(confirmed)
        workload.object.metadata.resourceVersion = "1"
    }

    // MARK: The loop that holds

    private static let required = Requirement(migration: "split")

    private func decision(_ workload: Workload, _ state: RequiredMigration, isLive: Bool = false) -> GateDecision {
        decideGate(GateInput(workload: workload, required: [Self.required: state], isLive: isLive))
    }

    mutating func lookAtGate() {
        let decision = decision(workload, RequiredMigration(process.cached))
        if decision.changesSomething { process.hold = GateWrites(decision, of: workload) }
    }

    mutating func hold() {
        guard let writes = process.hold else { return }
        process.hold = write(writes)
    }

    // MARK: The loop that confirms

    mutating func beginToConfirm() {
        guard !decision(workload, RequiredMigration(process.cached)).confirm.isEmpty else { return }
        process.confirmation = .reading(workload)
    }

    mutating func readLive() {
        guard case .reading(let workload) = process.confirmation else { return }
        process.confirmation = .asking(workload, RequiredMigration(migration))
    }

    mutating func askForProof() {
        guard case .asking(let seen, var state) = process.confirmation else { return }
        if case .open(let plan) = state {
            if database.isAway {
                state = .unsettled(planHash: plan)
            } else if case .holds(let certificate) = database.check, certificate.planHash == plan {
                hasBeenProven = true
            } else {
                state = .closed(reason: "it is not proven", planHash: plan)
            }
        }
        let decision = decision(seen, state, isLive: true)
        process.confirmation = decision.changesSomething ? .writing(GateWrites(decision, of: seen)) : .rest
    }

    mutating func writeConfirmed() {
        guard case .writing(let writes) = process.confirmation else { return }
        process.confirmation = write(writes).map { .writing($0) } ?? .rest
    }

    // MARK: Writing

    /// The next write: of the pause, the stamp, and the two of a release. What is left to do after it.
    private mutating func write(_ writes: GateWrites) -> GateWrites? {
        var changed = workload
        let isCurrent = workload.metadata.resourceVersion == writes.version
        switch writes.next {
        case .pause:
            // Whatever version is there: to hold is urgent.
            guard case .pause(let text) = writes.decision.hold else { break }
            changed.object.spec.paused = true
            changed.object.metadata.annotations[SluiceName.held] = text
        case .stamp:
            guard let stamp = writes.decision.stamp else { break }
            guard isCurrent else { return nil }
            for name in [SluiceName.gate, SluiceName.verified, SluiceName.released] {
                changed.object.metadata.annotations[name] = stamp.annotations[name]
            }
        case .release:
            guard writes.decision.hold == .release else { break }
            guard isCurrent else { return nil }
            changed.object.spec.paused = false
        case .giveUp:
            guard writes.decision.hold == .release || writes.decision.hold == .giveUp, isCurrent else { return nil }
            changed.object.spec.paused = nil
            changed.object.metadata.annotations[SluiceName.held] = nil
        }
        if changed != workload { store(changed) }
        var left = writes
        guard let next = GateWrites.Write(rawValue: writes.next.rawValue + 1) else { return nil }
        left.next = next
        if isCurrent || writes.next == .pause { left.version = workload.metadata.resourceVersion }
        return left
    }

    // MARK: The templates

    static let oldVersion = deployment(annotations: [:])
    private static let newVersion = deployment(annotations: [SluiceName.requires: "split"])

    private static func deployment(annotations: JSONValue) -> Workload {
        let object: JSONValue = [
            "metadata": ["name": "api", "namespace": "shop"],
            "spec": [
                "replicas": 1, "template": ["metadata": ["annotations": annotations], "spec": ["containers": []]],
            ],
        ]
        return Workload(.deployment, try! object.decode(WorkloadObject.self))
    }
}

extension GateDecision {
    fileprivate var changesSomething: Bool { stamp != nil || hold != nil }
}
