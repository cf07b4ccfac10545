extension PromiseStateMachine {
    func schedule(_ id: String) throws(Refusal) -> ScheduleRecord {
        guard let schedule = records.schedules[id] else { throw Refusal(404, "there is no schedule \(id)") }
        return schedule
    }

    mutating func create(_ creation: ScheduleCreation) throws(Refusal) -> ScheduleRecord {
        if let flaw = creation.flaw(rules) { throw Refusal(400, flaw) }
        guard let cron = CronExpression(creation.cron) else {
            throw Refusal(400, "'\(creation.cron)' is no cron expression of five, six or seven fields")
        }
        if let existing = records.schedules[creation.id] { return existing }
        guard let next = cron.next(after: now) else { throw Refusal(400, "'\(creation.cron)' never comes again") }
        let schedule = ScheduleRecord(
            id: creation.id,
            cron: creation.cron,
            promiseId: creation.promiseId,
            promiseTimeout: creation.promiseTimeout,
            promiseParam: creation.promiseParam ?? PromiseValue(),
            promiseTags: creation.promiseTags ?? [:],
            createdAt: now,
            nextRunAt: next
        )
        records.schedules[schedule.id] = schedule
        return schedule
    }

    mutating func delete(schedule id: String) throws(Refusal) -> ResponseData {
        _ = try schedule(id)
        records.schedules[id] = nil
        return ResponseData()
    }

    /// Makes the promise of a schedule's tick. Ticks that were missed, because nothing ran, are one.
    mutating func tick(_ id: String, _ promise: String) {
        guard var schedule = records.schedules[id], schedule.nextRunAt <= now,
            schedule.promiseId(at: schedule.nextRunAt) == promise
        else { return }
        let time = schedule.nextRunAt
        let (timeoutAt, isOverflow) = time.addingReportingOverflow(schedule.promiseTimeout)
        _ = try? create(
            PromiseCreation(
                id: promise,
                timeoutAt: isOverflow ? .max : timeoutAt,
                param: schedule.promiseParam,
                tags: schedule.tags(of: promise)
            )
        )
        schedule.lastRunAt = time
        schedule.nextRunAt = CronExpression(schedule.cron)?.next(after: now) ?? .max
        records.schedules[id] = schedule
    }
}
