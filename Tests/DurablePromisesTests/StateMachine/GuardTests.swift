import Testing

@testable import DurablePromises

/// Several guards may refuse one request; which of them answers can be seen from outside: 400 before 404 before 409 and 422.
@Suite("the guards of requests")
struct GuardTests {
    struct Case: Sendable, CustomTestStringConvertible {
        var name: String
        var operation: PromiseOperation
        var status: Int

        init(_ name: String, _ operation: PromiseOperation, _ status: Int) {
            self.name = name
            self.operation = operation
            self.status = status
        }

        var testDescription: String { name }
    }

    private static let absent = TaskReference(id: "absent", version: 1)
    /// The task of `p` is pending at version 3; `q` has no task, and nobody may wait for it.
    private static let unheld = TaskReference(id: "p", version: 3)
    private static let stored: PromiseRecords = {
        var records = PromiseRecords.withTask(.pending)
        for id in ["q", "p:q"] { records.promises[id] = PromiseRecord(id: id, timeoutAt: .max, createdAt: 1) }
        return records
    }()

    // MARK: 400

    static let malformed: [Case] = [
        Case("create: no id", creating("").operation, 400),
        Case("create: NUL in the id", creating("a\0").operation, 400),
        Case("create: an id of 1025 bytes", creating(longest + "x").operation, 400),
        Case("create: a target of 1025 bytes", creating("a", [PromiseTag.target: longestAddress + "x"]).operation, 400),
        Case("create: a negative deadline", creating("a", timeoutAt: -1).operation, 400),
        Case("create: NUL in a tag", creating("a", ["x": "\0"]).operation, 400),
        Case("create: NUL in a tag's name", creating("a", ["\0": "x"]).operation, 400),
        Case(
            "create: NUL in the param",
            .createPromise(PromiseCreation(id: "a", timeoutAt: 9, param: .init(data: "\0"))), 400
        ),
        Case(
            "create: NUL in a header",
            .createPromise(PromiseCreation(id: "a", timeoutAt: 9, param: .init(headers: ["x": "\0"]))), 400
        ),
        Case("create: a target that is nowhere", creating("a", [PromiseTag.target: "nowhere"]).operation, 400),
        Case("create: a delay without a target", creating("a", [PromiseTag.delay: "3"], timeoutAt: 9).operation, 400),
        Case("create: a delay until the deadline", creating("a", delay("9"), timeoutAt: 9).operation, 400),
        Case("create: a negative delay", creating("a", delay("-1"), timeoutAt: 9).operation, 400),
        Case("create: a delay that is no number", creating("a", delay("soon"), timeoutAt: 9).operation, 400),
        Case("create: a colon in the origin", creating("a:1", [PromiseTag.origin: "a:1"]).operation, 400),
        Case("create: another's origin", creating("ab", [PromiseTag.origin: "a"]).operation, 400),
        Case("create: another's branch", creating("a", [PromiseTag.branch: "a:1"]).operation, 400),
        Case("create: another's parent", creating("a", [PromiseTag.parent: "b"]).operation, 400),
        Case("create: a colon in the prefix", creating("a", [PromiseTag.prefix: "a:"]).operation, 400),
        Case(
            "create: what breaks a rule, though the id exists", creating("p", [PromiseTag.parent: "b"]).operation, 400),
        Case("settle: as pending", settling("p", .pending).operation, 400),
        Case("settle: as timed out", settling("p", .rejectedTimedout).operation, 400),
        Case("settle: as pending, one that is absent", settling("absent", .pending).operation, 400),
        Case("settle: NUL in the value", settling("p", .resolved, "\0").operation, 400),
        Case("callback: itself", awaiting("p", by: "p").operation, 400),
        Case("callback: another family", awaiting("q", by: "p").operation, 400),
        Case("callback: another family that begins alike", awaiting("a.b:1", by: "a.c").operation, 400),
        Case("callback: another root that begins alike", awaiting("a.b:1", by: "a.b.c").operation, 400),
        Case("callback: by what cannot be an id", awaiting("p:1", by: "p:\0").operation, 400),
        Case("callback: for what cannot be an id", awaiting("p:o\u{308}", by: "p").operation, 400),
        Case("callback: another family, absent", awaiting("a", by: "b").operation, 400),
        Case("listener: no address", .registerListener(Listener(awaited: "absent", address: "nowhere")), 400),
        Case(
            "listener: an address of 1025 bytes",
            .registerListener(Listener(awaited: "p", address: longestAddress + "x")), 400
        ),
        Case("listener: no member", .registerListener(Listener(awaited: "q", address: "poll://uni@workers")), 400),
        Case("task.create: no worker", .createTask(pid: "", ttl: 1, action: creating("p", targeted)), 400),
        Case("task.create: NUL in the worker", .createTask(pid: "\0", ttl: 1, action: creating("p", targeted)), 400),
        Case("task.create: no lease", .createTask(pid: "me", ttl: 0, action: creating("p", targeted)), 400),
        Case("task.create: no target", .createTask(pid: "me", ttl: 1, action: creating("p")), 400),
        Case("task.create: a delay", .createTask(pid: "me", ttl: 1, action: creating("p", delay("1"))), 400),
        Case("task.create: not to create", .createTask(pid: "me", ttl: 1, action: settling("p")), 400),
        Case("task.create: a flaw inside", .createTask(pid: "me", ttl: 1, action: creating("", targeted)), 400),
        Case("acquire: no worker", .acquireTask(absent, pid: "", ttl: 1), 400),
        Case("acquire: no lease", .acquireTask(absent, pid: "me", ttl: -1), 400),
        Case("fence: its own promise", .fence(absent, action: creating("absent")), 400),
        Case("fence: to settle its own promise", .fence(absent, action: settling("absent")), 400),
        Case("fence: its own promise before anything else", .fence(absent, action: settling("absent", .pending)), 400),
        Case("fence: to get", .fence(absent, action: Request(.getPromise(id: "x"))), 400),
        Case("fence: a flaw inside", .fence(absent, action: creating("")), 400),
        Case("fence: a state inside", .fence(absent, action: settling("x", .pending)), 400),
        Case(
            "fence: what is malformed inside",
            .fence(absent, action: Request(.malformed(kind: "promise.create", reason: "no"))), 400
        ),
        Case("suspend: for nothing", .suspendTask(absent, actions: []), 400),
        Case("suspend: for itself", .suspendTask(absent, actions: [awaiting("absent", by: "absent")]), 400),
        Case(
            "suspend: for what cannot be an id",
            .suspendTask(absent, actions: [awaiting("absent:\0", by: "absent")]), 400
        ),
        Case(
            "suspend: for another family that begins alike",
            .suspendTask(TaskReference(id: "a.c", version: 1), actions: [awaiting("a.b:1", by: "a.c")]), 400
        ),
        Case("suspend: another task", .suspendTask(absent, actions: [awaiting("absent:1", by: "absent:2")]), 400),
        Case("suspend: for another family", .suspendTask(absent, actions: [awaiting("x", by: "absent")]), 400),
        Case(
            "suspend: for one twice",
            .suspendTask(absent, actions: [awaiting("absent:1", by: "absent"), awaiting("absent:1", by: "absent")]), 400
        ),
        Case("suspend: by something else", .suspendTask(absent, actions: [settling("absent:1")]), 400),
        Case("fulfill: another promise", .fulfillTask(absent, action: settling("other")), 400),
        Case("fulfill: as pending", .fulfillTask(absent, action: settling("absent", .pending)), 400),
        Case("fulfill: to create", .fulfillTask(absent, action: creating("absent")), 400),
        Case("fulfill: NUL in the value", .fulfillTask(absent, action: settling("absent", .resolved, "\0")), 400),
        Case("get: no id", .getPromise(id: ""), 400),
        Case("get: NUL in the id", .getPromise(id: "a\0"), 400),
        Case("get: an id that is not in normal form C", .getPromise(id: "o\u{308}"), 400),
        Case("get: an id of 1025 bytes", .getPromise(id: longest + "x"), 400),
        Case(
            "listener: for what cannot be an id", .registerListener(Listener(awaited: "\0", address: "http://a")), 400),
        Case("task.get: what cannot be an id", .getTask(id: "\0"), 400),
        Case("acquire: what cannot be an id", .acquireTask(TaskReference(id: "", version: 1), pid: "me", ttl: 1), 400),
        Case("fence: by what cannot be an id", .fence(TaskReference(id: "\0", version: 1), action: creating("x")), 400),
        Case(
            "suspend: what cannot be an id",
            .suspendTask(TaskReference(id: "\0", version: 1), actions: [awaiting("\0:1", by: "\0")]), 400),
        Case(
            "fulfill: what cannot be an id", .fulfillTask(TaskReference(id: "", version: 1), action: settling("")), 400),
        Case("release: what cannot be an id", .releaseTask(TaskReference(id: "\0", version: 1)), 400),
        Case("halt: what cannot be an id", .haltTask(id: ""), 400),
        Case("continue: what cannot be an id", .continueTask(id: "\0"), 400),
        Case("schedule.get: what cannot be an id", .getSchedule(id: ""), 400),
        Case("schedule.delete: what cannot be an id", .deleteSchedule(id: "\0"), 400),
        Case("malformed", .malformed(kind: "promise.get", reason: "no"), 400),
        Case("unknown", .unknown(kind: "promise.delete"), 400),
    ]

    /// As long as an id may be, and an address.
    private static let longest = String(repeating: "a", count: 1024)
    private static let longestAddress = "http://" + String(repeating: "h", count: 1017)

    private static func delay(_ time: String) -> [String: String] {
        targeted.merging([PromiseTag.delay: time]) { $1 }
    }

    // MARK: 404, 409, 422

    static let refused: [Case] = [
        Case("get", .getPromise(id: "absent"), 404),
        Case("settle", settling("absent").operation, 404),
        Case("callback: both are absent", awaiting("absent:1", by: "absent").operation, 404),
        Case("callback: the awaited is absent, the awaiter has no task", awaiting("q:1", by: "q").operation, 404),
        Case("callback: the awaiter is absent", awaiting("p:1", by: "p:2").operation, 422),
        Case("callback: the awaiter has no task", awaiting("p:1", by: "p:q").operation, 422),
        Case("callback: the awaited is nobody's business", awaiting("p:q", by: "p").operation, 422),
        Case("listener: absent", .registerListener(Listener(awaited: "absent", address: "http://a")), 404),
        Case("listener: nobody's business", .registerListener(Listener(awaited: "q", address: "http://a")), 422),
        Case("task.get: no promise", .getTask(id: "absent"), 404),
        Case("task.get: a promise without a task", .getTask(id: "q"), 404),
        Case(
            "task.create: a promise without a task", .createTask(pid: "me", ttl: 1, action: creating("q", targeted)),
            422),
        Case("acquire", .acquireTask(absent, pid: "me", ttl: 1), 404),
        Case(
            "acquire: a promise without a task", .acquireTask(TaskReference(id: "q", version: 0), pid: "me", ttl: 1),
            404),
        Case("fence", .fence(absent, action: creating("x")), 404),
        Case("fence: not held, and the other is absent", .fence(unheld, action: settling("x")), 409),
        Case("suspend", .suspendTask(absent, actions: [awaiting("absent:1", by: "absent")]), 404),
        Case(
            "suspend: not held, and the awaited is absent", .suspendTask(unheld, actions: [awaiting("p:9", by: "p")]),
            409),
        Case("fulfill", .fulfillTask(absent, action: settling("absent")), 404),
        Case("fulfill: not held", .fulfillTask(unheld, action: settling("p")), 409),
        Case("release", .releaseTask(absent), 404),
        Case("halt", .haltTask(id: "absent"), 404),
        Case("continue", .continueTask(id: "absent"), 404),
        Case("schedule.get", .getSchedule(id: "absent"), 404),
        Case("schedule.delete", .deleteSchedule(id: "absent"), 404),
        Case("what is about more than some ids", .searchPromises(PromiseSearch()), 501),
    ]

    @Test("answer in the protocol's order, and what they refuse changes nothing", arguments: malformed + refused)
    func order(example: Case) {
        let decision = decide(example.operation, Self.stored)
        #expect(decision.status == example.status)
        #expect(decision.response.error?.isEmpty == false)
        #expect(decision.changesNothing)
    }

    @Test("a suspension for what is missing, or nobody's business, cannot be processed, though another is settled")
    func suspension() {
        var stored = PromiseRecords.withTask(.acquired)
        stored.promises["p:2"] = PromiseRecord(
            id: "p:2", state: .resolved, tags: external, timeoutAt: .max, createdAt: 1, settledAt: 2
        )
        stored.promises["p:3"] = PromiseRecord(id: "p:3", timeoutAt: .max, createdAt: 1)
        for other in ["p:3", "p:4"] {
            for actions in [[awaiting("p:2", by: "p"), awaiting(other, by: "p")], [awaiting(other, by: "p")]] {
                let suspend = PromiseOperation.suspendTask(TaskReference(id: "p", version: 3), actions: actions)
                let decision = decide(suspend, stored)
                #expect(decision.status == 422 && decision.changesNothing)
            }
        }
    }

    @Test("a fence whose inner request finds nothing answers 200, and inside it 404")
    func innerStatus() {
        let fence = PromiseOperation.fence(TaskReference(id: "p", version: 3), action: settling("absent"))
        let decision = decide(fence, .withTask(.acquired))
        #expect(decision.status == 200 && decision.changesNothing)
        #expect(decision.response.data.action?.status == 404 && decision.response.data.action?.error != nil)
        #expect(decision.response.data.action?.kind == "promise.settle")
    }

    @Test(
        "ids of one family may be separated by points, as the clients and checkers of both kinds do",
        arguments: [false, true])
    func separators(isStrict: Bool) {
        var stored = PromiseRecords.withTask(.pending)
        stored.promises["p.1"] = PromiseRecord(id: "p.1", tags: external, timeoutAt: .max, createdAt: 1)
        #expect(decide(awaiting("p.1", by: "p"), stored, rules: PromiseRules(isStrict: isStrict)).status == 200)
        #expect(decide(creating("p.1", [PromiseTag.origin: "p", PromiseTag.parent: "p"])).status == 200)
        #expect(decide(creating("p:1", [PromiseTag.origin: "p", PromiseTag.parent: "p"])).status == 200)
    }

    @Test("where a colon separates, a point belongs to the root", arguments: [false, true])
    func dottedRoots(isStrict: Bool) {
        var stored = PromiseRecords.withTask(.pending)
        stored.promises["a.b"] = PromiseRecord(id: "a.b", tags: targeted, timeoutAt: .max, createdAt: 1)
        stored.promises["a.b:1"] = PromiseRecord(id: "a.b:1", tags: external, timeoutAt: .max, createdAt: 1)
        let rules = PromiseRules(isStrict: isStrict)
        #expect(decide(awaiting("a.b:1", by: "a.b"), stored, rules: rules).status == 200)
        for ids in [["a.b", "a.b:1"], ["a.b", "a.c"], ["a.b:1", "a.c"], ["a.b:1", "a.c:1"]] {
            let tasks = ids.map { TaskReference(id: $0, version: 1) }
            let isRefused = isStrict && ids[0].hasSuffix(":1")
            #expect(decide(.heartbeat(pid: "me", tasks: tasks), rules: rules).status == (isRefused ? 400 : 200))
        }
    }

    @Test("the longest id and the longest address are taken")
    func longestTexts() {
        #expect(decide(creating(Self.longest, [PromiseTag.target: Self.longestAddress])).status == 200)
        let stored = PromiseRecords.withTask(.pending)
        #expect(decide(.registerListener(Listener(awaited: "p", address: Self.longestAddress)), stored).status == 200)
    }

    @Test("what cannot be an id is named, whatever else is there")
    func unstorable() {
        let suspend = PromiseOperation.suspendTask(
            TaskReference(id: "p", version: 3), actions: [awaiting("p:1", by: "p"), awaiting("p:o\u{308}", by: "p")])
        let decision = decide(suspend, .withTask(.acquired))
        #expect(decision.status == 400 && decision.changesNothing)
        #expect(decision.response.error?.hasSuffix("normal form C; this one is not: p:o\u{308}") == true)
    }

    @Test("a heartbeat passes over what cannot be an id, and extends the others", arguments: [false, true])
    func heartbeat(isStrict: Bool) {
        let ids = ["other\0", "p", "o\u{308}", ""]
        let beat = PromiseOperation.heartbeat(pid: "me", tasks: ids.map { TaskReference(id: $0, version: 3) })
        let decision = decide(beat, .withTask(.acquired), rules: PromiseRules(isStrict: isStrict))
        #expect(decision.status == 200)
        #expect(decision.outcome.changes.tasks["p"]?.leaseExpiresAt == noon + 60)
        #expect(beat.promiseIDs == ["p"])
    }

    @Test("a heartbeat for tasks of several families is taken, unless the rules are strict")
    func origins() {
        let tasks = [TaskReference(id: "a", version: 1), TaskReference(id: "b", version: 1)]
        #expect(decide(.heartbeat(pid: "me", tasks: tasks)).status == 200)
        #expect(decide(.heartbeat(pid: "me", tasks: tasks), rules: PromiseRules(isStrict: true)).status == 400)
    }

    @Test(
        "an address is one of poll:// and http://",
        arguments: [
            ("poll://any@g", true), ("poll://any@g/id", true), ("poll://uni@g/id", true), ("http://h", true),
            ("https://h/x?y=1", true), ("poll://uni@g", false), ("poll://any@", false), ("poll://any@/id", false),
            ("poll://uni@g/", false), ("poll://all@g/id", false), ("poll://g", false), ("http://", false),
            ("http:///x", false), ("ftp://h", false), ("", false), ("g", false), ("http://a b", false),
            ("http://a\nb", false), ("poll://any@g\0", false),
        ])
    func addresses(text: String, isValid: Bool) {
        #expect((PromiseAddress(text) != nil) == isValid)
    }
}
