import Testing

@testable import DurablePromises

@Suite("responses and messages as JSON")
struct ResponseTests {
    private static let promise = PromiseRecord(
        id: "p", state: .resolved, param: .init(data: "MQ=="), value: .init(headers: ["h": "ü"]), tags: ["x": "y"],
        timeoutAt: .max, createdAt: 1, settledAt: 2
    )
    private static let promiseJSON = """
        {"id":"p","state":"resolved","param":{"data":"MQ=="},"value":{"headers":{"h":"ü"}},"tags":{"x":"y"},\
        "timeoutAt":9223372036854775807,"createdAt":1,"settledAt":2}
        """
    private static let task = TaskRecord(
        id: "p", state: .acquired, version: 1, ttl: 9, pid: "me", leaseExpiresAt: .max, dueAt: 5, releases: 3
    )
    private static let taskJSON = #"{"id":"p","state":"acquired","version":1,"resumes":0,"ttl":9,"pid":"me"}"#
    private static let schedule = ScheduleRecord(
        id: "s", cron: "* * * * *", promiseId: "x", promiseTimeout: 9, promiseTags: ["x": "y"], createdAt: 1,
        nextRunAt: 2, lastRunAt: 3
    )
    private static let scheduleJSON = """
        {"id":"s","cron":"* * * * *","promiseId":"x","promiseTimeout":9,"promiseParam":{},"promiseTags":{"x":"y"},\
        "createdAt":1,"nextRunAt":2,"lastRunAt":3}
        """

    private static let request = Request(.getPromise(id: "p"), head: .init(corrId: "sr-1"))

    static let samples: [(data: String, response: Response)] = [
        (#"{"promise":\#(promiseJSON)}"#, Response(to: request, data: ResponseData(promise: promise))),
        (
            #"{"promise":\#(promiseJSON),"task":\#(taskJSON),"preload":[\#(promiseJSON)]}"#,
            Response(to: request, data: ResponseData(promise: promise, task: task, preload: [promise]))
        ),
        (#"{"preload":[]}"#, Response(to: request, status: 300, data: ResponseData(preload: []))),
        ("{}", Response(to: request)),
        (
            #"{"promises":[\#(promiseJSON)],"cursor":"p"}"#,
            Response(to: request, data: ResponseData(promises: [promise], cursor: "p"))
        ),
        (#"{"promises":[]}"#, Response(to: request, data: ResponseData(promises: [], cursor: nil))),
        (#"{"tasks":[\#(taskJSON)]}"#, Response(to: request, data: ResponseData(tasks: [task], cursor: nil))),
        (#"{"schedule":\#(scheduleJSON)}"#, Response(to: request, data: ResponseData(schedule: schedule))),
        (
            #"{"schedules":[\#(scheduleJSON)]}"#,
            Response(to: request, data: ResponseData(schedules: [schedule], cursor: nil))
        ),
        (
            """
            {"action":{"kind":"promise.get","head":{"corrId":"sr-1","status":404,"version":"2026-04-01"},"data":"none"},\
            "preload":[]}
            """,
            Response(
                to: request,
                data: ResponseData(preload: [], action: Response(to: request, status: 404, error: "none"))
            )
        ),
        (#""there is none""#, Response(to: request, status: 404, error: "there is none")),
        ("[]", Response(to: request, data: ResponseData(snapshot: "[]"))),
    ]

    @Test("have the shape of the protocol, and are read again", arguments: samples.map(\.data))
    func examples(data: String) throws {
        let response = try #require(Self.samples.first { $0.data == data }?.response)
        let text = """
            {"kind":"promise.get","head":{"corrId":"sr-1","status":\(response.status),"version":"2026-04-01"},"data":\(data)}
            """
        #expect(try JSONTree(json: response.json) == JSONTree(json: Array(text.utf8)))
        let read = try Response(json: Array(text.utf8))
        // What is not sent is not there.
        #expect(read.json == response.json && read.status == response.status)
        #expect(read.data.task?.leaseExpiresAt == nil)
    }

    @Test("are read with members in any order, absent ones, and ones that nobody knows")
    func tolerance() throws {
        let text = """
            {"data":{"extra":{"promise":1},"promise":{"state":"pending","settledAt":null,"id":"p","param":null,
            "timeoutAt":5,"createdAt":1,"more":true}},"trace":[],"head":{"corrId":"1","more":0},"kind":"promise.get"}
            """
        let response = try Response(json: Array(text.utf8))
        #expect(response.status == 200)
        #expect(response.data.promise == PromiseRecord(id: "p", timeoutAt: 5, createdAt: 1))
        let object = #"{"kind":"x","head":{"corrId":"1","status":500},"data":{"error":"no"}}"#
        #expect(try Response(json: Array(object.utf8)).error == #"{"error":"no"}"#)
    }

    @Test(
        "that are none throw",
        arguments: [
            "", "[]", "{}", #"{"kind":"x","head":{}}"#, #"{"kind":"x","head":{},"data":{"promise":[]}}"#,
            #"{"kind":"x","head":{},"data":{"promise":{"id":"p","state":"done"}}}"#,
            #"{"kind":"x","head":{"status":"200"},"data":{}}"#, #"{"kind":"x","head":{"status":404},"data":5}"#,
            #"{"kind":"x","head":{},"data":{}} {}"#,
        ])
    func nonsense(text: String) {
        #expect { try Response(json: Array(text.utf8)) } throws: { ($0 as? PromiseError)?.code == .incompatible }
    }

    @Test("throw what they refuse, by its kind")
    func refusals() {
        let codes: [(Int, PromiseError.Code)] = [
            (400, .malformed), (404, .notFound), (409, .conflict), (422, .unprocessable), (401, .forbidden),
            (403, .forbidden), (500, .unavailable), (503, .unavailable), (501, .incompatible),
        ]
        for (status, code) in codes {
            let response = Response(to: Self.request, status: status, error: "no")
            #expect(throws: PromiseError(code, "no")) { try response.get() }
        }
    }

    // MARK: Messages

    @Test("a message says which task is to be had, and where")
    func execute() throws {
        let message = PromiseMessage.execute(TaskReference(id: "wf:2", version: 3))
        let expected = """
            {"kind":"execute","head":{"serverUrl":"http://127.0.0.1:1"},"data":{"task":{"id":"wf:2","version":3}}}
            """
        let json = message.json(serverURL: "http://127.0.0.1:1")
        #expect(try JSONTree(json: json) == JSONTree(json: Array(expected.utf8)))
        #expect(try PromiseMessage(json: json) == message)
        #expect(try JSONTree(json: message.json(serverURL: nil)) != JSONTree(json: json))
        #expect(try PromiseMessage(json: message.json(serverURL: nil)) == message)
    }

    @Test("a message has a settled promise in it, in ASCII on one line, and no null")
    func unblock() throws {
        var random = RandomJSON(seed: 3)
        for _ in 0..<300 {
            let record = PromiseRecord(
                id: random.string(), state: .rejected, value: .init(headers: [random.string(): random.string()]),
                tags: [random.string(): random.string()], timeoutAt: 5, createdAt: 1, settledAt: 2
            )
            let json = PromiseMessage.unblock(record).json(serverURL: nil)
            #expect(json.allSatisfy { 0x20..<0x80 ~= $0 })
            #expect(try PromiseMessage(json: json) == .unblock(record))
        }
        let json = PromiseMessage.unblock(Self.promise).json(serverURL: nil)
        let expected = #"{"kind":"unblock","head":{},"data":{"promise":\#(Self.promiseJSON)}}"#
        #expect(try JSONTree(json: json) == JSONTree(json: Array(expected.utf8)))
        #expect(!String(decoding: json, as: UTF8.self).contains("null"))
    }

    @Test(
        "what is no message throws",
        arguments: [
            "", "[]", "{}", #"{"kind":"execute"}"#, #"{"kind":"execute","data":{}}"#,
            #"{"kind":"execute","data":{"task":{"id":"a"}}}"#, #"{"kind":"unblock","data":{"promise":null}}"#,
        ])
    func noMessage(text: String) {
        #expect { try PromiseMessage(json: Array(text.utf8)) } throws: { ($0 as? PromiseError)?.code == .incompatible }
    }
}
