/// A timer that is to be set, or taken away where it has no time.
struct TimerChange: Hashable {
    enum Kind: String {
        case promise
        case task
        case schedule
    }

    var kind: Kind
    var id: String
    /// Milliseconds since 1970.
    var at: Int64?

    /// What follows for the timers from what changed.
    static func all(of outcome: PromiseStateMachine.Outcome, over stored: PromiseRecords) -> [TimerChange] {
        var changes: [TimerChange] = []
        for promise in outcome.changes.promises.values {
            change(.promise, promise.id, stored.promises[promise.id]?.expiresAt, promise.expiresAt, &changes)
        }
        for task in outcome.changes.tasks.values {
            change(.task, task.id, stored.tasks[task.id]?.wakesAt, task.wakesAt, &changes)
        }
        for schedule in outcome.changes.schedules.values {
            change(.schedule, schedule.id, stored.schedules[schedule.id]?.nextRunAt, schedule.nextRunAt, &changes)
        }
        for id in outcome.removedSchedules { changes.append(TimerChange(kind: .schedule, id: id)) }
        return changes.sorted { ($0.kind.rawValue, $0.id) < ($1.kind.rawValue, $1.id) }
    }

    private static func change(
        _ kind: Kind,
        _ id: String,
        _ before: Int64?,
        _ after: Int64?,
        _ changes: inout [TimerChange]
    ) {
        if before != after { changes.append(TimerChange(kind: kind, id: id, at: after)) }
    }
}

extension PromiseRecord {
    /// When its deadline is enforced though nobody asks.
    fileprivate var expiresAt: Int64? {
        state == .pending && isExternal ? timeoutAt : nil
    }
}
