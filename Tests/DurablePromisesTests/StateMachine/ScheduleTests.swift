import Testing

@testable import DurablePromises

@Suite("schedules")
struct ScheduleTests {
    /// 1 January 2026, 00:00 UTC.
    private static let newYear: Int64 = 1_767_225_600_000

    private func creation(
        _ id: String = "s",
        cron: String = "*/5 * * * *",
        promiseId: String = "{{.id}}-{{.timestamp}}",
        timeout: Int64 = 60_000,
        tags: [String: String]? = targeted
    ) -> PromiseOperation {
        .createSchedule(
            ScheduleCreation(
                id: id, cron: cron, promiseId: promiseId, promiseTimeout: timeout, promiseParam: .init(data: "x"),
                promiseTags: tags
            )
        )
    }

    @Test("are created once, found, and deleted")
    func life() {
        let created = decide(creation(), now: Self.newYear)
        let expected = ScheduleRecord(
            id: "s", cron: "*/5 * * * *", promiseId: "{{.id}}-{{.timestamp}}", promiseTimeout: 60_000,
            promiseParam: .init(data: "x"), promiseTags: targeted, createdAt: Self.newYear,
            nextRunAt: Self.newYear + 300_000
        )
        #expect(created.status == 200 && created.response.data.schedule == expected)
        let again = decide(creation(cron: "0 0 1 1 *"), created.records, now: Self.newYear + 1)
        #expect(again.response.data.schedule == expected && again.changesNothing)
        #expect(decide(.getSchedule(id: "s"), created.records).response.data.schedule == expected)
        let deleted = decide(.deleteSchedule(id: "s"), created.records)
        #expect(deleted.status == 200 && deleted.outcome.removedSchedules == ["s"] && deleted.records.schedules.isEmpty)
    }

    @Test("that break a rule are refused, though there is one of that id")
    func flaws() {
        let existing = decide(creation(), now: Self.newYear).records
        let flawed = [
            creation(""), creation("a:b"), creation("a\0"), creation(cron: "* * * *"), creation(cron: "61 * * * *"),
            creation(cron: ""), creation(promiseId: ""), creation(promiseId: "\0"),
            creation(promiseId: "{{.bad}}"), creation(promiseId: "{{.id}}-{{ .timestamp }}"),
            creation(promiseId: "{{.timestamp}}{{"), creation(timeout: -1),
            creation(tags: nil), creation(tags: [:]), creation(tags: [PromiseTag.target: "nowhere"]),
            creation(tags: ["x": "y"]),
            creation(tags: [PromiseTag.target: "http://" + String(repeating: "h", count: 1018)]),
            // Some day its time will have more digits than the word for it has letters.
            creation(promiseId: String(repeating: "x", count: 1024 - 18) + "{{.timestamp}}"),
        ]
        for operation in flawed {
            for stored in [PromiseRecords(), existing] {
                let decision = decide(operation, stored, now: Self.newYear)
                #expect(decision.status == 400 && decision.changesNothing, "\(operation)")
            }
        }
        #expect(decide(creation(cron: "0 0 30 2 *"), now: Self.newYear).status == 400, "it never comes")
    }

    @Test("that could never make their promise are refused when they are made")
    func strictly() {
        let timer = targeted.merging([PromiseTag.timer: "true"]) { $1 }
        #expect(decide(creation(tags: timer), now: Self.newYear).status == 200)
        #expect(decide(creation(tags: timer), now: Self.newYear, rules: PromiseRules(isStrict: true)).status == 400)
    }

    @Test("that name no time make one promise, and other braces stand for themselves")
    func fixedName() {
        let schedule = decide(creation(promiseId: "{.id}}:x"), now: Self.newYear)
        #expect(schedule.status == 200)
        let first = Self.newYear + 300_000
        let made = handle(.tick(schedule: "s", promise: "{.id}}:x"), schedule.records, now: first)
        #expect(made.records.promises["{.id}}:x"]?.createdAt == first)
        let again = handle(.tick(schedule: "s", promise: "{.id}}:x"), made.records, now: first + 300_000)
        #expect(again.records.promises.count == 1 && again.records.promises["{.id}}:x"]?.createdAt == first)
    }

    @Test("make their promise at each tick, once, with tags of a family of its own")
    func tick() throws {
        let created = decide(creation(), now: Self.newYear).records
        let time = Self.newYear + 300_000
        let event = PromiseEvent.tick(schedule: "s", promise: "s-\(time)")
        #expect(handle(event, created, now: time - 1).changesNothing, "too early")
        #expect(handle(.tick(schedule: "s", promise: "s-5"), created, now: time).changesNothing, "another's tick")
        let ticked = handle(event, created, now: time)
        let promise = try #require(ticked.records.promises["s-\(time)"])
        let tags = targeted.merging([
            PromiseTag.schedule: "s", PromiseTag.origin: promise.id, PromiseTag.branch: promise.id,
            PromiseTag.parent: promise.id, PromiseTag.prefix: promise.id,
        ]) { $1 }
        let expected = PromiseRecord(
            id: promise.id, param: .init(data: "x"), tags: tags, timeoutAt: time + 60_000, createdAt: time
        )
        #expect(promise == expected)
        #expect(ticked.messages == [.execute(TaskReference(id: promise.id, version: 0), address: workers)])
        #expect(ticked.records.schedules["s"]?.nextRunAt == time + 300_000)
        #expect(ticked.records.schedules["s"]?.lastRunAt == time)
        #expect(handle(event, ticked.records, now: time).changesNothing, "twice")
    }

    @Test("make one promise for all the ticks that were missed, which may be born late")
    func missed() {
        let created = decide(creation(), now: Self.newYear).records
        let first = Self.newYear + 300_000
        let late = first + 3_600_000 + 1
        let ticked = handle(.tick(schedule: "s", promise: "s-\(first)"), created, now: late)
        #expect(ticked.records.promises.count == 1)
        #expect(ticked.records.promises["s-\(first)"]?.state == .rejectedTimedout)
        #expect(ticked.records.promises["s-\(first)"]?.settledAt == first + 60_000)
        #expect(ticked.messages.isEmpty)
        #expect(ticked.records.schedules["s"]?.nextRunAt == first + 3_900_000)
    }

    @Test("go on when the promise is there already, and when its deadline is beyond the end of time")
    func existing() {
        let created = decide(creation(promiseId: "one", timeout: .max), now: Self.newYear)
        let time = Self.newYear + 300_000
        let first = handle(.tick(schedule: "s", promise: "one"), created.records, now: time)
        #expect(first.records.promises["one"]?.timeoutAt == .max)
        let second = handle(.tick(schedule: "s", promise: "one"), first.records, now: time + 300_000)
        #expect(second.records.promises == first.records.promises && second.messages.isEmpty)
        #expect(second.records.schedules["s"]?.lastRunAt == time + 300_000)
    }

    @Test("come to their end with the end of time")
    func theEnd() {
        let time = Int64.max - 5
        #expect(decide(creation(), now: time).status == 400)
        let created = decide(creation(), now: Self.newYear).records
        let promise = "s-\(Self.newYear + 300_000)"
        let ticked = handle(.tick(schedule: "s", promise: promise), created, now: time)
        #expect(ticked.records.schedules["s"]?.nextRunAt == .max)
    }
}
