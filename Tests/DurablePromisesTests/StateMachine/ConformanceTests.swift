import Testing

@testable import DurablePromises

/// The questions of the protocol that implementations have answered differently, each with its one right answer.
@Suite("the protocol's questions")
struct ConformanceTests {
    private static let held = TaskReference(id: "p", version: 3)

    /// The promise `p` is stored as pending, though its deadline has passed.
    private static func expired(_ state: TaskState) -> PromiseRecords {
        PromiseRecords.withTask(state).with("p") { $0.timeoutAt = noon }
    }

    @Test(
        "C1: the deadline of what others may wait for is kept by itself, that of no other",
        arguments: [
            ([:], false), (targeted, true), (external, true), ([PromiseTag.timer: "true"], true),
            ([PromiseTag.scope: "global"], true), ([PromiseTag.scope: "local"], false),
            ([PromiseTag.external: "false"], false), ([PromiseTag.external: "TRUE"], false),
            ([PromiseTag.timer: "1"], false), ([PromiseTag.origin: "p"], false),
        ] as [([String: String], Bool)])
    func deadlines(tags: [String: String], isKept: Bool) {
        let decision = decide(creating("p", tags, timeoutAt: noon + 50))
        let timers = TimerChange.all(of: decision.outcome, over: PromiseRecords())
        #expect(timers.contains(TimerChange(kind: .promise, id: "p", at: noon + 50)) == isKept)
        // Settled in time, it has no deadline any more.
        let end = decide(settling("p"), decision.records)
        let after = TimerChange.all(of: end.outcome, over: decision.records)
        #expect(after.contains(TimerChange(kind: .promise, id: "p", at: nil)) == isKept)
    }

    @Test("C2: nobody may be called back for an internal promise")
    func callback() {
        var stored = PromiseRecords.withTask(.acquired)
        stored.promises["p:1"]?.tags = [:]
        #expect(decide(awaiting("p:1", by: "p"), stored).status == 422)
        #expect(decide(.suspendTask(Self.held, actions: [awaiting("p:1", by: "p")]), stored).status == 422)
        for tags in [targeted, external, [PromiseTag.timer: "true"], [PromiseTag.scope: "global"]] {
            stored.promises["p:1"]?.tags = tags
            #expect(decide(awaiting("p:1", by: "p"), stored).status == 200)
        }
    }

    @Test("C3: nobody may listen to an internal promise, settled or not")
    func listener() {
        let operation = PromiseOperation.registerListener(Listener(awaited: "p:1", address: "http://a"))
        var stored = PromiseRecords.withTask(.acquired)
        #expect(decide(operation, stored).status == 200)
        stored.promises["p:1"]?.tags = [:]
        #expect(decide(operation, stored).status == 422)
        stored.promises["p:1"]?.state = .resolved
        stored.promises["p:1"]?.settledAt = 5
        #expect(decide(operation, stored).status == 422)
    }

    @Test("C4: task.create, halt and continue see that the promise has expired", arguments: TaskState.allCases)
    func expiredPromise(state: TaskState) {
        guard state != .fulfilled else { return }
        let stored = Self.expired(state)
        let created = decide(.createTask(pid: "you", ttl: 10, action: creating("p", targeted)), stored)
        #expect(created.status == 200)
        #expect(created.response.data.task == TaskRecord(id: "p", state: .fulfilled, version: 3))
        #expect(created.response.data.promise?.state == .rejectedTimedout)
        #expect(decide(.haltTask(id: "p"), stored).status == 409)
        #expect(decide(.continueTask(id: "p"), stored).status == 409)
        #expect(decide(.acquireTask(Self.held, pid: "you", ttl: 10), stored).status == 409)
        #expect(decide(.releaseTask(Self.held), stored).status == 409)
        #expect(decide(.fence(Self.held, action: creating("x")), stored).status == 409)
        #expect(decide(.fulfillTask(Self.held, action: settling("p")), stored).status == 409)
        #expect(decide(.suspendTask(Self.held, actions: [awaiting("p:1", by: "p")]), stored).status == 409)
    }

    @Test("C5: nothing is dispatched for an expired promise", arguments: [TaskState.pending, .acquired])
    func dispatch(state: TaskState) {
        let stored = Self.expired(state).withTask { task in
            if task.dueAt != nil { task.dueAt = noon }
            if task.leaseExpiresAt != nil { task.leaseExpiresAt = noon }
        }
        let woken = handle(.wake(task: "p"), stored)
        #expect(woken.messages.isEmpty && woken.records.tasks["p"]?.state == .fulfilled)
    }

    @Test("C6: an awaiter that has itself expired is not resumed")
    func awaiter() {
        var stored = Self.expired(.suspended)
        stored.callbacks = [Callback(awaited: "p:1", awaiter: "p")]
        let decision = decide(settling("p:1"), stored)
        #expect(decision.status == 200 && decision.messages.isEmpty)
        #expect(decision.records.tasks["p"]?.state != .pending && decision.records.tasks["p"]?.resumes == 0)
        let both = stored.with("p:1") { $0.timeoutAt = noon }
        #expect(handle(.deadline(promise: "p:1"), both).messages.isEmpty)
    }

    @Test("C7: a lease on an expired promise is not extended")
    func heartbeat() {
        let decision = decide(.heartbeat(pid: "me", tasks: [Self.held]), Self.expired(.acquired))
        #expect(decision.status == 200)
        #expect(decision.records.tasks["p"]?.state == .fulfilled)
        #expect(decision.records.tasks["p"]?.leaseExpiresAt == nil)
    }

    @Test("C8: every answer shows what is so now, and what was shown once does not go back")
    func projection() throws {
        let stored = Self.expired(.acquired)
        let operations: [PromiseOperation] = [
            .getPromise(id: "p"), creating("p").operation, settling("p").operation,
            .registerListener(Listener(awaited: "p", address: "http://a")), awaiting("p:1", by: "p").operation,
            awaiting("p", by: "p:9").operation,
            .createTask(pid: "you", ttl: 10, action: creating("p", targeted)), .getTask(id: "p"),
        ]
        for operation in operations {
            let decision = decide(operation, stored)
            if let promise = decision.response.data.promise, promise.id == "p" {
                #expect(promise.state == .rejectedTimedout && promise.settledAt == noon)
            }
            if let task = decision.response.data.task { #expect(task.state == .fulfilled && task.pid == nil) }
            // Though a clock went back, what was written stays.
            let before = decide(.getPromise(id: "p"), decision.records, now: noon - 100)
            #expect(before.response.data.promise?.state == .rejectedTimedout)
        }
        // What a worker is told of earlier steps is so as well.
        var branch = PromiseRecords.withTask(.pending).with("p") { $0.tags[PromiseTag.branch] = "p" }
        branch = branch.with("p:1") { promise in
            promise.tags[PromiseTag.branch] = "p"
            promise.timeoutAt = noon
        }
        let preload = decide(.acquireTask(Self.held, pid: "you", ttl: 10), branch).response.data.preload
        #expect(preload?.map(\.state) == [.rejectedTimedout])
    }

    @Test("C9: no message carries a version that was never issued, or is over")
    func versions() {
        var machine = PromiseStateMachine(stored: PromiseRecords())
        _ = machine.answer(creating("p", targeted), now: noon)
        #expect(
            Set(machine.outcome.messages.values) == [.execute(TaskReference(id: "p", version: 0), address: workers)])
        _ = machine.answer(Request(.acquireTask(TaskReference(id: "p", version: 0), pid: "me", ttl: 9)), now: noon)
        #expect(machine.outcome.messages.isEmpty)
        _ = machine.answer(Request(.releaseTask(TaskReference(id: "p", version: 1))), now: noon)
        #expect(
            Set(machine.outcome.messages.values) == [.execute(TaskReference(id: "p", version: 1), address: workers)])
        _ = machine.answer(settling("p"), now: noon)
        #expect(machine.outcome.messages.isEmpty)
    }

    @Test("C10: of two workers at most one holds a task, whoever asks in whatever way and order")
    func claims() {
        let take: [(String) -> PromiseOperation] = [
            { .createTask(pid: $0, ttl: 10, action: creating("p", targeted)) },
            { .acquireTask(TaskReference(id: "p", version: 0), pid: $0, ttl: 10) },
            { .acquireTask(TaskReference(id: "p", version: 1), pid: $0, ttl: 10) },
        ]
        for first in take {
            for second in take {
                for gap in [0, 9, 10, 11] as [Int64] {
                    var machine = PromiseStateMachine(stored: PromiseRecords())
                    _ = machine.answer(creating("p", targeted), now: noon)
                    let one = machine.answer(Request(first("a")), now: noon)
                    let other = machine.answer(Request(second("b")), now: noon + gap)
                    let claims = [(one, "a"), (other, "b")].filter { $0.0.status == 200 }
                    #expect(Set(claims.compactMap { $0.0.data.task?.version }).count == claims.count)
                    // Who was first holds it for its ttl, and not a moment longer.
                    let isOver = gap >= 10
                    if one.status == 200 { #expect(other.status == 409 || isOver) }
                    let valid = claims.filter { response, _ in
                        guard let task = response.data.task else { return false }
                        let fence = Request(
                            .fence(TaskReference(id: "p", version: task.version), action: creating("x")))
                        var copy = machine
                        return copy.answer(fence, now: noon + gap).status == 200
                    }
                    #expect(valid.count <= 1)
                }
            }
        }
    }

    @Test("C11: a settled promise takes neither callback nor listener: the answer is the notification")
    func settled() {
        let settled = PromiseRecords.withTask(.pending).with("p:1") { promise in
            promise.state = .resolved
            promise.settledAt = 5
        }
        let expired = PromiseRecords.withTask(.pending).with("p:1") { $0.timeoutAt = noon }
        for stored in [settled, expired] {
            for request in [
                awaiting("p:1", by: "p"), Request(.registerListener(Listener(awaited: "p:1", address: "http://a"))),
            ] {
                let decision = decide(request, stored)
                #expect(decision.status == 200)
                #expect(decision.response.data.promise?.state != .pending)
                #expect(decision.records.callbacks.isEmpty && decision.records.listeners.isEmpty)
                #expect(decision.messages.isEmpty)
            }
        }
        // An awaiter that is settled waits for nothing either.
        let awaiter = PromiseRecords.withTask(.fulfilled)
        #expect(decide(awaiting("p:1", by: "p"), awaiter).records.callbacks.isEmpty)
    }

    @Test("C12: the machine serves no debug request: who may, the store's settings say")
    func debugging() {
        for operation in [
            PromiseOperation.startDebugging, .stopDebugging, .resetForDebugging, .tick(time: 5), .snapshot,
        ] {
            let decision = decide(operation, .withTask(.pending))
            #expect(decision.status >= 400 && decision.changesNothing)
        }
        // The time that a request brings along is not believed either.
        let request = Request(.getPromise(id: "p:1"), head: .init(debugTime: .max - 1))
        let stored = PromiseRecords.withTask(.pending).with("p:1") { $0.timeoutAt = noon + 1 }
        #expect(decide(request, stored).response.data.promise?.state == .pending)
    }
}
