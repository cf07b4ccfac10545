import ArgumentParser
import DurablePromises
import Foundation

/// `sluice promise settle`: keeps a promise, or breaks it.
struct PromiseSettleCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "settle",
        abstract: "Settles a promise; one that is settled already stays as it is, and is shown.",
        discussion: """
            Says on standard error when it was settled before. Exits 1 when that was to another state, and when there is \
            no such promise.

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
        let value = try data.value()
        let wanted: PromiseState =
            switch state {
            case .resolved: .resolved
            case .rejected: .rejected
            case .canceled: .rejectedCanceled
            }
        let (before, promise) = try await promises.withClient { client in
            // The answer to settling does not tell who settled it.
            let before = try await client.getPromise(id: id)
            return (before, try await client.settlePromise(id: id, state: wanted, value: value))
        }
        guard let promise else { throw try promises.missing(id) }
        print(try PromiseText.of(promise, output))
        let isOurs = before?.state == .pending && promise.state == wanted && promise.value.data == value.data
        guard !isOurs else { return }
        let isError = promise.state != wanted
        let words = "\(id.printable) was \(promise.state.rawValue) before, and stays as it is"
        FileHandle.standardError.write(Data("\(isError ? "Error: " : "")\(words)\n".utf8))
        if isError { throw ExitCode(1) }
    }
}
