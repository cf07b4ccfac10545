internal import KubernetesClient

/// What to do with a Deployment whose pods may need migrations. No I/O; the same input gives the same decision.
///
/// The gate opens only on what was read live: decided from the cache, an open gate asks for `confirm` first.
public func decideGate(_ input: GateInput) -> GateDecision {
    GateReasoning(input).decide()
}

struct GateReasoning {
    private let input: GateInput
    private let deployment: Deployment
    private let requirements: [Requirement]
    private let template: String
    private let record: ReleaseRecord
    private let bypass: String?

    init(_ input: GateInput) {
        self.input = input
        deployment = input.deployment
        requirements = Requirement.parse(deployment.spec.template.annotations[SluiceName.requires])
        template = TemplateHash.of(deployment.spec.template)
        record = ReleaseRecord(annotation: deployment.metadata.annotations[SluiceName.released])
        bypass = deployment.spec.template.annotations[SluiceName.bypass].flatMap { $0.isEmpty ? nil : $0 }
    }

    func decide() -> GateDecision {
        if deployment.metadata.isBeingDeleted { return GateDecision() }
        if requirements.isEmpty { return withoutRequirements() }
        if let bypass { return bypassed(for: bypass) }
        let obstacles = requirements.compactMap(obstacle)
        let isReleased = record.covers(template, plans: plans)
        if obstacles.isEmpty {
            return isUnsettled ? waiting(isReleased) : opening(isReleased)
        }
        return closed(isReleased, obstacles)
    }

    // MARK: The cases

    /// A rollback, say. What is held is let go at once; what was let through before is remembered.
    private func withoutRequirements() -> GateDecision {
        var decision = GateDecision()
        decision.stamp = stamp(gate: nil, verified: nil, record)
        decision.hold = letGo
        if decision.hold == .release {
            decision.events.append(.init(.normal, "GateReleased", "the template requires no migration"))
        }
        return decision
    }

    private func bypassed(for reason: String) -> GateDecision {
        var decision = GateDecision()
        var record = record
        if !record.bypassed(template, for: reason) {
            record.add(.init(template: template, plans: plans, bypass: reason))
            decision.events.append(
                .init(
                    .warning, "GateBypassed",
                    "rolls out without \(requirements.map(\.description).joined(separator: ", ")): \(reason)"))
        }
        // The truth about the gate stays on the stamp, as far as it is known without asking.
        let isOpen =
            deployment.metadata.annotations[SluiceName.gate] == "open" && !isUnsettled
            && requirements.compactMap(obstacle).isEmpty
        decision.stamp = stamp(gate: isOpen ? "open" : "closed", verified: isOpen ? verified : nil, record)
        decision.hold = letGo
        return decision
    }

    /// Everything that it requires is there, by the status of the migrations.
    private func opening(_ isReleased: Bool) -> GateDecision {
        var decision = GateDecision()
        var record = record
        let isStamped =
            deployment.metadata.annotations[SluiceName.gate] == "open"
            && deployment.metadata.annotations[SluiceName.verified] == verified
        guard input.isLive || (isStamped && isReleased) else {
            // Until then nothing changes, but what may not run yet must not begin to run meanwhile.
            decision.confirm = requirements.map(\.migration)
            decision.hold = pauseIfPending(isReleased)
            return decision
        }
        if !isReleased {
            record.add(.init(template: template, plans: plans))
        }
        decision.stamp = stamp(gate: "open", verified: verified, record)
        decision.hold = letGo
        if !isStamped || !isReleased {
            decision.events.append(.init(.normal, "GateOpened", "verified: \(verified)"))
        }
        return decision
    }

    /// A migration whose new spec nobody has looked at yet: neither opens nor closes anything.
    private func waiting(_ isReleased: Bool) -> GateDecision {
        var decision = GateDecision()
        decision.hold = isReleased ? letGo : pauseIfPending(isReleased)
        return decision
    }

    private func closed(_ isReleased: Bool, _ obstacles: [String]) -> GateDecision {
        var decision = GateDecision()
        let text = obstacles.joined(separator: "; ")
        decision.stamp = stamp(gate: "closed", verified: nil, record)
        decision.hold = isReleased ? letGo : pauseIfPending(isReleased)
        // The webhook held it before we saw it: that is told here.
        let isHeldAlready = isHeldByUs && isPaused && !isReleased && decision.stamp != nil
        if decision.hold.isPause || isHeldAlready {
            decision.events.append(.init(.normal, "GateHeld", "the rollout waits: \(text)"))
        } else if decision.stamp != nil, !isHeldByUs {
            decision.events.append(.init(.normal, "GateClosed", text))
        }
        for requirement in requirements where requirement.level != .verified && decision.stamp != nil {
            decision.events.append(.init(.warning, "RequirementRefused", refusal(requirement)))
        }
        return decision
    }

    // MARK: What they need

    /// Why a requirement is not met; nil when it is, or when that is not known yet.
    private func obstacle(_ requirement: Requirement) -> String? {
        guard requirement.level == .verified else { return refusal(requirement) }
        switch input.migrations[requirement.migration] ?? .missing {
        case .open, .unsettled: return nil
        case .missing: return "there is no Migration \(requirement.migration)"
        case .closed(let reason, _): return "\(requirement.migration): \(reason)"
        }
    }

    private func refusal(_ requirement: Requirement) -> String {
        switch requirement.level {
        case .unknown(let text):
            "\(requirement.migration)@\(text) is refused: write \(requirement.migration), which means verified"
        case .expanded, .verified:
            "\(requirement.migration)@Expand is refused: with dualWrite.by: Database triggers write both sides, so no "
                + "release has to, and one that does is not held yet; write \(requirement.migration)"
        }
    }

    private var isUnsettled: Bool {
        requirements.contains { (input.migrations[$0.migration] ?? .missing).isUnsettled }
    }

    /// The plan of each required migration, as far as it is known.
    private var plans: [String: String] {
        requirements.reduce(into: [:]) { plans, requirement in
            plans[requirement.migration] = input.migrations[requirement.migration]?.planHash
        }
    }

    /// `split-name@sha256:…, balance@sha256:…`: those that are open.
    private var verified: String {
        requirements.compactMap { requirement in
            guard requirement.level == .verified, case .open(let hash)? = input.migrations[requirement.migration]
            else { return nil }
            return "\(requirement.migration)@\(hash)"
        }.joined(separator: ", ")
    }

    /// The stamp if it differs from what is there.
    private func stamp(gate: String?, verified: String?, _ record: ReleaseRecord) -> GateDecision.Stamp? {
        let stamp = GateDecision.Stamp(gate: gate, verified: verified, released: record.annotation)
        let there = GateDecision.Stamp(
            gate: deployment.metadata.annotations[SluiceName.gate],
            verified: deployment.metadata.annotations[SluiceName.verified],
            released: deployment.metadata.annotations[SluiceName.released])
        return stamp == there ? nil : stamp
    }

    private var isHeldByUs: Bool { deployment.metadata.annotations[SluiceName.held] != nil }
    private var isPaused: Bool { deployment.spec.paused ?? false }

    /// Whether something of the hold's own is left on the object, as between the two steps of a release.
    private var ownsFields: Bool {
        deployment.metadata.managedFields.contains { $0.manager == SluiceName.holdManager }
    }

    /// Lets go of our own pause. A person's is theirs.
    private var letGo: GateDecision.Hold? {
        if isHeldByUs { return isPaused ? .release : .giveUp }
        return ownsFields ? .giveUp : nil
    }

    private func pauseIfPending(_ isReleased: Bool) -> GateDecision.Hold? {
        guard !isReleased, !isPaused, !isRolledOut else { return nil }
        return .pause("waits for \(requirements.map(\.description).joined(separator: ", "))")
    }

    /// Whether its pods run already and nothing is left to hold: a workload from before the operator, or a race that
    /// was lost. To pause it would only keep it from ever being current.
    private var isRolledOut: Bool {
        guard let status = deployment.status, let updated = status.updatedReplicas, updated > 0,
            status.observedGeneration == deployment.metadata.generation
        else { return false }
        return updated == (deployment.spec.replicas ?? 1) && status.replicas == updated
            && status.availableReplicas == updated
    }
}

extension GateDecision.Hold? {
    fileprivate var isPause: Bool {
        if case .pause = self { true } else { false }
    }
}
