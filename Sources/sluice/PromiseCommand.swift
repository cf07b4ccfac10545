import ArgumentParser

/// `sluice promise`: promises by hand.
struct PromiseCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "promise",
        abstract: "Reads, creates and settles promises by hand.",
        discussion: """
            EXAMPLE:
              sluice promise create approval --timeout 24h --server http://127.0.0.1:8001
              sluice promise settle approval --data yes --server http://127.0.0.1:8001
            """,
        subcommands: [
            PromiseGetCommand.self, PromiseCreateCommand.self, PromiseSettleCommand.self, PromiseSearchCommand.self,
        ]
    )
}
