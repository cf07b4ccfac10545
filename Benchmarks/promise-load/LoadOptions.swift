import ArgumentParser
import DurablePromises
import Foundation
import PostgreSQL

struct LoadOptions: ParsableArguments {
    @Option(help: "How many clients work at the same time, each with one operation after the other.")
    var clients = 1

    @Option(help: "For how many seconds.")
    var seconds = 5.0

    @Option(help: "How many transactions run at the same time.")
    var lanes = 2

    func withStore(_ body: (PromiseStore) async throws -> Void) async throws {
        let configuration = try PostgresConfiguration(
            url: ProcessInfo.processInfo.environment["SLUICE_DATABASE_URL"] ?? "",
            origin: .operatorOwned,
            applicationName: "sluice/promise-load"
        )
        let pool = PostgresPool(configuration, maximum: lanes + 4)
        let store = PromiseStore(pool: pool, settings: .init(lanes: lanes))
        try await store.install()
        try await body(store)
        store.close()
        await pool.close()
    }
}
