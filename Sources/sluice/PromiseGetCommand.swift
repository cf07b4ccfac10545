import ArgumentParser
import DurablePromises

/// `sluice promise get`: a promise as it is now.
struct PromiseGetCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "get",
        abstract: "Shows a promise; exits 1 when there is none.",
        discussion: """
            EXAMPLE:
              sluice promise get approval --server http://127.0.0.1:8001 -o json
            """
    )

    @Argument(help: "The promise's id.")
    var id: String

    @Option(name: .shortAndLong, help: "text or json.")
    var output: PromiseFormat = .text

    @OptionGroup var promises: PromiseClientOptions

    func run() async throws {
        let promise = try await promises.withClient { try await $0.getPromise(id: id) }
        guard let promise else { throw try promises.missing(id) }
        print(try PromiseText.of(promise, output))
    }
}
