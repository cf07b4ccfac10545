import ArgumentParser
import DurablePromises
import Foundation

/// `sluice promise settle`: keeps a promise, or breaks it.
struct PromiseSettleCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "settle",
        abstract: "Settles a promise; one that is settled already stays as it is, and is shown.",
        discussion: """
            Exits 1 when there is no such promise, and when it was settled otherwise before.

            EXAMPLE:
              sluice promise settle approval --state resolved --data yes --server http://127.0.0.1:8001
            """
    )

    enum State: String, ExpressibleByArgument, CaseIterable {
        case resolved, rejected
        case canceled = "rejected_canceled"
    }

    @Argument(help: "The promise's id.")
    var id: String

    @Option(name: .long, help: "resolved, rejected or rejected_canceled.")
    var state: State = .resolved

    @OptionGroup var data: PromiseDataOptions

    @Option(name: .shortAndLong, help: "text or json.")
    var output: PromiseFormat = .text

    @OptionGroup var promises: PromiseClientOptions

    func run() async throws {
        let value = data.value()
        let wanted: PromiseState =
            switch state {
            case .resolved: .resolved
            case .rejected: .rejected
            case .canceled: .rejectedCanceled
            }
        let promise = try await promises.withClient { client in
            try await client.settlePromise(id: id, state: wanted, value: value)
        }
        guard let promise else { throw PromiseError(.notFound, "there is no promise \(id)") }
        print(try PromiseText.of(promise, output))
        guard promise.state == wanted else {
            FileHandle.standardError.write(Data("Error: \(id) was \(promise.state.rawValue) before\n".utf8))
            throw ExitCode(1)
        }
    }
}
