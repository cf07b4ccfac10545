import DurablePromises
import Testing

/// What a table's row says of a decision: the status, and the task as it is afterwards.
struct Expected: Sendable, CustomTestStringConvertible {
    var name: String
    var stored: TaskState?
    var operation: PromiseOperation
    var status: Int
    /// State and version of the task afterwards; nil when there is none.
    var task: (TaskState, Int64)?

    var testDescription: String { name }
}

@Suite("the state machine of promises and tasks")
struct PromiseStateMachineTests {
    static let now: Int64 = 1_000_000
    static let tags = [PromiseTag.target: "poll://any@workers"]

    // MARK: Promises

    @Test("a promise is created once; then its id answers with what is there")
    func create() throws {
        let first = decide(.createPromise(PromiseCreation(id: "p", timeoutAt: Self.now + 10, param: .init(data: "x"))))
        let promise = try #require(first.response.data.promise)
        #expect(first.response.status == 200)
        #expect(promise == PromiseRecord(id: "p", param: .init(data: "x"), timeoutAt: 1_000_010, createdAt: Self.now))
        #expect(first.changes.promises == ["p": promise])
        #expect(first.changes.tasks.isEmpty && first.messages.isEmpty)
        let stored = PromiseRecords(promises: [promise])
        let second = decide(.createPromise(PromiseCreation(id: "p", timeoutAt: 5, param: .init(data: "y"))), stored)
        #expect(second.response.data.promise == promise)
        #expect(second.changes == PromiseRecords())
    }

    @Test("a promise with a target has a task, which is offered at once")
    func targeted() {
        let decision = decide(.createPromise(PromiseCreation(id: "p", timeoutAt: Self.now + 10, tags: Self.tags)))
        #expect(decision.changes.tasks["p"] == TaskRecord(id: "p", state: .pending, version: 0))
        #expect(decision.messages == [.execute(TaskReference(id: "p", version: 0), target: "poll://any@workers")])
    }

    @Test("a promise that is born late is stored settled at its deadline")
    func late() throws {
        let decision = decide(.createPromise(PromiseCreation(id: "p", timeoutAt: 7, tags: Self.tags)))
        let promise = try #require(decision.response.data.promise)
        #expect(promise.state == .rejectedTimedout)
        #expect(promise.createdAt == 7 && promise.settledAt == 7)
        #expect(decision.changes.tasks["p"]?.state == .fulfilled)
        #expect(decision.messages.isEmpty)
    }

    @Test(
        "a creation that breaks a rule is refused",
        arguments: [
            PromiseCreation(id: "", timeoutAt: 1),
            PromiseCreation(id: "a\0", timeoutAt: 1),
            PromiseCreation(id: "a", timeoutAt: -1),
            PromiseCreation(id: "a", timeoutAt: 1, tags: [PromiseTag.target: "nowhere"]),
            PromiseCreation(id: "a", timeoutAt: 9, tags: [PromiseTag.delay: "3"]),
            PromiseCreation(id: "a", timeoutAt: 9, tags: [PromiseTag.delay: "9", PromiseTag.target: "poll://any@x"]),
            PromiseCreation(id: "a", timeoutAt: 9, tags: [PromiseTag.delay: "-1", PromiseTag.target: "poll://any@x"]),
            PromiseCreation(id: "a:1", timeoutAt: 1, tags: [PromiseTag.origin: "a:1"]),
            PromiseCreation(id: "ab", timeoutAt: 1, tags: [PromiseTag.origin: "a"]),
            PromiseCreation(id: "a", timeoutAt: 1, tags: [PromiseTag.parent: "b"]),
            PromiseCreation(id: "a", timeoutAt: 1, tags: [PromiseTag.prefix: "a:"]),
        ])
    func malformed(creation: PromiseCreation) {
        let decision = decide(.createPromise(creation))
        #expect(decision.response.status == 400)
        #expect(decision.changes == PromiseRecords())
    }

    @Test(
        "a pending promise is settled as asked, and its task is fulfilled",
        arguments: [PromiseState.resolved, .rejected, .rejectedCanceled])
    func settle(state: PromiseState) throws {
        let settlement = PromiseSettlement(id: "p", state: state, value: .init(data: "v"))
        let decision = decide(.settlePromise(settlement), records(.acquired))
        let promise = try #require(decision.response.data.promise)
        #expect(promise.state == state && promise.settledAt == Self.now && promise.value.data == "v")
        #expect(decision.changes.promises["p"] == promise)
        #expect(decision.changes.tasks["p"] == TaskRecord(id: "p", state: .fulfilled, version: 3))
    }

    @Test("a settled promise stays as it is", arguments: PromiseState.allCases.filter { $0 != .pending })
    func settled(state: PromiseState) {
        var promise = records(nil).promises["p"]!
        promise.state = state
        promise.settledAt = 5
        let settlement = PromiseSettlement(id: "p", state: .rejected, value: .init(data: "v"))
        let decision = decide(.settlePromise(settlement), PromiseRecords(promises: [promise]))
        #expect(decision.response.status == 200)
        #expect(decision.response.data.promise == promise)
        #expect(decision.changes == PromiseRecords())
    }

    @Test("400 comes before 404: nobody settles as pending or timed out", arguments: PromiseState.allCases)
    func guards(state: PromiseState) {
        let decision = decide(.settlePromise(PromiseSettlement(id: "absent", state: state)))
        #expect(decision.response.status == (state.isRequestable ? 404 : 400))
    }

    @Test("a promise whose deadline has passed is settled for every reader", arguments: [false, true])
    func projection(isTimer: Bool) throws {
        var stored = records(.acquired)
        stored.promises["p"]?.timeoutAt = Self.now
        if isTimer { stored.promises["p"]?.tags[PromiseTag.timer] = "true" }
        let promise = try #require(decide(.getPromise(id: "p"), stored).response.data.promise)
        #expect(promise.state == (isTimer ? .resolved : .rejectedTimedout))
        #expect(promise.settledAt == Self.now)
        #expect(decide(.getTask(id: "p"), stored).response.data.task?.state == .fulfilled)
        let settlement = PromiseSettlement(id: "p", state: .rejected)
        #expect(decide(.settlePromise(settlement), stored).response.data.promise == promise)
        // The claim of the worker that held it is over.
        #expect(decide(.releaseTask(TaskReference(id: "p", version: 3)), stored).response.status == 409)
        let fence = PromiseOperation.fence(TaskReference(id: "p", version: 3), action: creating("q"))
        #expect(decide(fence, stored).response.status == 409)
        let again = decide(.createTask(pid: "me", ttl: 10, action: creating("p", Self.tags)), stored).response
        #expect(again.status == 200 && again.data.task?.state == .fulfilled && again.data.task?.pid == nil)
        #expect(
            decide(.heartbeat(pid: "me", tasks: [TaskReference(id: "p", version: 3)]), stored).changes.tasks["p"]?
                .leaseExpiresAt == nil)
    }

    // MARK: Tasks

    /// The protocol's table of tasks, for the kinds that are served. A stored task is at version 3, held by `me`.
    static let table: [Expected] = TaskState.allCases.flatMap { row($0) } + row(nil)

    static func row(_ state: TaskState?) -> [Expected] {
        let kept = state.map { ($0, Int64(3)) }
        let name = state?.rawValue ?? "absent"
        let task = TaskReference(id: "p", version: 3)
        let missing = state == nil ? 404 : 409
        func cell(_ what: String, _ operation: PromiseOperation, _ status: Int, _ after: (TaskState, Int64)?)
            -> Expected
        {
            Expected(name: "\(name): \(what)", stored: state, operation: operation, status: status, task: after)
        }
        let isHeld = state == .acquired
        let end = PromiseOperation.Action(Request(.settlePromise(PromiseSettlement(id: "p", state: .resolved))))
        let creation: Expected =
            switch state {
            case nil: cell("create", .createTask(pid: "me", ttl: 10, action: creating("p", tags)), 200, (.acquired, 1))
            case .pending:
                cell("create", .createTask(pid: "me", ttl: 10, action: creating("p", tags)), 200, (.acquired, 4))
            case .fulfilled: cell("create", .createTask(pid: "me", ttl: 10, action: creating("p", tags)), 200, kept)
            default: cell("create", .createTask(pid: "me", ttl: 10, action: creating("p", tags)), 409, kept)
            }
        let isPending = state == .pending
        let stale = TaskReference(id: "p", version: 2)
        return [
            creation,
            cell(
                "acquire", .acquireTask(task, pid: "you", ttl: 10), isPending ? 200 : missing,
                isPending ? (.acquired, 4) : kept),
            cell("acquire at another version", .acquireTask(stale, pid: "you", ttl: 10), missing, kept),
            cell("fence", .fence(task, action: creating("q")), isHeld ? 200 : missing, kept),
            cell("fence at another version", .fence(stale, action: creating("q")), missing, kept),
            cell("heartbeat", .heartbeat(pid: "me", tasks: [task]), 200, kept),
            cell("fulfill", .fulfillTask(task, action: end), isHeld ? 200 : missing, isHeld ? (.fulfilled, 3) : kept),
            cell("fulfill at another version", .fulfillTask(stale, action: end), missing, kept),
            cell("release", .releaseTask(task), isHeld ? 200 : missing, isHeld ? (.pending, 3) : kept),
            cell("release at another version", .releaseTask(stale), missing, kept),
            cell("get", .getTask(id: "p"), state == nil ? 404 : 200, kept),
        ]
    }

    @Test("a task goes where the protocol's table says", arguments: table)
    func transition(expected: Expected) {
        var stored = records(expected.stored)
        if expected.stored == nil { stored = PromiseRecords() }
        let decision = decide(expected.operation, stored)
        #expect(decision.response.status == expected.status)
        let after = decision.changes.tasks["p"] ?? stored.tasks["p"]
        #expect(after?.state == expected.task?.0)
        #expect(after?.version == expected.task?.1)
        #expect((after?.state == .acquired) == (after?.leaseExpiresAt != nil))
        if expected.status != 200 { #expect(decision.changes == PromiseRecords(), "a refusal changes nothing") }
        // Only what somebody may take now is offered, at the version it has.
        let offered = decision.changes.tasks.values.filter { $0.state == .pending }
            .map { PromiseMessage.execute(TaskReference(id: $0.id, version: $0.version), target: "poll://any@workers") }
        #expect(decision.messages == offered)
    }

    @Test("a heartbeat extends only what is held by that worker at that version")
    func heartbeat() {
        let cases: [(String, Int64, Int64?)] = [
            ("me", 3, Self.now + 60), ("you", 3, nil), ("me", 2, nil), ("me", 4, nil),
        ]
        for (pid, version, end) in cases {
            let beat = PromiseOperation.heartbeat(pid: pid, tasks: [TaskReference(id: "p", version: version)])
            let decision = decide(beat, records(.acquired))
            #expect(decision.response.status == 200)
            #expect(decision.changes.tasks["p"]?.leaseExpiresAt == end)
        }
    }

    @Test("a lease that has ended is nobody's: the next gets it at version + 1, the last can do nothing more")
    func expiry() {
        var stored = records(.acquired)
        stored.tasks["p"]?.leaseExpiresAt = Self.now
        let task = TaskReference(id: "p", version: 3)
        let taken = decide(.acquireTask(task, pid: "you", ttl: 10), stored)
        #expect(taken.response.data.task?.version == 4 && taken.response.data.task?.pid == "you")
        #expect(
            decide(.createTask(pid: "you", ttl: 10, action: creating("p", Self.tags)), stored).response.status == 200)
        #expect(decide(.fence(task, action: creating("q")), stored).response.status == 409)
        #expect(decide(.heartbeat(pid: "me", tasks: [task]), stored).changes.tasks["p"]?.leaseExpiresAt == nil)
        stored.tasks["p"]?.leaseExpiresAt = Self.now + 1
        #expect(decide(.acquireTask(task, pid: "you", ttl: 10), stored).response.status == 409)
        #expect(decide(.fence(task, action: creating("q")), stored).response.status == 200)
    }

    @Test("a fence creates and settles other promises, and answers with their answer")
    func fence() throws {
        let task = TaskReference(id: "p", version: 3)
        var stored = records(.acquired)
        let created = decide(.fence(task, action: creating("p:1", Self.tags)), stored)
        #expect(created.response.data.action?.status == 200)
        #expect(created.response.data.action?.data.promise?.id == "p:1")
        #expect(Set(created.changes.promises.keys) == ["p:1"])
        #expect(created.changes.tasks["p:1"]?.state == .pending)
        let settlement = PromiseOperation.Action(
            Request(.settlePromise(PromiseSettlement(id: "p:1", state: .resolved))))
        let missing = decide(.fence(task, action: settlement), stored)
        #expect(missing.response.status == 200 && missing.response.data.action?.status == 404)
        stored.promises["p:1"] = PromiseRecord(id: "p:1", timeoutAt: .max, createdAt: 1)
        let settled = decide(.fence(task, action: settlement), stored)
        #expect(settled.changes.promises["p:1"]?.state == .resolved)
    }

    @Test("what is malformed is refused before anything is looked up")
    func malformedTasks() {
        let absent = TaskReference(id: "absent", version: 1)
        let settle = PromiseOperation.Action(Request(.settlePromise(PromiseSettlement(id: "other", state: .resolved))))
        let pending = PromiseOperation.Action(Request(.settlePromise(PromiseSettlement(id: "absent", state: .pending))))
        let operations: [PromiseOperation] = [
            .createTask(pid: "", ttl: 1, action: creating("a", Self.tags)),
            .createTask(pid: "me", ttl: 0, action: creating("a", Self.tags)),
            .createTask(pid: "me", ttl: 1, action: creating("a")),
            .createTask(pid: "me", ttl: 1, action: settle),
            .createTask(
                pid: "me", ttl: 1, action: creating("a", Self.tags.merging([PromiseTag.delay: "1"]) { $1 })),
            .acquireTask(absent, pid: "", ttl: 1),
            .acquireTask(absent, pid: "me", ttl: -1),
            .fence(absent, action: creating("absent")),
            .fence(absent, action: PromiseOperation.Action(Request(.getPromise(id: "x")))),
            .fulfillTask(absent, action: settle),
            .fulfillTask(absent, action: pending),
            .malformed(kind: "promise.get", reason: "no"),
            .unknown(kind: "promise.delete"),
        ]
        for operation in operations {
            #expect(decide(operation).response.status == 400, "\(operation)")
        }
        let old = Request(.getPromise(id: "p"), head: .init(corrId: "7", version: "2025-01-01"))
        let refused = PromiseStateMachine.decide(old, stored: records(nil), now: Self.now).response
        #expect(refused.status == 400 && refused.head.corrId == "7")
    }

    @Test("a task cannot be created for a promise without a target")
    func untargeted() {
        let decision = decide(.createTask(pid: "me", ttl: 1, action: creating("p", Self.tags)), records(nil))
        #expect(decision.response.status == 422)
    }

    // MARK: What the tests are about

    private func decide(
        _ operation: PromiseOperation, _ stored: PromiseRecords = PromiseRecords()
    ) -> PromiseStateMachine.Decision {
        PromiseStateMachine.decide(Request(operation), stored: stored, now: Self.now)
    }

    /// A pending promise `p`, with a task in that state at version 3.
    private func records(_ state: TaskState?) -> PromiseRecords {
        let isSettled = state == .fulfilled
        let promise = PromiseRecord(
            id: "p", state: isSettled ? .resolved : .pending, tags: state == nil ? [:] : Self.tags,
            timeoutAt: .max, createdAt: 1, settledAt: isSettled ? 2 : nil)
        guard let state else { return PromiseRecords(promises: [promise]) }
        var task = TaskRecord(id: "p", state: state, version: 3)
        if state == .acquired { (task.ttl, task.pid, task.leaseExpiresAt) = (60, "me", Self.now + 30) }
        return PromiseRecords(promises: [promise], tasks: [task])
    }
}

func creating(_ id: String, _ tags: [String: String]? = nil) -> PromiseOperation.Action {
    .init(Request(.createPromise(PromiseCreation(id: id, timeoutAt: .max, tags: tags))))
}
