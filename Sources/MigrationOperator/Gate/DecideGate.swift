internal import KubernetesClient

/// What to do with a workload whose pods may need migrations. No I/O; the same input gives the same decision.
///
/// The gate opens only on what was read live: decided from the cache, an open gate asks for `confirm` first.
public func decideGate(_ input: GateInput) -> GateDecision {
    GateReasoning(input).decide()
}

struct GateReasoning {
    private let input: GateInput
    private let workload: Workload
    private let requirements: [Requirement]
    private let template: String
    private let record: ReleaseRecord
    private let bypass: String?

    init(_ input: GateInput) {
        self.input = input
        workload = input.workload
        requirements = workload.requirements
        template = TemplateHash.of(workload.template)
        // What the present template has no need of to be verified may go back from now on.
        record = ReleaseRecord(annotation: workload.metadata.annotations[SluiceName.released])
            .kept(by: template, requiring: requirements.filter { $0.level == .verified }.map(\.migration))
        bypass = workload.template.annotations[SluiceName.bypass].flatMap { $0.isEmpty ? nil : $0 }
    }

    func decide() -> GateDecision {
        if workload.metadata.isBeingDeleted || workload.isOwnedByWorkload { return GateDecision() }
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

    /// A rollback, say. What is held is let go at once.
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
                    "rolls out without \(met): \(reason)"))
        }
        // The truth about the gate stays on the stamp, as far as it is known without asking.
        let isOpen =
            workload.metadata.annotations[SluiceName.gate] == "open" && !isUnsettled
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
            workload.metadata.annotations[SluiceName.gate] == "open"
            && workload.metadata.annotations[SluiceName.verified] == verified
        guard input.isLive || (isStamped && isReleased) else {
            // Until then nothing changes, but what may not run yet must not begin to run meanwhile.
            decision.confirm = requirements
            decision.hold = pauseIfPending(isReleased)
            return decision
        }
        if !isReleased {
            record.add(.init(template: template, plans: plans))
        }
        decision.stamp = stamp(gate: "open", verified: verified, record)
        decision.hold = letGo
        if !isStamped || !isReleased {
            decision.events.append(.init(.normal, "GateOpened", "met: \(met)"))
        }
        return decision
    }

    /// A migration whose new spec nobody has looked at yet, or whose database does not answer: takes nothing back from what
    /// was let through, and lets nothing through.
    private func waiting(_ isReleased: Bool) -> GateDecision {
        guard isReleased else {
            let unknown = requirements.filter { state($0).isUnsettled }.map { "whether \($0) is met is not known yet" }
            return closed(isReleased, unknown)
        }
        var decision = GateDecision()
        decision.hold = letGo
        return decision
    }

    private func closed(_ isReleased: Bool, _ obstacles: [String]) -> GateDecision {
        var decision = GateDecision()
        let text = obstacles.joined(separator: "; ")
        decision.stamp = stamp(gate: "closed", verified: nil, record)
        decision.hold = isReleased ? letGo : pauseIfPending(isReleased)
        // The webhook held it before we saw it: that is told here.
        let isHeld = isHeldByUs && isPaused && !isReleased
        if isHeld { decision.late = workload.podsOfTemplate }
        if decision.hold.isPause || (isHeld && decision.stamp != nil) {
            decision.events.append(.init(.normal, MigrationEvent.gateHeld, "the rollout waits: \(text)"))
        } else if decision.stamp != nil, !isHeldByUs {
            decision.events.append(.init(.normal, "GateClosed", text))
        }
        guard decision.stamp != nil else { return decision }
        if !isReleased, let reason = workload.whyNotHeld {
            decision.events.append(.init(.warning, MigrationEvent.gateNotHeld, reason))
        }
        for requirement in requirements {
            guard case .refused(let reason) = state(requirement) else { continue }
            decision.events.append(.init(.warning, "RequirementRefused", "\(requirement.migration): \(reason)"))
        }
        return decision
    }

    // MARK: What they need

    private func state(_ requirement: Requirement) -> RequiredMigration {
        input.required[requirement] ?? RequiredMigration(nil, for: requirement.level)
    }

    /// Why a requirement is not met; nil when it is, or when that is not known yet.
    private func obstacle(_ requirement: Requirement) -> String? {
        switch state(requirement) {
        case .open, .unsettled: nil
        case .missing: "there is no Migration \(requirement.migration)"
        case .closed(let reason, _): "\(requirement): \(reason)"
        case .refused(let reason): "\(requirement) is refused: \(reason)"
        }
    }

    private var isUnsettled: Bool { requirements.contains { state($0).isUnsettled } }

    /// The plan of each required migration, as far as it is known.
    private var plans: [String: String] {
        requirements.reduce(into: [:]) { plans, requirement in
            plans[requirement.migration] = state(requirement).planHash
        }
    }

    /// `split-name@sha256:…, balance@sha256:…`: those whose proof was asked for and holds.
    private var verified: String? {
        let names = requirements.compactMap { requirement -> String? in
            guard requirement.level == .verified, case .open(let hash) = state(requirement) else { return nil }
            return "\(requirement.migration)@\(hash)"
        }
        return names.isEmpty ? nil : names.joined(separator: ", ")
    }

    /// What is there, for people.
    private var met: String { requirements.map(\.description).joined(separator: ", ") }

    /// The stamp if it differs from what is there.
    private func stamp(gate: String?, verified: String?, _ record: ReleaseRecord) -> GateDecision.Stamp? {
        let stamp = GateDecision.Stamp(gate: gate, verified: verified, released: record.annotation)
        let there = GateDecision.Stamp(
            gate: workload.metadata.annotations[SluiceName.gate],
            verified: workload.metadata.annotations[SluiceName.verified],
            released: workload.metadata.annotations[SluiceName.released])
        return stamp == there ? nil : stamp
    }

    private var isHeldByUs: Bool { workload.isMarked }
    private var isPaused: Bool { workload.isPaused }

    /// Lets go of our own pause. A person's is theirs, also one that they have put in the place of ours.
    private var letGo: GateDecision.Hold? {
        if isHeldByUs { return workload.isPausedAsHeld ? .release : .giveUp }
        return workload.hasFieldsOfHold ? .giveUp : nil
    }

    private func pauseIfPending(_ isReleased: Bool) -> GateDecision.Hold? {
        guard !isReleased, !isPaused, !workload.isRolledOut, !workload.cannotBeHeld else { return nil }
        return .pause("waits for \(met)")
    }
}

extension GateDecision.Hold? {
    fileprivate var isPause: Bool {
        if case .pause = self { true } else { false }
    }
}
