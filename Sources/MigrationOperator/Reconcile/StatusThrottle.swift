internal import Foundation
internal import KubernetesClient

/// When a status is written: at once when something happened, seldom when only numbers and words move, never when nothing does.
enum StatusThrottle {
    enum Decision: Hashable {
        case unchanged
        case write
        case later(Duration)
    }

    static func decide(
        from before: MigrationStatus?, to after: MigrationStatus, lastWrite: Date?, now: Date
    ) -> Decision {
        if before == after { return .unchanged }
        guard let before, essence(before) == essence(after), let lastWrite else { return .write }
        let wait = Timing.statusInterval.seconds - lastWrite.distance(to: now)
        return wait > 0 ? .later(.seconds(wait)) : .write
    }

    /// The status without what moves all the time.
    private static func essence(_ status: MigrationStatus) -> MigrationStatus {
        var status = status
        status.progress = nil
        status.step = nil
        status.conditions = status.conditions?.map { condition in
            var condition = condition
            condition.message = nil
            condition.reason = nil
            return condition
        }
        return status
    }
}
