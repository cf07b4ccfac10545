internal import KubernetesClient
internal import MigrationEngine
internal import SchemaChange

/// The events of a Migration: what `kubectl describe` tells of it, read off two statuses.
enum MigrationStory {
    static func events(from before: MigrationStatus?, to after: MigrationStatus) -> [MigrationEvent] {
        var events: [MigrationEvent] = []
        if let plan = after.plan, plan.planHash != before?.plan?.planHash {
            events.append(.init(.normal, "Planned", plan.text))
        }
        if let before, let phase = after.phase { events += turn(of: before.phase ?? .initial, into: phase) }
        events += turns(.verified, before, after) { condition in
            condition.status == .yes
                ? .init(.normal, "Verified", condition.message ?? "")
                : .init(.warning, condition.reason ?? "NotVerified", condition.message ?? "")
        }
        events += turns(.gateOpen, before, after) { condition in
            condition.status == .yes
                ? .init(.normal, "GateOpened", condition.message ?? "")
                : .init(.normal, "GateClosed", condition.message ?? "")
        }
        events += throttling(before, after)
        // The end of a proof is an obstacle as well; it is told once.
        let told = Set(events.map(\.reason))
        return events + obstacle(before, after).filter { !told.contains($0.reason) }
    }

    /// Each phase that was completed, also where several were between two looks.
    private static func turn(of old: Phase, into phase: Phase) -> [MigrationEvent] {
        if phase < old {
            return [.init(.normal, "WentBack", "\(old.rawValue) was undone; it is at \(phase.rawValue) again")]
        }
        return Phase.allCases.filter { $0 > old && $0 <= phase }.map {
            .init(.normal, "\($0.rawValue)Complete", "\($0.rawValue) is complete")
        }
    }

    /// What holds the backfill, once for each reason, and that nothing does any more.
    private static func throttling(_ before: MigrationStatus?, _ after: MigrationStatus) -> [MigrationEvent] {
        guard let now = after.condition(.throttled) else { return [] }
        let old = before?.condition(.throttled)
        guard now.status == .yes else {
            return old?.status == .yes ? [.init(.normal, "Released", "nothing holds the backfill any more")] : []
        }
        guard old?.status != .yes || old?.reason != now.reason else { return [] }
        return [.init(.warning, "Throttled", "\(now.reason ?? ""): \(now.message ?? "")")]
    }

    /// An event where a condition becomes true, or stops being true. What was never true has no end.
    private static func turns(
        _ type: MigrationCondition, _ before: MigrationStatus?, _ after: MigrationStatus,
        _ event: (Condition) -> MigrationEvent
    ) -> [MigrationEvent] {
        let was = before?.condition(type)?.status == .yes
        guard let condition = after.condition(type), condition.status != .unknown else { return [] }
        return was != (condition.status == .yes) ? [event(condition)] : []
    }

    /// What it waits for, or why it is stalled: once for each reason.
    private static func obstacle(_ before: MigrationStatus?, _ after: MigrationStatus) -> [MigrationEvent] {
        let types: [MigrationCondition] = [.stalled, .ready, .contracted]
        for type in types {
            guard let condition = after.condition(type) else { continue }
            let old = before?.condition(type)
            let isNews = old?.status != condition.status || old?.reason != condition.reason
            let reason = condition.reason ?? ""
            switch (type, condition.status) {
            case (.stalled, .yes) where isNews:
                return [.init(.warning, reason, condition.message ?? "")]
            case (.stalled, .yes):
                return []
            case (.ready, .no) where isNews && Self.isWait(after, reason),
                (.contracted, .no) where isNews && reason != "NotRequested" && Self.isWait(after, reason):
                return [.init(.normal, reason, condition.message ?? "")]
            default:
                continue
            }
        }
        return []
    }

    /// What it waits for is told, and each step that it comes to.
    private static func isWait(_ status: MigrationStatus, _ reason: String) -> Bool {
        status.step == reason
            || [
                "Suspended", "WaitingForDependencies", DatabaseFailure.secretNotFound,
                DatabaseFailure.invalidURL, DatabaseFailure.unavailable,
            ].contains(reason)
    }
}
