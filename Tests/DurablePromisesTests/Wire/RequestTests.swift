import Foundation
import Testing

@testable import DurablePromises

@Suite("requests as JSON")
struct RequestTests {
    private static let head = #""head":{"corrId":"sr-2","version":"2026-04-01"}"#
    private static let creation = """
        {"kind":"promise.create",\(head),"data":{"id":"a","timeoutAt":5,"param":{"headers":{"h":"1"},"data":"MQ=="},\
        "tags":{"x":"y"}}}
        """
    private static let settlement = """
        {"kind":"promise.settle",\(head),"data":{"id":"a","state":"rejected_canceled","value":{"data":"MQ=="}}}
        """
    private static let callback = """
        {"kind":"promise.register_callback",\(head),"data":{"awaited":"a:1","awaiter":"a"}}
        """

    static let samples: [(text: String, operation: PromiseOperation)] = {
        let task = TaskReference(id: "a", version: 4)
        let create = PromiseOperation.createPromise(
            PromiseCreation(id: "a", timeoutAt: 5, param: .init(headers: ["h": "1"], data: "MQ=="), tags: ["x": "y"])
        )
        let settle = PromiseOperation.settlePromise(
            PromiseSettlement(id: "a", state: .rejectedCanceled, value: .init(data: "MQ=="))
        )
        let await_ = PromiseOperation.registerCallback(Callback(awaited: "a:1", awaiter: "a"))
        let search = PromiseSearch(state: "pending", tags: ["x": "y"], limit: 7, cursor: "m")
        let schedule = ScheduleCreation(
            id: "s", cron: "*/5 * * * *", promiseId: "{{.id}}-{{.timestamp}}", promiseTimeout: 9,
            promiseParam: .init(data: "MQ=="), promiseTags: ["x": "y"]
        )
        func inner(_ operation: PromiseOperation) -> Request { Request(operation, head: .init(corrId: "sr-2")) }
        func text(_ kind: String, _ data: String) -> String { #"{"kind":"\#(kind)",\#(head),"data":\#(data)}"# }
        let reference = #""id":"a","version":4"#
        let found = #"{"state":"pending","tags":{"x":"y"},"limit":7,"cursor":"m"}"#
        return [
            (text("promise.get", #"{"id":"a"}"#), .getPromise(id: "a")),
            (creation, create),
            (settlement, settle),
            (callback, await_),
            (
                text("promise.register_listener", #"{"awaited":"a","address":"poll://uni@g/1"}"#),
                .registerListener(Listener(awaited: "a", address: "poll://uni@g/1"))
            ),
            (text("promise.search", found), .searchPromises(search)),
            (text("promise.search", "{}"), .searchPromises(PromiseSearch())),
            (text("task.get", #"{"id":"a"}"#), .getTask(id: "a")),
            (
                text("task.create", #"{"pid":"p","ttl":60000,"action":\#(creation)}"#),
                .createTask(pid: "p", ttl: 60_000, action: inner(create))
            ),
            (text("task.acquire", #"{\#(reference),"pid":"p","ttl":1}"#), .acquireTask(task, pid: "p", ttl: 1)),
            (
                text("task.heartbeat", #"{"pid":"p","tasks":[{\#(reference)},{"id":"b","version":1}]}"#),
                .heartbeat(pid: "p", tasks: [task, TaskReference(id: "b", version: 1)])
            ),
            (text("task.heartbeat", #"{"pid":"p","tasks":[]}"#), .heartbeat(pid: "p", tasks: [])),
            (text("task.fence", #"{\#(reference),"action":\#(creation)}"#), .fence(task, action: inner(create))),
            (
                text("task.suspend", #"{\#(reference),"actions":[\#(callback)]}"#),
                .suspendTask(task, actions: [inner(await_)])
            ),
            (
                text("task.fulfill", #"{\#(reference),"action":\#(settlement)}"#),
                .fulfillTask(task, action: inner(settle))
            ),
            (text("task.release", "{\(reference)}"), .releaseTask(task)),
            (text("task.halt", #"{"id":"a"}"#), .haltTask(id: "a")),
            (text("task.continue", #"{"id":"a"}"#), .continueTask(id: "a")),
            (text("task.search", found), .searchTasks(search)),
            (
                text(
                    "schedule.create",
                    """
                    {"id":"s","cron":"*/5 * * * *","promiseId":"{{.id}}-{{.timestamp}}","promiseTimeout":9,\
                    "promiseParam":{"data":"MQ=="},"promiseTags":{"x":"y"}}
                    """
                ),
                .createSchedule(schedule)
            ),
            (text("schedule.get", #"{"id":"a"}"#), .getSchedule(id: "a")),
            (text("schedule.delete", #"{"id":"a"}"#), .deleteSchedule(id: "a")),
            (text("schedule.search", #"{"limit":7}"#), .searchSchedules(PromiseSearch(limit: 7))),
            (text("debug.start", "{}"), .startDebugging),
            (text("debug.stop", "{}"), .stopDebugging),
            (text("debug.reset", "{}"), .resetForDebugging),
            (text("debug.tick", #"{"time":5}"#), .tick(time: 5)),
            (text("debug.snap", "{}"), .snapshot),
        ]
    }()

    @Test("of each kind are read, and written so that they are read again", arguments: samples.map(\.text))
    func examples(text: String) throws {
        let operation = try #require(Self.samples.first { $0.text == text }?.operation)
        let request = Request(json: Array(text.utf8))
        #expect(request == Request(operation, head: .init(corrId: "sr-2")))
        #expect(try JSONTree(json: request.json) == JSONTree(json: Array(text.utf8)))
        #expect(Request(json: request.json) == request)
    }

    @Test("are read whatever the order of their members, and with members that nobody knows")
    func order() {
        let text = """
            {"data" : {"more":[{"id":"no"}], "timeoutAt":5.0, "id":"a", "param":null, "tags":null},
             "later":{"head":1}, "head":{"resonate:origin":"x","version":"2026-04-01","auth":null,"corrId":"7",
             "resonate:debug_time":9}, "kind":"promise.create"}
            """
        let expected = Request(
            .createPromise(PromiseCreation(id: "a", timeoutAt: 5)),
            head: .init(corrId: "7", debugTime: 9)
        )
        #expect(Request(json: Array(text.utf8)) == expected)
    }

    @Test("do not mind what members of other kinds look like")
    func strangers() {
        let data = #"{"id":"a","limit":"many","version":"1.0","action":5,"tasks":{},"cron":[],"tags":7,"state":null}"#
        let text = #"{"kind":"promise.get",\#(Self.head),"data":\#(data)}"#
        #expect(Request(json: Array(text.utf8)).operation == .getPromise(id: "a"))
    }

    @Test(
        "that are no envelope are malformed, and keep what could be read",
        arguments: [
            ("", "unknown", "0"), ("no", "unknown", "0"), ("[]", "unknown", "0"), ("5", "unknown", "0"),
            ("null", "unknown", "0"), ("{}", "unknown", "0"), (#"{"kind":"promise.get"}"#, "promise.get", "0"),
            (#"{"kind":"promise.get","data":{"id":"a"}}"#, "promise.get", "0"),
            (#"{"kind":"promise.get","head":[],"data":{"id":"a"}}"#, "promise.get", "0"),
            (#"{"kind":"promise.get","head":null,"data":{"id":"a"}}"#, "promise.get", "0"),
            (#"{"kind":"promise.get","head":{"corrId":"7"}}"#, "promise.get", "7"),
            (#"{"head":{"corrId":"7"},"data":{}}"#, "unknown", "7"),
            (#"{"kind":"","head":{"corrId":"7"},"data":{}}"#, "unknown", "7"),
            (#"{"kind":5,"head":{"corrId":"7"},"data":{}}"#, "unknown", "7"),
            (#"{"kind":"promise.get","head":{"corrId":"7"},"data":[]}"#, "promise.get", "7"),
            (#"{"kind":"promise.get","head":{"corrId":"7"},"data":null}"#, "promise.get", "7"),
            (#"{"kind":"promise.get","head":{"corrId":"7"},"data":"x"}"#, "promise.get", "7"),
            (#"{"kind":"promise.get","head":{"corrId":"7"},"data":{}}"#, "promise.get", "7"),
            (#"{"kind":"promise.get","head":{"corrId":"7"},"data":{"id":5}}"#, "promise.get", "7"),
            (#"{"kind":"promise.get","head":{"corrId":"7"},"data":{"id":null}}"#, "promise.get", "7"),
            (
                #"{"kind":"promise.create","head":{"corrId":"7"},"data":{"id":"a","timeoutAt":0.5}}"#, "promise.create",
                "7"
            ),
            (
                #"{"kind":"promise.create","head":{"corrId":"7"},"data":{"id":"a","timeoutAt":"5"}}"#, "promise.create",
                "7"
            ),
            (
                #"{"kind":"promise.create","head":{"corrId":"7"},"data":{"id":"a","timeoutAt":5,"tags":{"x":1}}}"#,
                "promise.create", "7"
            ),
            (
                #"{"kind":"promise.create","head":{"corrId":"7"},"data":{"id":"a","timeoutAt":5,"param":"x"}}"#,
                "promise.create", "7"
            ),
            (
                #"{"kind":"promise.settle","head":{"corrId":"7"},"data":{"id":"a","state":"done"}}"#,
                "promise.settle", "7"
            ),
            (#"{"kind":"task.suspend","head":{"corrId":"7"},"data":{"id":"a","version":1}}"#, "task.suspend", "7"),
            (
                #"{"kind":"task.heartbeat","head":{"corrId":"7"},"data":{"pid":"a","tasks":[{}]}}"#, "task.heartbeat",
                "7"
            ),
        ])
    func malformed(text: String, kind: String, number: String) {
        let request = Request(json: Array(text.utf8))
        guard case .malformed(kind, _) = request.operation else {
            Issue.record("\(text) was taken for \(request.operation)")
            return
        }
        #expect(request.head.corrId == number)
        let response = decide(request).response
        #expect(response.status == 400 && response.kind == kind && response.head.corrId == number)
        #expect(response.error != nil)
    }

    @Test("say which member has what is not of its kind")
    func misfits() {
        func reason(_ data: String) -> String? {
            let text = #"{"kind":"promise.create",\#(Self.head),"data":\#(data)}"#
            return decide(Request(json: Array(text.utf8))).response.error
        }
        for value in [#""5""#, "true", "[]", "0.5"] {
            let said = reason(#"{"id":"a","timeoutAt":\#(value)}"#)
            #expect(said?.contains(": timeoutAt: expected a whole number at byte ") == true, "\(said ?? "")")
        }
        #expect(reason(#"{"id":5,"timeoutAt":5}"#)?.contains(": id: expected a string at byte ") == true)
    }

    @Test("of a kind that nobody knows are refused as such")
    func unknown() {
        let request = Request(json: Array(#"{"kind":"promise.delete",\#(Self.head),"data":{"id":5}}"#.utf8))
        #expect(request.operation == .unknown(kind: "promise.delete"))
        #expect(decide(request).response.status == 400)
    }

    @Test("of another version of the protocol are refused", arguments: ["", "2025-01-01", "2026-04-02"])
    func version(version: String) {
        let response = decide(Request(.getPromise(id: "p"), head: .init(corrId: "7", version: version))).response
        #expect(response.status == 400 && response.head.corrId == "7" && response.head.version == "2026-04-01")
        let unversioned = #"{"kind":"promise.get","head":{"corrId":"7"},"data":{"id":"p"}}"#
        #expect(decide(Request(json: Array(unversioned.utf8))).response.status == 400)
    }

    @Test("inside requests may be malformed: that is the matter of who answers")
    func inner() {
        let text = """
            {"kind":"task.fence",\(Self.head),"data":{"id":"a","version":1,"action":{"kind":"promise.create","data":7}}}
            """
        guard case .fence(_, let action) = Request(json: Array(text.utf8)).operation,
            case .malformed("promise.create", _) = action.operation
        else {
            Issue.record("the inner request was understood")
            return
        }
        #expect(decide(Request(json: Array(text.utf8))).response.status == 400)
    }

    @Test(
        "nested without an end, or damaged in any place, are answered all the same", arguments: 0..<4 as Range<UInt64>)
    func hostile(seed: UInt64) {
        let opening = #"{"kind":"task.fence","head":{},"data":{"id":"a","version":1,"action":"#
        let deep = String(repeating: opening, count: 10_000)
        guard case .malformed = Request(json: Array(deep.utf8)).operation else {
            Issue.record("a request that never ends was understood")
            return
        }
        let closed = String(repeating: opening, count: 20) + "{}" + String(repeating: "}}", count: 20)
        guard case .fence = Request(json: Array(closed.utf8)).operation else {
            Issue.record("a request of 20 levels was refused as a whole")
            return
        }
        var random = RandomJSON(seed: seed)
        for example in Self.samples {
            for _ in 0..<200 {
                let request = Request(json: random.damaged(Array(example.text.utf8)))
                let response = decide(request).response
                #expect(response.kind == request.operation.kind && !response.kind.isEmpty)
            }
        }
    }

    @Test("keep every character of what they carry")
    func characters() throws {
        var random = RandomJSON(seed: 77)
        for _ in 0..<500 {
            let (id, data, key) = (random.string(), random.string(), random.string())
            let request = Request(
                .createPromise(PromiseCreation(id: id, timeoutAt: 1, param: .init(headers: [key: id], data: data))),
                head: .init(corrId: key)
            )
            let read = Request(json: request.json)
            guard case .createPromise(let creation) = read.operation else {
                Issue.record("\(request) was not understood")
                return
            }
            #expect(Array(creation.id.utf8) == Array(id.utf8))
            #expect(Array((creation.param?.data ?? "").utf8) == Array(data.utf8))
            #expect(read == request)
        }
    }
}
