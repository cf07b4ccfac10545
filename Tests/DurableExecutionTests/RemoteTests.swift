import DurableExecution
import DurablePromises
import RemotePromises
import TestSupport
import Testing

@Suite("Durable functions on a promise server", .serialized)
struct RemoteTests {
    private static let parent = DurableFunction<Int, [Int]>("parent")
    private static let child = DurableFunction<Int, Int>("child")

    private func functions(_ deeds: Deeds) -> FunctionRegistry {
        var functions = FunctionRegistry()
        functions.register(Self.child) { context, number in
            try await context.run("double") { () async throws -> Int in
                deeds.note("double \(number)")
                return number * 2
            }
        }
        functions.register(Self.parent) { context, count in
            let calls = try (1...count).map { try context.begin(Self.child, $0) }
            let answer = try await context.promise("answer", as: Int.self)
            var all: [Int] = []
            for call in calls { all.append(try await call.value) }
            try await context.sleep(for: .milliseconds(20))
            return all + [try await answer.value]
        }
        return functions
    }

    @Test("work as they do in one process: calls, sleeps, people, results")
    func works() async throws {
        try await withStage { stage in
            let deeds = Deeds()
            try await stage.served { client, _ in
                try await stage.working(functions(deeds), on: client) { executions in
                    let handle = try await executions.begin(Self.parent, id: "p", input: 30)
                    let answer = "p:31"
                    try await eventually("somebody is asked") { try await client.getPromise(id: answer) != nil }
                    try await executions.resolve(answer, with: 7)
                    let value = try await handle.value
                    #expect(value == (1...30).map { $0 * 2 } + [7])
                }
            }
            #expect(deeds.all.count == 30 && deeds.all.values.allSatisfy { $0 == 1 })
        }
    }

    @Test("outlive their server: it is gone for a while, and everybody finds it again")
    func restart() async throws {
        try await withStage { stage in
            let deeds = Deeds()
            let first = try await stage.served { client, port in (client, port) }
            // Nobody listens at that port now; the worker begins all the same.
            let worker = stage.worker(functions(deeds), on: first.0)
            try await stage.whileRunning(worker) {
                await #expect(throws: PromiseError.self) { try await first.0.getPromise(id: "p") }
                let handle = worker.executions.attach("p", as: [Int].self)
                for round in 1...3 {
                    try await stage.served(port: first.1) { client, _ in
                        if round == 1 { try await worker.executions.begin(Self.parent, id: "p", input: 3) }
                        try await eventually("the worker is there, in round \(round)") { deeds.all.count == 3 }
                    }
                }
                _ = try await stage.served(port: first.1) { client, _ in
                    try await eventually("somebody is asked") {
                        try await stage.store.getPromise(id: "p:4") != nil
                    }
                    try await worker.executions.resolve("p:4", with: 1)
                    let value = try await handle.value
                    #expect(value == [2, 4, 6, 1])
                }
            }
        }
    }

    @Test(
        "errors of the connection change nothing but the time it takes", arguments: FaultyClient.Fault.Effect.allCases)
    func errors(_ effect: FaultyClient.Fault.Effect) async throws {
        try await withStage { stage in
            try await stage.served { client, _ in
                for number in stride(from: 1, through: 13, by: 2) {
                    let deeds = Deeds()
                    let faulty = FaultyClient(client, .init(number: number, effect: effect, isDeath: false))
                    let id = "p\(number)"
                    try await stage.working(functions(deeds), on: faulty) { _ in
                        let executions = Executions(client, group: "test", logger: stage.logger)
                        let handle = try await executions.begin(Self.parent, id: id, input: 2)
                        try await eventually("somebody is asked", every: .milliseconds(10)) {
                            try await stage.later(.milliseconds(200))
                            return try await client.getPromise(id: "\(id):3") != nil
                        }
                        try await executions.resolve("\(id):3", with: 0)
                        try await eventually("it ends", every: .milliseconds(10)) {
                            try await stage.later(.milliseconds(200))
                            return try await client.getPromise(id: id)?.state == .resolved
                        }
                        let value = try await handle.value
                        #expect(value == [2, 4, 0])
                    }
                }
            }
        }
    }

    @Test("a token is sent, and never shown")
    func token() {
        let client = HTTPPromiseClient(url: "http://127.0.0.1:1", token: "s3cret", logger: MemoryLog().logger)
        var text = ""
        dump(client, to: &text)
        #expect(!"\(client) \(String(reflecting: client)) \(text)".contains("s3cret"))
    }
}
