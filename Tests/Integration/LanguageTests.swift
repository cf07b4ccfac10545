import DurableExecution
import Foundation
import Logging
import RemotePromises
import TestSupport
import Testing

@Suite("Swift and Python, through one server")
struct LanguageTests {
    private struct Order: Codable, Sendable {
        var things: [String]
        var count: Int
        var note: String?
    }

    private struct Bill: Codable, Sendable, Hashable {
        var prices: [String: Double]
        /// The name and the text of each error that Python met.
        var refusals: [[String]]
        var note: String?
    }

    /// What Python calls with two arguments.
    private struct Wanted: Codable, Sendable {
        var thing: String
        var count: Int

        init(from decoder: any Decoder) throws {
            var list = try decoder.unkeyedContainer()
            thing = try list.decode(String.self)
            count = try list.decode(Int.self)
        }
    }

    private static let shop = DurableFunction<Order, Bill>("shop")
    private static let price = DurableFunction<Wanted, Double>("price")

    /// `shop` here has `buy` in Python done, which has `price` here done for each thing.
    private func functions(python: String, swift: String) -> FunctionRegistry {
        var functions = FunctionRegistry()
        functions.register(Self.shop) { context, order in
            try await context.rpc("buy", swift, order, as: Bill.self, target: python)
        }
        functions.register(Self.price) { context, wanted in
            guard wanted.thing != "plum" else { throw DurableFailure(name: "SoldOut", message: "no plums till June") }
            return try await context.run("weigh") { 0.25 * Double(wanted.count * wanted.thing.count) }
        }
        return functions
    }

    @Test("a function in Swift calls one in Python, which calls one in Swift; values and errors cross both ways")
    func bothWays() async throws {
        let interpreter = try await PythonWorker.interpreter()
        let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        try await withTestDatabase { database in
            try await withSluiceServer(on: database) { server in
                try await server.becomeReady()
                let program = try PythonWorker.start(interpreter, at: server.url, group: "python", lease: 10)
                defer { program.send(SIGKILL) }
                let worker = DurableWorker(
                    HTTPPromiseClient(url: server.url, logger: logger),
                    functions: functions(python: "poll://any@python", swift: "poll://any@swift"),
                    settings: .init(group: "swift", lease: .seconds(10)), logger: logger)
                let running = Task { await worker.run() }
                defer { running.cancel() }
                do {
                    let order = Order(things: ["pear", "plum", "Äpfel"], count: 3, note: "“ripe” \u{1F350}\n")
                    let bill = try await worker.executions.begin(Self.shop, id: "order", input: order).value
                    #expect(bill.prices == ["pear": 3, "Äpfel": 3.75])
                    #expect(bill.refusals == [["ApplicationError", "no plums till June"]])
                    #expect(bill.note == order.note)

                    let hopeless = Order(things: ["plum"], count: 1)
                    let failed = try await worker.executions.begin(Self.shop, id: "hopeless", input: hopeless)
                    // The Python SDK sends an error's text, and its class for Python only.
                    await #expect(throws: DurableFailure(message: "nothing of plum")) {
                        try await failed.value
                    }
                } catch {
                    throw TestFailure("\(error)\nthe Python worker said last:\n\(program.standardError.suffix(2000))")
                }
            }
        }
    }
}
