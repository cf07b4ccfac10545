import ArgumentParser
import DurablePromises
import Foundation

/// `sluice promise search`: promises by state and tags.
struct PromiseSearchCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "search",
        abstract: "Lists promises by state and tags, in the order of their ids.",
        discussion: """
            EXAMPLE:
              sluice promise search --state pending --tag team=shop --server http://127.0.0.1:8001
            """
    )

    enum State: String, ExpressibleByArgument, CaseIterable {
        case pending, resolved, rejected
        case canceled = "rejected_canceled"
        case timedout = "rejected_timedout"
    }

    @Option(name: .long, help: "pending, resolved, rejected, rejected_canceled or rejected_timedout; else every one.")
    var state: State?

    @Option(name: .long, help: ArgumentHelp("A tag that they have; may be repeated.", valueName: "name=value"))
    var tag: [TagArgument] = []

    @Option(name: .long, help: "How many, 1 to 1000.")
    var limit: Int64 = 100

    @Option(name: .long, help: "The id after which to begin: the last of the page before.")
    var cursor: String?

    @Option(name: .shortAndLong, help: "text or json.")
    var output: PromiseFormat = .text

    @OptionGroup var promises: PromiseClientOptions

    func validate() throws {
        guard (1...1000).contains(limit) else { throw ValidationError("--limit is from 1 to 1000") }
    }

    func run() async throws {
        let search = PromiseSearch(
            state: state?.rawValue, tags: try TagArgument.dictionary(tag), limit: limit, cursor: cursor
        )
        let page = try await promises.withClient { try await $0.searchPromises(search) }
        switch output {
        case .json: print(try PromiseText.json(page.promises))
        case .text: print(page.promises.isEmpty ? "none" : PromiseText.table(page.promises))
        }
        if let next = page.cursor {
            FileHandle.standardError.write(Data("there are more: --cursor \(next.shellWord)\n".utf8))
        }
    }
}
