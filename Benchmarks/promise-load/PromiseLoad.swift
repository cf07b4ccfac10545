import ArgumentParser
import DurablePromises
import Foundation
import Logging
import PostgreSQL
import Synchronization

/// Creates and settles promises in a store in this process, as fast as so many clients can, and prints what came of it as
/// JSON. The database is that of `SLUICE_DATABASE_URL`.
@main
struct PromiseLoad: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "promise-load")

    @Option(help: "How many clients work at the same time, each with one request after the other.")
    var clients = 1

    @Option(help: "For how many seconds.")
    var seconds = 5.0

    @Option(help: "How many transactions run at the same time.")
    var lanes = 2

    func run() async throws {
        let url = ProcessInfo.processInfo.environment["SLUICE_DATABASE_URL"] ?? ""
        let configuration = try PostgresConfiguration(
            url: url, origin: .operatorOwned, applicationName: "sluice/promise-load")
        let pool = PostgresPool(configuration, maximum: lanes + 1)
        let store = PromiseStore(pool: pool, settings: .init(lanes: lanes))
        try await store.install()
        let run = UUID().uuidString
        let clock = ContinuousClock()
        let end = clock.now + .seconds(seconds)
        let began = clock.now
        let latencies = try await withThrowingTaskGroup(of: [Double].self) { group in
            for client in 0..<clients {
                group.addTask {
                    var latencies: [Double] = []
                    var number = 0
                    while clock.now < end {
                        let id = "\(run)-\(client)-\(number)"
                        number += 1
                        for operation in [
                            PromiseOperation.createPromise(PromiseCreation(id: id, timeoutAt: .max)),
                            .settlePromise(PromiseSettlement(id: id, state: .resolved, value: .init(data: "MQ=="))),
                        ] {
                            let start = clock.now
                            let response = try await store.process(Request(operation))
                            guard response.status == 200 else { throw ExitCode.failure }
                            latencies.append((clock.now - start) / .milliseconds(1))
                        }
                    }
                    return latencies
                }
            }
            return try await group.reduce(into: [Double]()) { $0 += $1 }.sorted()
        }
        let elapsed = (clock.now - began) / .seconds(1)
        print(
            """
            {"subject": "store", "clients": \(clients), "operations": \(latencies.count), "seconds": \(elapsed), \
            "p50_ms": \(latencies[latencies.count / 2]), "p99_ms": \(latencies[latencies.count * 99 / 100])}
            """
        )
        store.close()
        await pool.close()
    }
}
