import ArgumentParser

/// Loads a store in this process, as fast as so many clients can, and prints what came of it as a line of JSON. The database
/// is that of `SLUICE_DATABASE_URL`; the store's tables are made when they are not there.
@main
struct PromiseLoad: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "promise-load", subcommands: [Pairs.self, Steps.self, Sizes.self])
}
