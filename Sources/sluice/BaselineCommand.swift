import ArgumentParser
import Foundation
import Logging
import MigrationEngine

/// `sluice baseline`: for a database that has already what the Migrations would do.
struct BaselineCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "baseline",
        abstract: "Says of Migrations that the database has them already, after a look that it does.",
        discussion: """
            For a database that was there before, that was restored from a dump, or that another tool made. Looks whether tables, \
            columns and their types, indexes, constraints and values of enums are as the whole chain would have left them; \
            then enters each Migration into the ledger as contracted, with no way back. Rows are not looked at. All are \
            entered or none; those that the ledger knows as contracted stay as they are. Exits 1, and names each \
            difference, when the database is not like that.

            EXAMPLE:
              sluice baseline -f migrations/ --dry-run --database-url postgresql://app@db.example/shop
            """
    )

    @Option(
        name: .shortAndLong, parsing: .upToNextOption,
        help: "Files with Migrations, folders of them, or - for standard input; in order, but for dependsOn.")
    var file: [String]

    @Flag(name: .long, help: "Look only; write nothing.")
    var dryRun = false

    @OptionGroup var database: DatabaseOptions
    @OptionGroup var log: LogOptions

    func run() async throws {
        let chain = try ManifestChain.read(file)
        let engine = MigrationEngine(
            database: try database.configuration(),
            worker: "baseline",
            logger: try log.logger("sluice", standard: .warning)
        )
        let entries = chain.manifests.map { Baseline.Entry(name: $0.name, spec: $0.spec) }
        let report = try await engine.baseline(Baseline(entries), writes: !dryRun)
        for origin in report.unchecked { print("not looked at: \(origin)") }
        for difference in report.differences { print("differs: \(difference)") }
        for name in report.known { print("known already: \(name)") }
        guard report.differences.isEmpty else {
            print("nothing was entered: the database is not as these Migrations would have left it")
            throw ExitCode(1)
        }
        for name in report.entered { print("\(dryRun ? "would be entered" : "entered"): \(name)") }
    }
}
