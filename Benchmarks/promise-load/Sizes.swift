import ArgumentParser
import DurablePromises
import Foundation

/// What it takes to create a promise, to settle one, and to let a hundred deadlines pass at once, one after the other, with
/// whatever is stored already.
struct Sizes: AsyncParsableCommand {
    @OptionGroup var load: LoadOptions

    private static let rounds = 20
    private static let each = 100

    func run() async throws {
        try await load.withStore { store in
            let run = UUID().uuidString
            let creates = Measurement(seconds: 0)
            let settles = Measurement(seconds: 0)
            let sweeps = Measurement(seconds: 0)
            for round in 0..<Self.rounds {
                let ids = (0..<Self.each).map { "\(run)-\(round)-\($0)" }
                // Longer than it takes to create them.
                let deadline = Int64(Date.now.timeIntervalSince1970 * 1000) + 1500
                for id in ids {
                    try await ask(.createPromise(PromiseCreation(id: id, timeoutAt: .max)), creates, store)
                }
                for id in ids {
                    try await ask(.settlePromise(PromiseSettlement(id: id, state: .resolved)), settles, store)
                }
                for id in ids {
                    let creation = PromiseCreation(
                        id: id + "-due", timeoutAt: deadline, tags: [PromiseTag.external: "true"])
                    try await ask(.createPromise(creation), creates, store)
                }
                try await Task.sleep(until: .now + .milliseconds(1600), clock: .continuous)
                try await sweeps.time { try await store.fireTimers() }
            }
            print(
                """
                {"create_p50_ms": \(creates.percentile(0.5)), "create_p99_ms": \(creates.percentile(0.99)), \
                "settle_p50_ms": \(settles.percentile(0.5)), "settle_p99_ms": \(settles.percentile(0.99)), \
                "sweep_p50_ms": \(sweeps.percentile(0.5))}
                """
            )
        }
    }

    private func ask(_ operation: PromiseOperation, _ measurement: Measurement, _ store: PromiseStore) async throws {
        let response = try await measurement.time { try await store.process(Request(operation)) }
        guard response.status == 200 else { throw UnexpectedResponse(response: response) }
    }
}
