import DurableExecution
import DurablePromises
import TestSupport
import Testing

/// A function with every kind of step, killed at each of its requests.
@Suite("An execution, whatever goes wrong", .serialized)
struct KillTests {
    private static let parent = DurableFunction<String, [String]>("parent")
    private static let child = DurableFunction<String, String>("child")

    /// What each step gives tells which attempt it was, so that two results of one step would be seen.
    private func functions(_ deeds: Deeds) -> FunctionRegistry {
        var functions = FunctionRegistry()
        functions.register(Self.child) { context, word in
            try await context.run("\(word) in the child") { "\(word)-\(deeds.note(word))" }
        }
        functions.register(Self.parent) { context, word in
            let first = try await context.run("first") { "\(word)-\(deeds.note("first"))" }
            let calls = try [context.begin(Self.child, "x"), context.begin(Self.child, "y")]
            let branches = try await context.map(["l", "r"]) { context, name in
                let step = try await context.run("branch") { "\(name)-\(deeds.note(name))" }
                return try await context.rpc(Self.child, step)
            }
            let second = try await context.run("second") { "\(first)+\(deeds.note("second"))" }
            try await context.sleep(for: .milliseconds(1))
            var all = [first, second] + branches
            for call in calls { all.append(try await call.value) }
            return all
        }
        return functions
    }

    @Test(
        "an error of any request changes nothing but the time it takes", arguments: FaultyClient.Fault.Effect.allCases)
    func errors(_ effect: FaultyClient.Fault.Effect) async throws {
        try await everyFault(effect, isDeath: false)
    }

    @Test(
        "a worker that dies at any request is followed by another one, with one result",
        arguments: FaultyClient.Fault.Effect.allCases)
    func deaths(_ effect: FaultyClient.Fault.Effect) async throws {
        try await everyFault(effect, isDeath: true)
    }

    @Test("a server that tells nothing of earlier steps is asked for them: none is done again that is recorded")
    func withoutPreload() async throws {
        try await everyFault(.all, isDeath: true, preloads: false)
    }

    @Test("a task that was taken, though no answer came, is given back at once")
    func takenWithoutAnswer() async throws {
        try await withStage { stage in
            let deeds = Deeds()
            let client = FaultyClient(stage.store, .init(number: 1, effect: .all, isDeath: false))
            try await stage.working(functions(deeds), on: client) { _ in
                let executions = Executions(stage.store, group: "test", logger: stage.logger)
                _ = try await executions.begin(Self.child, id: "c", input: "x")
                try await eventually("it is done, though no lease ends", within: .seconds(4)) { deeds["x"] == 1 }
            }
        }
    }

    private func everyFault(_ effect: FaultyClient.Fault.Effect, isDeath: Bool, preloads: Bool = true) async throws {
        try await withStage { stage in
            var number = 0
            var hasFailed = true
            while hasFailed {
                number += 1
                let fault = FaultyClient.Fault(number: number, effect: effect, isDeath: isDeath)
                hasFailed = try await run(stage, fault, preloads)
            }
            // Acquiring, three steps at least, calls, sleeping: the walk was through all of them.
            #expect(number > 15)
            print("\(number - 1) requests, each with \(isDeath ? "a death" : "an error"), \(effect) of it done")
        }
    }

    /// False when the execution ended before it came to the fault.
    private func run(_ stage: Stage, _ fault: FaultyClient.Fault, _ preloads: Bool) async throws -> Bool {
        let deeds = Deeds()
        let functions = functions(deeds)
        let id = "p\(fault.number)"
        let executions = Executions(stage.store, group: "test", logger: stage.logger)
        let handle = try await executions.begin(Self.parent, id: id, input: "w")
        let store: any PromiseClient = preloads ? stage.store : ForgetfulClient(inner: stage.store)
        let client = FaultyClient(store, fault)
        var result: [String] = []
        try await stage.whileRunning(stage.worker(functions, on: client)) {
            try await eventually("\(fault): it ends, or its worker dies", within: .seconds(20), every: .milliseconds(5))
            {
                if client.isDead { return true }
                let promise = try await stage.store.getPromise(id: id)
                // What is lost without a trace is offered again after a while.
                if client.hasFailed, promise?.state == .pending { try await stage.later(.milliseconds(200)) }
                return promise?.state == .resolved
            }
        }
        if client.isDead {
            try await stage.later()
            try await stage.working(functions, on: store) { _ in result = try await handle.value }
        } else {
            result = try await handle.value
        }
        try await check(result, id, fault, stage, deeds)
        return client.hasFailed
    }

    /// Everybody saw the same result of each step: the one that is recorded.
    private func check(
        _ result: [String],
        _ id: String,
        _ fault: FaultyClient.Fault,
        _ stage: Stage,
        _ deeds: Deeds
    ) async throws {
        var recorded: [String: String] = [:]
        for promise in try await stage.promises(below: id) where promise.tags[PromiseTag.timer] == nil {
            #expect(promise.state == .resolved, "\(fault): \(promise.id)")
            if promise.id == id { continue }
            recorded[promise.id] = try await Executions(stage.store, logger: stage.logger)
                .attach(promise.id, as: String.self).value
        }
        let first = try #require(recorded["\(id):1"])
        let (left, right) = (try #require(recorded["\(id):4.1.1"]), try #require(recorded["\(id):4.2.1"]))
        #expect(result.count == 6, "\(fault)")
        #expect(result[0] == first, "\(fault)")
        #expect(result[1] == recorded["\(id):5"] && result[1].hasPrefix("\(first)+"), "\(fault)")
        #expect(result[2] == recorded["\(id):4.1.2"] && result[2] == recorded["\(id):4.1.2.1"], "\(fault)")
        #expect(result[2].hasPrefix("\(left)-") && result[3].hasPrefix("\(right)-"), "\(fault)")
        #expect(result[4] == recorded["\(id):2"] && result[5] == recorded["\(id):3"], "\(fault)")
        #expect(recorded.count == 12, "\(fault): \(recorded.keys.sorted())")
        // Only what was under way when a worker died is done again.
        let repeated = deeds.all.values.reduce(0) { $0 + $1 - 1 }
        #expect(repeated <= (fault.isDeath ? 4 : 0), "\(fault): \(deeds.all)")
    }
}
