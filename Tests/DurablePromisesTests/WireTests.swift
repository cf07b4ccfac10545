import DurablePromises
import Foundation
import Testing

@Suite("the protocol's JSON")
struct WireTests {
    @Test("a request of each kind is read and written")
    func requests() throws {
        let head = #""head":{"corrId":"sr-2","version":"2026-04-01"}"#
        let creation = #"{"kind":"promise.create",\#(head),"data":{"id":"a","timeoutAt":5,"tags":{"x":"y"}}}"#
        let settlement = """
            {"kind":"promise.settle",\(head),"data":{"id":"a","state":"rejected_canceled","value":{"data":"MQ=="}}}
            """
        let requests = [
            creation, settlement,
            #"{"kind":"promise.get",\#(head),"data":{"id":"a"}}"#,
            #"{"kind":"task.get",\#(head),"data":{"id":"a"}}"#,
            #"{"kind":"task.create",\#(head),"data":{"pid":"p","ttl":60000,"action":\#(creation)}}"#,
            #"{"kind":"task.acquire",\#(head),"data":{"id":"a","version":0,"pid":"p","ttl":1}}"#,
            #"{"kind":"task.heartbeat",\#(head),"data":{"pid":"p","tasks":[{"id":"a","version":1}]}}"#,
            #"{"kind":"task.fence",\#(head),"data":{"id":"b","version":1,"action":\#(creation)}}"#,
            #"{"kind":"task.fulfill",\#(head),"data":{"id":"a","version":4,"action":\#(settlement)}}"#,
            #"{"kind":"task.release",\#(head),"data":{"id":"a","version":4}}"#,
        ]
        for text in requests {
            let request = try JSONDecoder().decode(Request.self, from: Data(text.utf8))
            if case .malformed = request.operation { Issue.record("\(text) was not understood") }
            if case .unknown = request.operation { Issue.record("\(text) was not known") }
            #expect(try tree(JSONEncoder().encode(request)) == tree(Data(text.utf8)))
        }
    }

    @Test("unknown fields are ignored, and data of another shape are an answer's matter")
    func tolerance() throws {
        let text = """
            {"kind":"promise.get","head":{"corrId":"1","version":"2026-04-01","resonate:origin":"x"},
            "data":{"id":"a","more":[1]}}
            """
        #expect(try JSONDecoder().decode(Request.self, from: Data(text.utf8)).operation == .getPromise(id: "a"))
        let wrong = text.replacingOccurrences(of: #""id""#, with: #""name""#)
        let request = try JSONDecoder().decode(Request.self, from: Data(wrong.utf8))
        let response = PromiseStateMachine.decide(request, stored: PromiseRecords(), now: 0).response
        #expect(response.status == 400 && response.kind == "promise.get" && response.head.corrId == "1")
    }

    @Test("an answer echoes kind and number; a refusal's data is its text")
    func responses() throws {
        let task = TaskRecord(
            id: "p", state: .acquired, version: 1, ttl: 9, pid: "me", leaseExpiresAt: .max)
        let promise = PromiseRecord(id: "p", timeoutAt: .max, createdAt: 1)
        let request = Request(.getTask(id: "p"), head: .init(corrId: "sr-1"))
        let stored = PromiseRecords(promises: [promise], tasks: [task])
        let answer = PromiseStateMachine.decide(request, stored: stored, now: 5).response
        let expected = """
            {"kind":"task.get","head":{"corrId":"sr-1","status":200,"version":"2026-04-01"},
            "data":{"task":{"id":"p","state":"acquired","version":1,"resumes":0,"ttl":9,"pid":"me"}}}
            """
        #expect(try tree(JSONEncoder().encode(answer)) == tree(Data(expected.utf8)))
        let refusal = PromiseStateMachine.decide(request, stored: PromiseRecords(), now: 5).response
        let data = try JSONEncoder().encode(refusal)
        #expect(try tree(data)["data"] as? String == "there is no task p")
        #expect(try JSONDecoder().decode(Response.self, from: data) == refusal)
    }

    private func tree(_ data: Data) throws -> NSDictionary {
        try #require(try JSONSerialization.jsonObject(with: data) as? NSDictionary)
    }
}
