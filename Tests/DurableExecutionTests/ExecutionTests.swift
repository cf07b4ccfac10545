import DurableExecution
import DurablePromises
import Foundation
import TestSupport
import Testing

@Suite("Durable functions")
struct ExecutionTests {
    @Test("run their steps in order, and give their result to whoever asks, whenever they ask")
    func steps() async throws {
        let order = DurableFunction<Order, Receipt>("order")
        try await withStage { stage in
            let deeds = Deeds()
            var functions = FunctionRegistry()
            functions.register(order) { context, order in
                let price = try await context.run("price") {
                    deeds.note("price")
                    return order.pieces * 5
                }
                try await context.run("ship") { () async throws -> Void in deeds.note("ship") }
                return Receipt(total: price, at: Date(timeIntervalSince1970: 0.25))
            }
            try await stage.working(functions) { executions in
                let handle = try await executions.begin(order, id: "order-1", input: Order(pieces: 3))
                let receipt = try await handle.value
                #expect(receipt == Receipt(total: 15, at: Date(timeIntervalSince1970: 0.25)))
                let again = try await executions.begin(order, id: "order-1", input: Order(pieces: 9))
                #expect(try await again.value.total == 15)
                #expect(try await executions.attach("order-1", as: Receipt.self).value.total == 15)
            }
            #expect(deeds.all == ["price": 1, "ship": 1])
            #expect(try await stage.promises(below: "order-1").map(\.id) == ["order-1", "order-1:1", "order-1:2"])
        }
    }

    @Test("tell how they failed, and what a step threw is the same when it is replayed")
    func failures() async throws {
        struct OutOfStock: Error {}
        let order = DurableFunction<Order, Int>("order")
        let patient = DurableFunction<Nothing, [String]>("patient")
        try await withStage { stage in
            var functions = FunctionRegistry()
            functions.register(order) { context, order in
                try await context.run("take") { throw OutOfStock() }
                return 1
            }
            functions.register(patient) { context, _ in
                var seen: [String] = []
                do {
                    try await context.run("take") { throw OutOfStock() }
                } catch let failure as DurableFailure {
                    seen.append(failure.name)
                }
                try await context.sleep(for: .milliseconds(10))
                do {
                    _ = try await context.rpc(order, Order(pieces: 1))
                } catch let failure as DurableFailure {
                    seen.append(failure.name)
                }
                return seen
            }
            try await stage.working(functions) { executions in
                let handle = try await executions.begin(order, id: "a", input: Order(pieces: 3))
                await #expect(throws: DurableFailure(name: "OutOfStock", message: "OutOfStock()")) {
                    try await handle.value
                }
                let result = try await executions.begin(patient, id: "b", input: Nothing()).value
                #expect(result == ["OutOfStock", "OutOfStock"])
                let absent = executions.attach("absent", as: Int.self)
                await #expect(throws: DurableError.self) { try await absent.value }
                await #expect(throws: DurableError.self) {
                    try await executions.begin(patient, id: "a", input: Nothing())
                }
            }
        }
    }

    @Test("call one another, sleep, wait for people, and do each step once though they are replayed each time")
    func waiting() async throws {
        let parent = DurableFunction<Int, [Int]>("parent")
        let child = DurableFunction<Int, Int>("child")
        try await withStage { stage in
            let deeds = Deeds()
            var functions = FunctionRegistry()
            functions.register(child) { context, number in
                try await context.run("double") {
                    deeds.note("double \(number)")
                    return number * 2
                }
            }
            functions.register(parent) { context, number in
                deeds.note("parent")
                let first = try await context.rpc(child, number)
                let asked = try await context.promise("answer", as: Int.self)
                try await context.run("ask") { () async throws -> Void in deeds.note("ask \(asked.id)") }
                let answer = try await asked.value
                try await context.sleep(for: .milliseconds(20))
                let later: Int = try await context.rpc("child", answer)
                return [first, answer, later]
            }
            try await stage.working(functions) { executions in
                let handle = try await executions.begin(parent, id: "p", input: 1)
                try await eventually("somebody is asked") { deeds["ask p:2"] == 1 }
                try await eventually("it sleeps") { try await stage.store.getTask(id: "p")?.state == .suspended }
                try await executions.resolve("p:2", with: 40)
                #expect(try await handle.value == [2, 40, 80])
            }
            // Once for each time it had to wait, and once more; it need not wait for what is there already.
            #expect((2...5).contains(deeds["parent"]))
            #expect(["double 1", "ask p:2", "double 40"].allSatisfy { deeds[$0] == 1 }, "\(deeds.all)")
        }
    }

    @Test("do a hundred things at the same time, and the same in branches, in a fixed order of ids")
    func fanOut() async throws {
        let parent = DurableFunction<Int, Int>("parent")
        let branches = DurableFunction<Int, [Int]>("branches")
        let child = DurableFunction<Int, Int>("child")
        try await withStage { stage in
            let deeds = Deeds()
            var functions = FunctionRegistry()
            functions.register(child) { context, number in
                deeds.note("child")
                return number * number
            }
            functions.register(parent) { context, count in
                let handles = try (1...count).map { try context.begin(child, $0) }
                var sum = 0
                for handle in handles { sum += try await handle.value }
                return sum
            }
            functions.register(branches) { context, count in
                try await context.map(1...count, atMost: 40) { context, number in
                    let once = try await context.run("add") {
                        deeds.note("add")
                        return number + 1
                    }
                    if number.isMultiple(of: 10) { return try await context.rpc(child, once) }
                    return once
                }
            }
            try await stage.working(functions) { executions in
                let sum = try await executions.begin(parent, id: "p", input: 100).value
                #expect(sum == (1...100).reduce(0) { $0 + $1 * $1 })
                let list = try await executions.begin(branches, id: "b", input: 100).value
                #expect(list == (1...100).map { $0.isMultiple(of: 10) ? ($0 + 1) * ($0 + 1) : $0 + 1 })
            }
            #expect(deeds.all == ["child": 110, "add": 100])
            let ids = Set(try await stage.promises(below: "b").map(\.id))
            let steps = (1...100).map { "b:1.\($0).1" } + stride(from: 10, through: 100, by: 10).map { "b:1.\($0).2" }
            #expect(ids == Set(steps + ["b"]))
        }
    }

    @Test("do not end before what they began, unless it is detached")
    func structure() async throws {
        let parent = DurableFunction<String, String>("parent")
        let child = DurableFunction<String, Nothing>("child")
        try await withStage { stage in
            let deeds = Deeds()
            var functions = FunctionRegistry()
            functions.register(child) { context, name in
                let gate = try await context.promise(as: Nothing.self)
                _ = try await gate.value
                deeds.note(name)
            }
            functions.register(parent) { context, how in
                if how == "begin" { _ = try context.begin(child, "begun") }
                return try await context.detached(child, "detached")
            }
            try await stage.working(functions) { executions in
                let free = try await executions.begin(parent, id: "free", input: "").value
                #expect(free.hasPrefix("free:d") && free.count == 22)
                let bound = try await executions.begin(parent, id: "bound", input: "begin")
                try await eventually("it sleeps") { try await stage.store.getTask(id: "bound")?.state == .suspended }
                try await eventually("the child asks") { try await stage.store.getPromise(id: "bound:1.1") != nil }
                #expect(deeds.all.isEmpty)
                try await executions.resolve("bound:1.1", with: Nothing())
                _ = try await bound.value
                #expect(deeds.all == ["begun": 1])
                try await eventually("what is detached asks") {
                    try await stage.store.getPromise(id: free + ".1") != nil
                }
                try await executions.resolve(free + ".1", with: Nothing())
                try await eventually("what is detached is done as well") { deeds["detached"] == 1 }
            }
        }
    }

    @Test("wait in several branches at the same time, and go on in each when its own has come")
    func branchesWait() async throws {
        let race = DurableFunction<Nothing, [String]>("race")
        try await withStage { stage in
            let deeds = Deeds()
            var functions = FunctionRegistry()
            functions.register(race) { context, _ in
                let (left, right) = try await context.concurrently { context in
                    let gate = try await context.promise(as: String.self)
                    let word = try await gate.value
                    return try await context.run("left") { () async throws -> String in
                        deeds.note("left")
                        return word
                    }
                } _: { context in
                    try await context.sleep(for: .milliseconds(1))
                    let gate = try await context.promise(as: String.self)
                    return try await gate.value
                }
                return [left, right]
            }
            try await stage.working(functions) { executions in
                let handle = try await executions.begin(race, id: "r", input: Nothing())
                try await eventually("both ask") { try await stage.store.getPromise(id: "r:1.2.2") != nil }
                try await executions.resolve("r:1.1.1", with: "l")
                try await eventually("the left one went on") { deeds["left"] == 1 }
                try await executions.resolve("r:1.2.2", with: "r")
                #expect(try await handle.value == ["l", "r"])
            }
            #expect(deeds.all == ["left": 1])
        }
    }

    @Test(
        "the first failure of several branches, in their order, is told, whichever was faster; and all come to their end"
    )
    func branchFailure() async throws {
        let many = DurableFunction<Nothing, Int>("many")
        try await withStage { stage in
            let deeds = Deeds()
            var functions = FunctionRegistry()
            functions.register(many) { context, _ in
                _ = try await context.map([30, 0, 10]) { context, delay in
                    if delay > 0 { try await context.sleep(for: .milliseconds(delay)) }
                    deeds.note("branch \(delay)")
                    throw DurableFailure(name: "Branch", message: "\(delay)")
                }
                return 0
            }
            try await stage.working(functions) { executions in
                let handle = try await executions.begin(many, id: "m", input: Nothing())
                await #expect(throws: DurableFailure(name: "Branch", message: "30")) { try await handle.value }
            }
            #expect(deeds["branch 0"] > 0 && deeds["branch 10"] > 0 && deeds["branch 30"] > 0)
        }
    }

    @Test("a step is tried again as its policy says, and a function that took no step as well")
    func retries() async throws {
        struct Flaky: Error {}
        let stubborn = DurableFunction<Nothing, Int>("stubborn")
        let leaf = DurableFunction<Nothing, Int>("leaf")
        let policy = RetryPolicy(mostAttempts: 3, first: .milliseconds(1))
        try await withStage { stage in
            let deeds = Deeds()
            var functions = FunctionRegistry()
            functions.register(stubborn) { context, _ in
                let number = try await context.run("third time", retry: policy) {
                    let attempt = deeds.note("third time")
                    if attempt < 3 { throw Flaky() }
                    return attempt
                }
                try await context.run("never", retry: policy) {
                    deeds.note("never")
                    throw Flaky()
                }
                return number
            }
            functions.register(leaf, retry: policy) { _, _ in
                let attempt = deeds.note("leaf")
                if attempt < 2 { throw Flaky() }
                return attempt
            }
            try await stage.working(functions) { executions in
                let handle = try await executions.begin(stubborn, id: "s", input: Nothing())
                await #expect(throws: DurableFailure.self) { try await handle.value }
                #expect(try await executions.begin(leaf, id: "l", input: Nothing()).value == 2)
            }
            #expect(deeds.all == ["third time": 3, "never": 3, "leaf": 2])
        }
    }

    @Test("one that catches every error cannot do anything any more once it was put to sleep")
    func catchesAll() async throws {
        let greedy = DurableFunction<Nothing, String>("greedy")
        try await withStage { stage in
            let deeds = Deeds()
            var functions = FunctionRegistry()
            functions.register(greedy) { context, _ in
                let gate = try await context.promise(as: String.self)
                do {
                    return try await gate.value
                } catch {
                    try? await context.run("compensate") { () async throws -> Void in deeds.note("compensate") }
                    return "caught"
                }
            }
            try await stage.working(functions) { executions in
                let handle = try await executions.begin(greedy, id: "g", input: Nothing())
                try await eventually("it sleeps") { try await stage.store.getTask(id: "g")?.state == .suspended }
                try await executions.resolve("g:1", with: "answer")
                #expect(try await handle.value == "answer")
            }
            #expect(deeds.all.isEmpty)
        }
    }

    @Test("what is recorded counts, not what a step gave: a person may have settled it meanwhile")
    func settledByPerson() async throws {
        let stuck = DurableFunction<Nothing, String>("stuck")
        try await withStage { stage in
            let store = stage.store
            var functions = FunctionRegistry()
            functions.register(stuck) { context, _ in
                try await context.run("stuck") { () async throws -> String in
                    _ = try await store.createPromise(id: "s:1", timeoutAt: .max)
                    _ = try await store.settlePromise(
                        id: "s:1", state: .resolved, value: PromiseValue(data: "InBlcnNvbiI="))
                    return "step"
                }
            }
            try await stage.working(functions) { executions in
                let value = try await executions.begin(stuck, id: "s", input: Nothing()).value
                #expect(value == "person")
            }
        }
    }

    @Test("a context is not used inside its own step")
    func nested() async throws {
        let nested = DurableFunction<Nothing, Int>("nested")
        try await withStage { stage in
            var functions = FunctionRegistry()
            functions.register(nested) { context, _ in
                try await context.run("outer") { try await context.run("inner") { 1 } }
            }
            try await stage.working(functions) { executions in
                _ = try await executions.begin(nested, id: "n", input: Nothing())
                try await eventually("it is told") {
                    stage.log.text.contains("the context n of nested version 1 is used inside one of its steps")
                }
            }
            // A later attempt asks first whether the outer step was done, and so records that it began.
            #expect(try await stage.promises(below: "n").allSatisfy { $0.state == .pending && $0.id != "n:2" })
        }
    }

    struct Order: Codable, Hashable { var pieces: Int }
    struct Receipt: Codable, Hashable {
        var total: Int
        var at: Date
    }
}
