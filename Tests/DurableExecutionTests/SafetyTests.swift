import DurableExecution
import DurablePromises
import Foundation
import TestSupport
import Testing

@Suite("What keeps executions right")
struct SafetyTests {
    private static let flow = DurableFunction<Nothing, String>("flow")

    /// A function that takes a step, waits for `flow:2`, and goes on with what `rest` does.
    private func flow(
        first: String = "first",
        version: Int = 1,
        _ rest: @escaping @Sendable (DurableContext, String) async throws -> String
    ) -> FunctionRegistry {
        var functions = FunctionRegistry()
        functions.register(DurableFunction<Nothing, String>("flow", version: version)) { context, _ in
            let step = try await context.run(first) { "one of version \(version)" }
            let gate = try await context.promise("gate", as: String.self)
            _ = try await gate.value
            return try await rest(context, step)
        }
        return functions
    }

    private func begunAndAsleep(_ stage: Stage, _ functions: FunctionRegistry) async throws {
        try await stage.working(functions) { executions in
            try await executions.begin(Self.flow, id: "flow", input: Nothing())
            try await eventually("it sleeps", within: .seconds(120)) {
                try await stage.store.getTask(id: "flow")?.state == .suspended
            }
        }
    }

    @Test("each of more steps than a worker is told of at once is done once")
    func manySteps() async throws {
        let count = PromiseRules.mostPreloaded + 10
        try await withStage { stage in
            let deeds = Deeds()
            var functions = FunctionRegistry()
            functions.register(Self.flow) { context, _ in
                for number in 0..<count {
                    _ = try await context.run("step") { () async throws -> Int in
                        deeds.note("step")
                        return number
                    }
                }
                let gate = try await context.promise("gate", as: String.self)
                return try await gate.value
            }
            try await begunAndAsleep(stage, functions)
            try await stage.store.settled("flow:\(count + 1)")
            try await stage.working(functions) { executions in
                try await stage.later()
                _ = try await executions.attach("flow", as: String.self).value
            }
            #expect(deeds["step"] == count)
        }
    }

    // MARK: The function is another one

    @Test(
        "a function that asks for another step than the one recorded is told so, does nothing, and goes on once it is restored"
    )
    func nonDeterminism() async throws {
        try await withStage { stage in
            let deeds = Deeds()
            let rest: @Sendable (DurableContext, String) async throws -> String = { context, step in
                try await context.run("rest") { step + " \(deeds.note("rest"))" }
            }
            try await begunAndAsleep(stage, flow(rest))
            try await stage.store.settled("flow:2")
            let message = """
                flow version 1 is not what it was when this execution began: at flow:1 it recorded run "first", and now \
                it asks for run "renamed"
                """
            try await stage.working(flow(first: "renamed", rest)) { _ in
                try await eventually("it is told") { stage.log.text.contains(message) }
                try await eventually("the task is given back") {
                    try await stage.store.getTask(id: "flow")?.state == .pending
                }
            }
            #expect(deeds.all.isEmpty)
            #expect(try await stage.promises(below: "flow").count == 3)
            try await stage.working(flow(rest)) { executions in
                try await stage.later()
                #expect(try await executions.attach("flow", as: String.self).value == "one of version 1 1")
            }
        }
    }

    @Test(
        "a step of another kind, and a step that is not asked for any more, are told as well; the caller gets the error where the worker says so"
    )
    func otherShapes() async throws {
        try await withStage { stage in
            try await begunAndAsleep(stage, flow { _, step in step })
            try await stage.store.settled("flow:2")
            var sleeps = FunctionRegistry()
            sleeps.register(Self.flow) { context, _ in
                try await context.sleep(for: .seconds(1))
                return ""
            }
            try await stage.working(sleeps) { _ in
                try await eventually("it is told") {
                    stage.log.text.contains("at flow:1 it recorded run \"first\", and now it asks for sleep;")
                }
            }
            var calls = FunctionRegistry()
            calls.register(Self.flow) { context, _ in try await context.rpc("other") }
            try await stage.working(calls) { _ in
                try await stage.later()
                try await eventually("it is told") {
                    stage.log.text.contains("it recorded run \"first\", and now it asks for call \"other\" version 1;")
                }
            }
            var ends = FunctionRegistry()
            ends.register(Self.flow) { _, _ in "done" }
            try await stage.working(ends, rejects: true) { executions in
                try await stage.later()
                let handle = executions.attach("flow", as: String.self)
                do {
                    _ = try await handle.value
                    Issue.record("it was to be rejected")
                } catch let failure as DurableFailure {
                    #expect(
                        failure.message.contains("it recorded run \"first\" at flow:1, and now it ends without asking"))
                }
            }
        }
    }

    @Test("an execution stays with the version that it began with; a new one begins with the new one")
    func versions() async throws {
        try await withStage { stage in
            try await begunAndAsleep(stage, flow { _, step in step + ", old rest" })
            try await stage.store.settled("flow:2")
            let new = flow(first: "quite another", version: 2) { _, step in step + ", new rest" }
            try await stage.working(new) { _ in
                try await eventually("it is told which versions there are") {
                    stage.log.text.contains("no such function") && stage.log.text.contains("[2]")
                }
            }
            #expect(try await stage.store.getPromise(id: "flow")?.state == .pending)
            var both = new
            both.register(Self.flow) { context, _ in
                let step = try await context.run("first") { "not again" }
                _ = try await context.promise("gate", as: String.self).value
                return step + ", old rest"
            }
            try await stage.working(both) { executions in
                try await stage.later()
                #expect(try await executions.attach("flow", as: String.self).value == "one of version 1, old rest")
                let second = try await executions.begin(
                    DurableFunction<Nothing, String>("flow", version: 2), id: "flow2", input: Nothing())
                try await eventually("it waits") { try await stage.store.getPromise(id: "flow2:2") != nil }
                try await executions.resolve("flow2:2", with: "")
                #expect(try await second.value == "one of version 2, new rest")
            }
        }
    }

    // MARK: What cannot be done

    @Test("an input that is of another type is the caller's mistake, and told to the caller")
    func undecodable() async throws {
        let square = DurableFunction<Int, Int>("square")
        try await withStage { stage in
            var functions = FunctionRegistry()
            functions.register(square, retry: RetryPolicy()) { _, number in number * number }
            try await stage.working(functions) { executions in
                let handle = try await executions.begin("square", id: "s", arguments: ["four"], as: Int.self)
                do {
                    _ = try await handle.value
                    Issue.record("it was to fail")
                } catch let failure as DurableFailure {
                    #expect(failure.message.hasPrefix("the input of square version 1 is no "), "\(failure)")
                    #expect(!failure.message.contains("four"))
                }
                _ = try await stage.store.createPromise(
                    id: "odd", timeoutAt: .max, param: PromiseValue(data: "%%%"),
                    tags: [PromiseTag.target: "poll://any@test"])
                await #expect(throws: DurableFailure.self) { try await executions.attach("odd", as: Int.self).value }
            }
        }
    }

    @Test("a function that nobody here knows is left to others, and not offered again and again at once")
    func unknownFunction() async throws {
        try await withStage { stage in
            try await stage.working(FunctionRegistry()) { executions in
                try await executions.begin(Self.flow, id: "flow", input: Nothing())
                try await eventually("it was given back more than once") {
                    try await stage.store.getTask(id: "flow")?.version ?? 0 >= 3
                }
            }
            let version = try await stage.store.getTask(id: "flow")?.version ?? 0
            #expect(version < 10)
            var functions = FunctionRegistry()
            functions.register(Self.flow) { _, _ in "known" }
            try await stage.working(functions) { executions in
                try await stage.later()
                #expect(try await executions.attach("flow", as: String.self).value == "known")
            }
        }
    }

    // MARK: Deadlines and cancellation

    @Test("a deadline ends an execution, its sleeps and calls with it, and whoever waits is told")
    func deadlines() async throws {
        let hasty = DurableFunction<Nothing, String>("hasty")
        try await withStage { stage in
            var functions = FunctionRegistry()
            functions.register(hasty) { context, _ in
                _ = try await context.promise("without a limit of its own", as: String.self)
                do {
                    return try await context.promise(as: String.self, timeout: .seconds(5)).value
                } catch let error as DurableError where error.code == .timedOut {
                    try await context.sleep(for: .seconds(3600))
                    return "never"
                }
            }
            try await stage.working(functions) { executions in
                let handle = try await executions.begin(hasty, id: "h", input: Nothing(), timeout: .seconds(60))
                try await eventually("it waits") { try await stage.store.getTask(id: "h")?.state == .suspended }
                try await stage.later(.seconds(6))
                try await eventually("it sleeps") { try await stage.store.getPromise(id: "h:3") != nil }
                let limits = try await stage.promises(below: "h").map(\.timeoutAt)
                #expect(limits.max() == limits.first)
                try await stage.later(.seconds(60))
                do {
                    _ = try await handle.value
                    Issue.record("its deadline has passed")
                } catch let error as DurableError {
                    #expect(error.code == .timedOut)
                }
            }
        }
    }

    @Test(
        "cancelling an execution ends it at once for whoever waits, and its step by cancelling the task within part of a lease"
    )
    func cancellation() async throws {
        let long = DurableFunction<Nothing, String>("long")
        try await withStage { stage in
            let deeds = Deeds()
            var functions = FunctionRegistry()
            functions.register(long) { context, _ in
                try await context.run("long step") { () async throws -> Void in
                    deeds.note("began")
                    do {
                        try await Task.sleep(for: .seconds(600))
                    } catch {
                        deeds.note("was told")
                        throw error
                    }
                }
                deeds.note("went on")
                return ""
            }
            try await stage.working(functions, lease: .milliseconds(400)) { executions in
                let handle = try await executions.begin(long, id: "l", input: Nothing())
                try await eventually("it is under way") { deeds["began"] == 1 }
                try await handle.cancel()
                do {
                    _ = try await handle.value
                    Issue.record("it was cancelled")
                } catch let error as DurableError {
                    #expect(error.code == .canceled)
                }
                try await eventually("the step is told") { deeds["was told"] == 1 }
            }
            #expect(deeds["went on"] == 0)
            #expect(try await stage.promises(below: "l").map(\.id) == ["l"])
        }
    }

    @Test("a worker that stops gives back what it is at, and records no failure; another one goes on at once")
    func stops() async throws {
        let long = DurableFunction<Nothing, Int>("long")
        try await withStage { stage in
            let deeds = Deeds()
            var functions = FunctionRegistry()
            functions.register(long) { context, _ in
                _ = try await context.run("before") { deeds.note("before") }
                return try await context.run("long step", retry: RetryPolicy()) { () async throws -> Int in
                    if deeds.note("long step") == 1 { try await Task.sleep(for: .seconds(600)) }
                    return 7
                }
            }
            try await stage.working(functions) { executions in
                try await executions.begin(long, id: "l", input: Nothing())
                try await eventually("it is under way") { deeds["long step"] == 1 }
            }
            #expect(try await stage.store.getTask(id: "l")?.state == .pending)
            // No lease has to end: the clock is not put forward.
            try await stage.working(functions) { executions in
                let value = try await executions.attach("l", as: Int.self).value
                #expect(value == 7)
            }
            #expect(deeds.all == ["before": 1, "long step": 2])
        }
    }

    // MARK: Two workers

    @Test("a worker that is frozen beyond its lease and wakes when another one has gone on changes nothing")
    func frozen() async throws {
        let slow = DurableFunction<Nothing, String>("slow")
        try await withStage { stage in
            let deeds = Deeds()
            let (gate, open) = AsyncStream.makeStream(of: Void.self)
            func functions(_ name: String, waits: Bool) -> FunctionRegistry {
                var functions = FunctionRegistry()
                functions.register(slow) { context, _ in
                    let one = try await context.run("one") { () async throws -> String in
                        deeds.note("one by \(name)")
                        if waits { for await _ in gate { break } }
                        return "one by \(name)"
                    }
                    return try await context.run("two") { () async throws -> String in
                        deeds.note("two by \(name)")
                        return one + ", two by \(name)"
                    }
                }
                return functions
            }
            // It can do no more than the one.
            let old = stage.worker(functions("old", waits: true), id: "old", concurrency: 1)
            let handle = try await old.executions.begin(slow, id: "s", input: Nothing())
            try await stage.whileRunning(old) {
                try await eventually("the old one is at its step") { deeds["one by old"] == 1 }
                try await stage.later()
                let new = stage.worker(functions("new", waits: false), id: "new")
                try await stage.whileRunning(new) {
                    try await eventually("the new one takes it", every: .milliseconds(100)) {
                        try await stage.later(.seconds(6))
                        return deeds["one by new"] == 1
                    }
                    let value = try await handle.value
                    #expect(value == "one by new, two by new")
                }
                open.yield()
                try await eventually("the old one is refused") { stage.log.text.contains("somebody else has the task") }
            }
            #expect(deeds.all == ["one by old": 1, "one by new": 1, "two by new": 1])
            #expect(
                try await Executions(stage.store, logger: stage.logger).attach("s:1", as: String.self).value
                    == "one by new")
        }
    }

    @Test(
        "of two workers, one is killed in the middle of many executions; each of them ends once, with the recorded results"
    )
    func killedAmongMany() async throws {
        let work = DurableFunction<Int, Int>("work")
        try await withStage { stage in
            let deeds = Deeds()
            var functions = FunctionRegistry()
            functions.register(work) { context, number in
                var sum = 0
                for step in 1...4 {
                    sum += try await context.run("step \(step)") { () async throws -> Int in
                        deeds.note("\(number) \(step)")
                        return number * step
                    }
                    if step == 2 { try await context.sleep(for: .milliseconds(1)) }
                }
                return sum
            }
            let client = FaultyClient(stage.store, .init(number: 80, effect: .half, isDeath: true))
            let doomed = stage.worker(functions, on: client, id: "doomed")
            let other = stage.worker(functions, id: "other")
            let executions = Executions(stage.store, group: "test", logger: stage.logger)
            let handles = try await withThrowingTaskGroup(of: ExecutionHandle<Int>.self) { group in
                for number in 1...40 {
                    group.addTask { try await executions.begin(work, id: "w\(number)", input: number) }
                }
                return try await group.reduce(into: []) { $0.append($1) }
            }
            try await stage.whileRunning(other) {
                try await stage.whileRunning(doomed) {
                    try await eventually("it is killed", every: .milliseconds(2)) { client.isDead }
                }
                try await stage.later()
                for handle in handles {
                    let number = Int(handle.id.dropFirst()) ?? 0
                    #expect(try await handle.value == number * 10)
                }
            }
            #expect(deeds.all.count == 160)
            #expect(deeds.all.values.allSatisfy { $0 <= 2 })
        }
    }
}

extension PromiseStore {
    /// Settles the gate of the tests above.
    fileprivate func settled(_ id: String) async throws {
        _ = try await settlePromise(id: id, state: .resolved, value: PromiseValue(data: "IiI="))
    }
}
