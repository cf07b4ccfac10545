import ArgumentParser
import DurablePromises
import Foundation

/// Creates promises and settles them: each of the two is an operation.
struct Pairs: AsyncParsableCommand {
    @OptionGroup var load: LoadOptions

    func run() async throws {
        try await load.withStore { store in
            let run = UUID().uuidString
            let measurement = Measurement(seconds: load.seconds)
            try await withThrowingTaskGroup { group in
                for client in 0..<load.clients {
                    group.addTask {
                        var number = 0
                        while !measurement.isOver {
                            let id = "\(run)-\(client)-\(number)"
                            number += 1
                            for operation in [
                                PromiseOperation.createPromise(PromiseCreation(id: id, timeoutAt: .max)),
                                .settlePromise(
                                    PromiseSettlement(id: id, state: .resolved, value: .init(data: "MQ=="))),
                            ] {
                                let response = try await measurement.time {
                                    try await store.process(Request(operation))
                                }
                                guard response.status == 200 else { throw UnexpectedResponse(response: response) }
                            }
                        }
                    }
                }
                try await group.waitForAll()
            }
            print(measurement.json(subject: "pairs", clients: load.clients))
        }
    }
}

/// The store refused what it should have done.
struct UnexpectedResponse: Error, CustomStringConvertible {
    let response: Response

    var description: String { "status \(response.status): \(response.error ?? "no error")" }
}
