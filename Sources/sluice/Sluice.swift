import ArgumentParser

@main
struct Sluice: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Evolves live PostgreSQL schemas in small, durable, reversible steps."
    )
}
