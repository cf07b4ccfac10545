import Testing

@testable import DurablePromises

/// What the tables do not say: leases, resumption, pauses, steps, several requests in one transaction.
@Suite("the state machine of promises and tasks")
struct PromiseStateMachineTests {
    private static let held = TaskReference(id: "p", version: 3)

    // MARK: Leases

    @Test("a heartbeat extends only what is held by that worker at that version")
    func heartbeat() {
        let cases: [(String, Int64, Int64?)] = [
            ("me", 3, noon + 60), ("you", 3, noon + 30), ("me", 2, noon + 30), ("me", 4, noon + 30),
        ]
        for (pid, version, end) in cases {
            let others = [TaskReference(id: "absent", version: 1), TaskReference(id: "p:1", version: 0)]
            let beat = PromiseOperation.heartbeat(pid: pid, tasks: others + [TaskReference(id: "p", version: version)])
            let decision = decide(beat, .withTask(.acquired))
            #expect(decision.status == 200 && decision.response.data == ResponseData())
            #expect(decision.records.tasks["p"]?.leaseExpiresAt == end)
        }
    }

    @Test("at the end of a lease the task is nobody's at that very moment, whoever looks")
    func expiry() {
        let stored = PromiseRecords.withTask(.acquired).withTask { $0.leaseExpiresAt = noon }
        let seen = decide(.getTask(id: "p"), stored)
        #expect(seen.response.data.task?.state == .pending && seen.response.data.task?.pid == nil)
        #expect(seen.response.data.task?.version == 3)
        let taken = decide(.acquireTask(Self.held, pid: "you", ttl: 10), stored)
        #expect(taken.response.data.task?.version == 4 && taken.response.data.task?.pid == "you")
        #expect(decide(.createTask(pid: "you", ttl: 10, action: creating("p", targeted)), stored).status == 200)
        #expect(decide(.fence(Self.held, action: creating("q")), stored).status == 409)
        #expect(decide(.releaseTask(Self.held), stored).status == 409)
        #expect(decide(.fulfillTask(Self.held, action: settling("p")), stored).status == 409)
        #expect(decide(.suspendTask(Self.held, actions: [awaiting("p:1", by: "p")]), stored).status == 409)
        #expect(decide(.heartbeat(pid: "me", tasks: [Self.held]), stored).changesNothing)
        let before = stored.withTask { $0.leaseExpiresAt = noon + 1 }
        #expect(decide(.acquireTask(Self.held, pid: "you", ttl: 10), before).status == 409)
        #expect(decide(.fence(Self.held, action: creating("q")), before).status == 200)
    }

    @Test("a lease without an end, and times at the end of time, are no trouble")
    func overflow() {
        let end = Int64.max
        let taken = decide(.acquireTask(Self.held, pid: "you", ttl: end), .withTask(.pending))
        #expect(taken.records.tasks["p"]?.leaseExpiresAt == end)
        let beat = PromiseOperation.heartbeat(pid: "you", tasks: [TaskReference(id: "p", version: 4)])
        #expect(decide(beat, taken.records, now: end - 1).records.tasks["p"]?.leaseExpiresAt == end)
        let offered = decide(.continueTask(id: "p"), .withTask(.halted).with("p") { $0.timeoutAt = end }, now: end - 1)
        #expect(offered.status == 200 && offered.records.tasks["p"]?.dueAt == end)
        #expect(decide(creating("x", timeoutAt: end), now: end).response.data.promise?.state == .rejectedTimedout)
        #expect(decide(.getPromise(id: "p"), .withTask(.pending), now: .min).status == 200)
    }

    // MARK: Resumption

    @Test("settled promises are counted for who waits, until it is acquired, suspends, or is told to go on")
    func resumes() {
        var stored = PromiseRecords.withTask(.acquired, waiting: true)
        stored.promises["p:2"] = PromiseRecord(id: "p:2", tags: external, timeoutAt: .max, createdAt: 1)
        stored.callbacks.insert(Callback(awaited: "p:2", awaiter: "p"))
        stored = decide(settling("p:1"), stored).records
        #expect(stored.tasks["p"]?.resumes == 1)
        #expect(decide(.releaseTask(Self.held), stored).records.tasks["p"]?.resumes == 1)
        #expect(decide(.haltTask(id: "p"), stored).records.tasks["p"]?.resumes == 1)
        stored = decide(settling("p:2"), stored).records
        #expect(stored.tasks["p"]?.resumes == 2)
        let suspend = PromiseOperation.suspendTask(Self.held, actions: [awaiting("p:1", by: "p")])
        let goOn = decide(suspend, stored)
        #expect(goOn.status == 300 && goOn.records.tasks["p"]?.resumes == 0 && goOn.records.callbacks.isEmpty)
        let released = decide(.releaseTask(Self.held), stored).records
        #expect(decide(.acquireTask(Self.held, pid: "you", ttl: 9), released).records.tasks["p"]?.resumes == 0)
    }

    @Test("a task that sleeps is resumed by the first that is settled, and told of no later one again")
    func suspension() {
        var stored = PromiseRecords.withTask(.acquired)
        stored.promises["p:2"] = PromiseRecord(id: "p:2", tags: external, timeoutAt: .max, createdAt: 1)
        let actions = [awaiting("p:1", by: "p"), awaiting("p:2", by: "p")]
        let slept = decide(.suspendTask(Self.held, actions: actions), stored)
        #expect(slept.status == 200)
        #expect(slept.records.tasks["p"] == TaskRecord(id: "p", state: .suspended, version: 3))
        #expect(slept.records.callbacks.count == 2 && slept.messages.isEmpty)
        let first = decide(settling("p:1"), slept.records)
        #expect(first.messages == [.execute(Self.held, address: workers)])
        #expect(first.records.callbacks == [Callback(awaited: "p:2", awaiter: "p")])
        let second = decide(settling("p:2"), first.records)
        #expect(second.messages.isEmpty && second.records.tasks["p"]?.resumes == 2)
        #expect(second.records.tasks["p"]?.state == .pending && second.records.callbacks.isEmpty)
    }

    @Test("a worker whose lease has ended while what it waits for is settled lets the task go")
    func resumeAfterLease() {
        let stored = PromiseRecords.withTask(.acquired, waiting: true).withTask { $0.leaseExpiresAt = noon }
        let decision = decide(settling("p:1"), stored)
        #expect(decision.records.tasks["p"]?.state == .pending && decision.records.tasks["p"]?.resumes == 1)
        // It is offered then, or as soon as it is looked at.
        let due = decision.records.tasks["p"]?.dueAt ?? .max
        #expect(due <= noon || !decision.messages.isEmpty)
        #expect(handle(.wake(task: "p"), decision.records).messages == [.execute(Self.held, address: workers)])
    }

    @Test("a callback is stored once, and only while both are pending")
    func callbacks() {
        let stored = PromiseRecords.withTask(.pending)
        let first = decide(awaiting("p:1", by: "p"), stored)
        #expect(first.outcome.changes.callbacks == [Callback(awaited: "p:1", awaiter: "p")])
        #expect(decide(awaiting("p:1", by: "p"), first.records).changesNothing)
        let listener = PromiseOperation.registerListener(Listener(awaited: "p:1", address: "http://a"))
        let listening = decide(listener, stored)
        #expect(decide(listener, listening.records).changesNothing)
    }

    // MARK: Pauses

    @Test("a task that is given back each time it is taken rests longer each time")
    func backoff() {
        let rules = PromiseRules(maximumBackoff: 3000)
        let pauses: [Int64] = [0, 250, 500, 1000, 2000, 3000, 3000, 3000]
        var records = PromiseRecords.withTask(.pending)
        for (round, pause) in pauses.enumerated() {
            let reference = TaskReference(id: "p", version: 3 + Int64(round))
            records = decide(.acquireTask(reference, pid: "me", ttl: 60), records, rules: rules).records
            let held = TaskReference(id: "p", version: reference.version + 1)
            let released = decide(.releaseTask(held), records, rules: rules)
            records = released.records
            #expect(released.status == 200 && records.tasks["p"]?.state == .pending)
            #expect(released.messages.isEmpty == (pause > 0))
            #expect(records.tasks["p"]?.dueAt == noon + (pause > 0 ? pause : rules.retryInterval))
            if pause > 0 {
                #expect(handle(.wake(task: "p"), records, now: noon + pause - 1).messages.isEmpty)
                #expect(handle(.wake(task: "p"), records, now: noon + pause).messages.count == 1)
            }
        }
        #expect(rules.backoff(releases: .max) == 3000)
    }

    @Test("the pause is over when the task sleeps, or somebody puts it back into service")
    func backoffEnds() {
        let stored = PromiseRecords.withTask(.acquired).withTask { $0.releases = 5 }
        let slept = decide(.suspendTask(Self.held, actions: [awaiting("p:1", by: "p")]), stored)
        #expect(slept.records.tasks["p"]?.releases == 0)
        let halted = decide(.haltTask(id: "p"), stored).records
        let continued = decide(.continueTask(id: "p"), halted)
        #expect(continued.messages.count == 1 && continued.records.tasks["p"]?.releases == 0)
        // A lease that ends is no giving back: the task is offered at once, and the count stays.
        let lapsed = handle(.wake(task: "p"), stored.withTask { $0.leaseExpiresAt = noon })
        #expect(lapsed.messages.count == 1 && lapsed.records.tasks["p"]?.releases == 5)
    }

    @Test("a task that is offered and not taken is offered again, after a pause that doubles up to a bound")
    func retry() {
        var records = decide(creating("p", targeted)).records
        var time = noon
        for (round, pause) in ([5000, 10_000, 20_000, 40_000, 60_000, 60_000] as [Int64]).enumerated() {
            time += pause
            #expect(handle(.wake(task: "p"), records, now: time - 1).changesNothing, "round \(round)")
            let again = handle(.wake(task: "p"), records, now: time)
            #expect(again.messages == [.execute(TaskReference(id: "p", version: 0), address: workers)])
            records = again.records
        }
    }

    @Test("whoever takes a task, or puts it back into service, makes its pauses short again")
    func retryAnew() {
        let stored = PromiseRecords.withTask(.pending).withTask { $0.offers = 9 }
        let taken = decide(.acquireTask(TaskReference(id: "p", version: 3), pid: "me", ttl: 60), stored).records
        let ends = [
            decide(.releaseTask(TaskReference(id: "p", version: 4)), taken),
            handle(.wake(task: "p"), taken, now: noon + 60),
            decide(.continueTask(id: "p"), decide(.haltTask(id: "p"), stored).records),
        ]
        for (end, time) in zip(ends, [noon, noon + 60, noon]) {
            #expect(end.messages.count == 1 && end.records.tasks["p"]?.offers == 1)
            #expect(end.records.tasks["p"]?.dueAt == time + PromiseRules().retryInterval)
        }
        let slept = decide(
            .suspendTask(TaskReference(id: "p", version: 4), actions: [awaiting("p:1", by: "p")]), taken)
        #expect(slept.records.tasks["p"]?.offers == 0)
    }

    @Test("no pause is shorter than the interval, and none is beyond the bound, whatever they are")
    func pauses() {
        let rules = PromiseRules(retryInterval: 500, maximumBackoff: 3000)
        #expect((0...5).map { rules.pause(offers: $0) } == [500, 500, 1000, 2000, 3000, 3000])
        #expect(PromiseRules(retryInterval: 9000, maximumBackoff: 10).pause(offers: .max) == 9000)
        #expect(PromiseRules(retryInterval: .max).pause(offers: 7) == .max)
    }

    @Test("an event that comes too early, twice, or for what is gone does nothing")
    func strayEvents() {
        let stored = PromiseRecords.withTask(.pending)
        for event in [
            PromiseEvent.wake(task: "absent"), .deadline(promise: "absent"), .deadline(promise: "p"),
            .wake(task: "p:1"), .tick(schedule: "absent", promise: "x"),
        ] {
            #expect(handle(event, stored).changesNothing)
        }
    }

    // MARK: Steps

    @Test("a fence creates and settles other promises, and answers with their answer")
    func fence() throws {
        var stored = PromiseRecords.withTask(.acquired)
        let created = decide(.fence(Self.held, action: creating("p:3", targeted)), stored)
        let inner = try #require(created.response.data.action)
        #expect(inner.status == 200 && inner.kind == "promise.create" && inner.data.promise?.id == "p:3")
        #expect(Set(created.outcome.changes.promises.keys) == ["p:3"])
        #expect(created.records.tasks["p:3"]?.state == .pending && created.messages.count == 1)
        let again = decide(.fence(Self.held, action: creating("p:3")), created.records)
        #expect(again.response.data.action?.data == inner.data && again.changesNothing)
        stored.callbacks = [Callback(awaited: "p:1", awaiter: "p")]
        let settled = decide(.fence(Self.held, action: settling("p:1", .rejected, "v")), stored)
        #expect(settled.response.data.action?.data.promise?.state == .rejected)
        #expect(settled.records.tasks["p"]?.resumes == 1)
    }

    @Test("a worker that takes a task is told the earlier steps of its branch, in the order of their ids")
    func preload() {
        var stored = PromiseRecords.withTask(.pending).with("p") { $0.tags[PromiseTag.branch] = "p" }
        for (id, branch) in [("p:2", "p"), ("p:10", "p"), ("p:3", "p:3"), ("p:4", "")] {
            let tags = branch.isEmpty ? [:] : [PromiseTag.branch: branch]
            stored.promises[id] = PromiseRecord(id: id, tags: tags, timeoutAt: .max, createdAt: 1)
        }
        let acquired = decide(.acquireTask(Self.held, pid: "you", ttl: 9), stored)
        #expect(acquired.response.data.preload?.map(\.id) == ["p:10", "p:2"])
        let create = PromiseOperation.createTask(
            pid: "you", ttl: 9, action: creating("p", targeted.merging([PromiseTag.branch: "p"]) { $1 })
        )
        #expect(decide(create, stored).response.data.preload?.map(\.id) == ["p:10", "p:2"])
        stored = acquired.records.with("p:1") { promise in
            promise.state = .resolved
            promise.settledAt = 1
        }
        let suspend = PromiseOperation.suspendTask(
            TaskReference(id: "p", version: 4), actions: [awaiting("p:1", by: "p")])
        #expect(decide(suspend, stored).response.data.preload?.map(\.id) == ["p:10", "p:2"])
    }

    // MARK: Together

    @Test("several requests in one transaction are as several transactions, one after the other")
    func together() {
        let requests = [
            creating("p", targeted), creating("p:1", external),
            Request(.createTask(pid: "me", ttl: 60, action: creating("p", targeted))),
            Request(.suspendTask(TaskReference(id: "p", version: 1), actions: [awaiting("p:1", by: "p")])),
            Request(.registerListener(Listener(awaited: "p:1", address: "http://a"))), settling("p:1"),
            Request(.acquireTask(TaskReference(id: "p", version: 1), pid: "you", ttl: 60)),
            Request(.fulfillTask(TaskReference(id: "p", version: 2), action: settling("p"))),
            Request(.getTask(id: "p")),
        ]
        var together = PromiseStateMachine(stored: PromiseRecords())
        var records = PromiseRecords()
        var messages: [String: OutgoingMessage] = [:]
        for (index, request) in requests.enumerated() {
            let time = noon + Int64(index)
            let alone = decide(request, records, now: time)
            #expect(together.answer(request, now: time) == alone.response)
            #expect(alone.status == 200)
            records = alone.records
            messages.merge(alone.outcome.messages) { $1 }
        }
        #expect(together.records == records)
        #expect(
            together.outcome.changes.promises == records.promises && together.outcome.changes.tasks == records.tasks)
        // Nobody is told of what was over before anybody could see it.
        #expect(Set(together.outcome.messages.values) == [.unblock(promise: "p:1", address: "http://a")])
        #expect(messages.count == 2)
    }
}
