import ArgumentParser
import Foundation

/// The one binary.
@main
struct Sluice: AsyncParsableCommand {
    /// Also what `User-Agent` says.
    static let version = "0.1.0"

    static let configuration = CommandConfiguration(
        commandName: "sluice",
        abstract: "Evolves live PostgreSQL schemas in small, durable, reversible steps.",
        discussion: """
            A Migration is a file that says what a table should become. Sluice walks it through expand, dual write, \
            backfill, verification and contract while the application goes on, and survives being killed anywhere.

            EXAMPLE:
              export SLUICE_DATABASE_URL=postgresql://app@db.example/shop
              sluice plan -f split-name.yaml
              sluice run -f split-name.yaml
              sluice verify -f split-name.yaml
            """,
        version: version,
        subcommands: [
            OperatorCommand.self, RunCommand.self, PlanCommand.self, LintCommand.self, VerifyCommand.self,
            BaselineCommand.self, StatusCommand.self, WaitCommand.self, ImportCommand.self, InstallCommand.self,
            ServerCommand.self, PromiseCommand.self,
        ]
    )

    /// As ArgumentParser's own, but a mistake that a command sees only when it runs is told with the name of that command.
    @concurrent
    static func main() async {
        do {
            try ArgumentText.check()
            var command = try await asyncParseAsRoot()
            let name = words(for: type(of: command)) ?? "sluice"
            do {
                if var command = command as? any AsyncParsableCommand {
                    try await command.run()
                } else {
                    try command.run()
                }
            } catch let mistake as ValidationError {
                FileHandle.standardError.write(
                    Data("Error: \(mistake)\n  See '\(name) --help' for more information.\n".utf8))
                throw ExitCode.validationFailure
            }
        } catch {
            exit(withError: error)
        }
    }
}

extension ParsableCommand {
    /// What calls a command that is this one or below it, such as `sluice promise get`.
    fileprivate static func words(for command: any ParsableCommand.Type) -> String? {
        let name = configuration.commandName ?? ""
        if command == self { return name }
        return configuration.subcommands.lazy.compactMap { $0.words(for: command) }.first.map { "\(name) \($0)" }
    }
}
