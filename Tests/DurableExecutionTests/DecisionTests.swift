import DurablePromises
import Foundation
import Testing

@testable import DurableExecution

@Suite("Decisions of durable execution")
struct DecisionTests {
    private func record(
        _ id: String,
        _ state: PromiseState,
        name: String? = nil,
        tags: [String: String] = [PromiseTag.scope: "local"]
    ) throws -> PromiseRecord {
        let param = try name.map { try Payload.encode(Call($0)) } ?? PromiseValue()
        return PromiseRecord(id: id, state: state, param: param, tags: tags, timeoutAt: 10, createdAt: 1)
    }

    @Test("what to do about a step follows from what is recorded at its place")
    func replay() throws {
        let run = Step(id: "r:1", kind: .run, name: "a")
        let call = Step(id: "r:1", kind: .call, name: "a", version: 1)
        let settled = try record("r:1", .resolved, name: "a")
        #expect(ReplayDecision.decide(run, recorded: nil) == .perform)
        #expect(try ReplayDecision.decide(run, recorded: record("r:1", .pending, name: "a")) == .perform)
        #expect(ReplayDecision.decide(run, recorded: settled) == .settled(settled))
        #expect(try ReplayDecision.decide(run, recorded: record("r:1", .rejected, name: "a")) != .perform)
        // A client in another language records no names of its steps.
        #expect(try ReplayDecision.decide(run, recorded: record("r:1", .pending)) == .perform)
        let other = try record("r:1", .resolved, name: "b")
        #expect(ReplayDecision.decide(run, recorded: other) == .mismatch(Step(id: "r:1", kind: .run, name: "b")))
        #expect(ReplayDecision.decide(call, recorded: settled) == .mismatch(run))
        let target = [PromiseTag.target: "poll://any@x"]
        #expect(try ReplayDecision.decide(call, recorded: record("r:1", .pending, name: "a", tags: target)) == .wait)
        let version2 = Step(id: "r:1", kind: .call, name: "a", version: 2)
        let recorded = try record("r:1", .pending, name: "a", tags: target)
        #expect(ReplayDecision.decide(version2, recorded: recorded) == .mismatch(call))
        let sleep = Step(id: "r:1", kind: .sleep)
        // Clients that keep a timer's deadline by a target.
        let timer = target.merging([PromiseTag.timer: "true"]) { $1 }
        #expect(try ReplayDecision.decide(sleep, recorded: record("r:1", .pending, tags: timer)) == .wait)
        #expect(try ReplayDecision.decide(sleep, recorded: record("r:1", .pending, tags: target)) != .wait)
    }

    @Test("ids say where a step is: below the root by a colon, deeper by points, detached below the root")
    func ids() {
        #expect(StepID.join("my.root", "1") == "my.root:1")
        #expect(StepID.join("my.root:1", "2") == "my.root:1.2")
        #expect(Lineage.origin("my.root:1.2") == "my.root")
        let detached = StepID.detached("root:1.2")
        #expect(detached.hasPrefix("root:d") && detached.utf8.count == 22)
        #expect(StepID.detached("root:1.3") != detached)
        #expect(StepID.detached(StepID.join(detached, "1")).utf8.count == 22)
    }

    @Test("pauses grow to a longest, part of each is left to chance, and there is an end of trying")
    func retry() {
        struct Bad: Error {}
        let policy = RetryPolicy(
            mostAttempts: 6, first: .seconds(1), factor: 3, longest: .seconds(20), jitter: 0.5,
            isWorthwhile: { !($0 is Bad) })
        let failure = DurableFailure(message: "")
        let pauses = (1...6).map { policy.pause(after: failure, attempts: $0, random: 0) }
        #expect(pauses == [.seconds(1), .seconds(3), .seconds(9), .seconds(20), .seconds(20), nil])
        #expect(policy.pause(after: failure, attempts: 1, random: 1) == .milliseconds(500))
        #expect(policy.pause(after: Bad(), attempts: 1, random: 0) == nil)
        #expect(policy.pause(after: CancellationError(), attempts: 1, random: 0) == nil)
        #expect(RetryPolicy.never.pause(after: failure, attempts: 1, random: 0) == nil)
        let endless = RetryPolicy(mostAttempts: nil, jitter: 0)
        #expect(endless.pause(after: failure, attempts: 1_000_000, random: 0) == .seconds(30))
    }

    @Test("an execution sleeps only when every branch waits for somebody else")
    func branches() {
        var branches = Branches()
        #expect(!branches.areBlocked)
        branches.begin()
        branches.wait()
        #expect(!branches.areBlocked)
        branches.end()
        #expect(branches.areBlocked)
        branches.wake(1)
        #expect(!branches.areBlocked)
        branches.end()
        #expect(!branches.areBlocked, "nothing waits: it has ended")
    }

    @Test("a worker takes so many at a time, none twice, and of one task the newest version")
    func intake() {
        func task(_ id: String, _ version: Int64) -> TaskReference { TaskReference(id: id, version: version) }
        var intake = Intake(width: 2, room: 2)
        #expect(intake.offer(task("a", 1)) == task("a", 1))
        #expect(intake.offer(task("a", 1)) == nil)
        #expect(intake.offer(task("b", 1)) == task("b", 1))
        #expect(intake.offer(task("c", 1)) == nil)
        #expect(intake.offer(task("c", 2)) == nil)
        #expect(intake.offer(task("d", 1)) == nil)
        #expect(intake.offer(task("e", 1)) == nil, "there is no room: it is offered again")
        #expect(intake.done(task("a", 1)) == task("c", 2))
        #expect(intake.done(task("b", 1)) == task("d", 1))
        #expect(intake.done(task("c", 2)) == nil)
        #expect(intake.offer(task("a", 1)) == task("a", 1))
    }

    @Test("calls are understood as clients in other languages make them, and the other way round")
    func wire() throws {
        func value(_ json: String) -> PromiseValue { PromiseValue(data: Data(json.utf8).base64EncodedString()) }
        struct Point: Codable, Equatable {
            var x: Int
            var y: Int
        }
        func input<Input: Decodable>(_ type: Input.Type, _ arguments: String) throws -> Input {
            let json = #"{"func":"f",\#(arguments),"version":3}"#
            let head = try Payload.decode(Call.Head.self, from: value(json), "")
            #expect(head.version == 3)
            let arguments = try Payload.decode(Call.Arguments<Input>.self, from: value(json), "")
            return arguments.input
        }
        #expect(try input(Int.self, #""args":[4],"kwargs":{}"#) == 4)
        #expect(try input(Point.self, #""args":[{"x":1,"y":2}],"kwargs":{}"#) == Point(x: 1, y: 2))
        #expect(try input(Point.self, #""args":[],"kwargs":{"x":1,"y":2}"#) == Point(x: 1, y: 2))
        #expect(try input([Int].self, #""args":[4,5],"kwargs":{}"#) == [4, 5])
        #expect(try input(Int?.self, #""args":[],"kwargs":{}"#) == nil)
        #expect(try input(Nothing.self, #""args":[],"kwargs":{}"#) == Nothing())
        #expect(throws: DurableError.self) { try input(Int.self, #""args":[],"kwargs":{}"#) }
        #expect(throws: DurableError.self) { try input(Int.self, #""args":["a"],"kwargs":{}"#) }

        let call = try Payload.encode(Call("f", version: 2, arguments: ["a", 1, Point(x: 1, y: 2)]))
        let json = String(decoding: try #require(Data(base64Encoded: call.data ?? "")), as: UTF8.self)
        #expect(json == #"{"args":["a",1,{"x":1,"y":2}],"func":"f","kwargs":{},"version":2}"#)
        #expect(try Payload.encode(Nothing()) == PromiseValue())
        #expect(try Payload.decode(Int?.self, from: PromiseValue(), "") == nil)
    }

    @Test("failures are understood both ways: a message, and whatever else another language adds")
    func failures() throws {
        let other = #"{"__type":"error","message":"no luck","__py_pickle":"gASV"}"#
        let value = PromiseValue(data: Data(other.utf8).base64EncodedString())
        #expect(Payload.failure(value) == DurableFailure(message: "no luck"))
        #expect(Payload.failure(PromiseValue()).message == "it failed, and did not say why")
        let failure = DurableFailure(name: "Declined", message: "\"no\" 🙂")
        #expect(Payload.failure(Payload.encode(failure)) == failure)
    }
}
