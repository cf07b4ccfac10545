import ArgumentParser

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
            OperatorCommand.self, RunCommand.self, PlanCommand.self, VerifyCommand.self, StatusCommand.self,
            WaitCommand.self, InstallCommand.self, ServerCommand.self, PromiseCommand.self,
        ]
    )
}
