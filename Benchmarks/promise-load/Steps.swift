import ArgumentParser
import DurableExecution
import DurablePromises
import Foundation
import Logging

/// Runs durable functions of a hundred steps each: a step, which returns a small value that is recorded, is an operation.
struct Steps: AsyncParsableCommand {
    @OptionGroup var load: LoadOptions

    /// Of one function, so many that its start and its end weigh little.
    private static let steps = 100
    private static let function = DurableFunction<Int, Int>("steps")

    func run() async throws {
        try await load.withStore { store in
            let measurement = Measurement(seconds: load.seconds)
            var functions = FunctionRegistry()
            functions.register(Self.function) { context, client in
                for number in 0..<Self.steps where !measurement.isOver {
                    let result = try await measurement.time { try await context.run("step") { number } }
                    guard result == number else { throw ValidationError("a step gave \(result)") }
                }
                return client
            }
            let logger = Logger(label: "promise-load")
            let worker = DurableWorker(
                store, functions: functions, settings: .init(group: "load", concurrency: load.clients), logger: logger)
            let run = UUID().uuidString
            try await withThrowingTaskGroup { group in
                group.addTask { await store.run() }
                group.addTask { await worker.run() }
                try await withThrowingTaskGroup { clients in
                    for client in 0..<load.clients {
                        clients.addTask {
                            var number = 0
                            while !measurement.isOver {
                                number += 1
                                let id = "\(run)-\(client)-\(number)"
                                let execution = try await worker.executions.begin(Self.function, id: id, input: client)
                                _ = try await execution.value
                            }
                        }
                    }
                    try await clients.waitForAll()
                }
                group.cancelAll()
            }
            print(measurement.json(subject: "steps", clients: load.clients))
        }
    }
}
