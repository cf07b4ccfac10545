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
        var changes: Set<TimerChange> = []
        for promise in outcome.changes.promises.values {
            change(.promise, promise.id, stored.promises[promise.id]?.expiresAt, promise.expiresAt, &changes)
        }
        for task in outcome.changes.tasks.values {
            change(.task, task.id, stored.tasks[task.id]?.wakesAt, task.wakesAt, &changes)
        }
        for schedule in outcome.changes.schedules.values {
            change(.schedule, schedule.id, stored.schedules[schedule.id]?.nextRunAt, schedule.nextRunAt, &changes)
        }
        for id in outcome.removedSchedules { changes.insert(TimerChange(kind: .schedule, id: id)) }
        for event in outcome.events { changes.insert(after(event, outcome, over: stored)) }
        return changes.sorted { ($0.kind.rawValue, $0.id) < ($1.kind.rawValue, $1.id) }
    }

    private static func change(
        _ kind: Kind,
        _ id: String,
        _ before: Int64?,
        _ after: Int64?,
        _ changes: inout Set<TimerChange>
    ) {
        if before != after { changes.insert(TimerChange(kind: kind, id: id, at: after)) }
    }

    /// A timer that has fired is left as its record says, though nothing came of it: else it would fire for ever.
    private static func after(
        _ event: PromiseEvent,
        _ outcome: PromiseStateMachine.Outcome,
        over stored: PromiseRecords
    ) -> TimerChange {
        func promise(_ id: String) -> PromiseRecord? { outcome.changes.promises[id] ?? stored.promises[id] }
        switch event {
        case .deadline(let id): return TimerChange(kind: .promise, id: id, at: promise(id)?.expiresAt)
        case .wake(let id):
            let task = promise(id) == nil ? nil : outcome.changes.tasks[id] ?? stored.tasks[id]
            return TimerChange(kind: .task, id: id, at: task?.wakesAt)
        case .tick(let id, _):
            let isRemoved = outcome.removedSchedules.contains(id)
            let schedule = isRemoved ? nil : outcome.changes.schedules[id] ?? stored.schedules[id]
            return TimerChange(kind: .schedule, id: id, at: schedule?.nextRunAt)
        }
    }
}

extension PromiseRecord {
    /// When its deadline is enforced though nobody asks.
    fileprivate var expiresAt: Int64? {
        state == .pending && isExternal ? timeoutAt : nil
    }
}
