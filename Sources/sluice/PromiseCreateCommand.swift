import ArgumentParser
import DurablePromises
import Foundation

/// `sluice promise create`: a promise that somebody is to keep.
struct PromiseCreateCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "create",
        abstract: "Creates a promise, or shows the one that there is of that id, whatever it is.",
        discussion: """
            With the tag resonate:target it has a task, which a worker of that address is offered.

            EXAMPLE:
              sluice promise create approval --timeout 24h --tag resonate:external=true --server http://127.0.0.1:8001
            """
    )

    @Argument(help: "The promise's id.")
    var id: String

    @Option(
        name: .long, help: ArgumentHelp("After how long it expires, such as 10m (default: 24h).", valueName: "time"),
        transform: Timeout.parse)
    var timeout: Timeout = .init(duration: .seconds(24 * 3600))

    @Option(name: .long, help: ArgumentHelp("A tag; may be repeated.", valueName: "name=value"))
    var tag: [TagArgument] = []

    @OptionGroup var data: PromiseDataOptions

    @Option(name: .shortAndLong, help: "text or json.")
    var output: PromiseFormat = .text

    @OptionGroup var promises: PromiseClientOptions

    func run() async throws {
        let now = Int64(Date().timeIntervalSince1970 * 1000)
        let timeoutAt = now + Int64(timeout.duration / .milliseconds(1))
        let tags = try TagArgument.dictionary(tag)
        let param = try data.value()
        let promise = try await promises.withClient { client in
            try await client.createPromise(id: id, timeoutAt: timeoutAt, param: param, tags: tags)
        }
        print(try PromiseText.of(promise, output))
    }
}
