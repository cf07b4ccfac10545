import ArgumentParser
import Backfill
import Foundation
import Logging
import MigrationEngine

/// `sluice verify`: checks a proof again.
struct VerifyCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "verify",
        abstract: "Checks the proof of a Migration again; exits 0 if it holds.",
        discussion: """
            Looks at the certificate, what the ledger has of its making, the plan, the server, what the migration counts \
            on in the catalog, and the triggers that keep both sides right. Compares every row again, and tells of each \
            range of the certificate whether its rows are what they were; that some were written since is no fault. \
            Changes nothing. Exits 1 when the proof is broken, or when there is none.

            With --repair-sql it compares nothing, and writes SQL for psql: a SELECT of the rows that are not as their side \
            says, and an UPDATE of those of them whose old side is right and can be had back from the new one.

            EXAMPLE:
              sluice verify -f split-name.yaml --database-url postgresql://app@db.example/shop
            """
    )

    enum Format: String, ExpressibleByArgument, CaseIterable {
        case text, json
    }

    @Option(name: .shortAndLong, help: "The Migration's file, or - for standard input.")
    var file: String

    @Option(name: .shortAndLong, help: "text or json.")
    var output: Format = .text

    @Flag(name: .long, help: "Do not compare the rows again.")
    var quick = false

    @Flag(name: .customLong("repair-sql"), help: "Write SQL that lists and mends rows, and run none of it.")
    var repairSQL = false

    @OptionGroup var database: DatabaseOptions
    @OptionGroup var log: LogOptions

    func validate() throws {
        guard !repairSQL || (output == .text && !quick) else {
            throw ValidationError("--repair-sql compares nothing and writes SQL: leave --output and --quick out")
        }
    }

    func run() async throws {
        let manifest = try ManifestFile.read(file)
        let engine = MigrationEngine(
            database: try database.configuration(),
            worker: "verify",
            logger: try log.logger("sluice", standard: .warning)
        )
        if repairSQL {
            guard let repairs = try await engine.repairs(manifest.name) else {
                throw NothingToRepair(name: manifest.name)
            }
            return print(RepairText.of(repairs, name: manifest.name, schema: manifest.spec.schema))
        }
        let check = try await engine.checkProof(manifest.name)
        var comparison: RowComparison?
        if !quick, check != .none {
            comparison = try await engine.compareRows(
                manifest.name, schema: manifest.spec.schema, workers: manifest.spec.backfill?.workers ?? 2)
        }
        let report = VerificationReport(check, comparison, isQuick: quick)
        switch output {
        case .text: print(VerificationText.of(report, name: manifest.name).printableLines)
        case .json: print(try JSONText.of(report))
        }
        if !report.holds { throw ExitCode(1) }
    }
}

private struct NothingToRepair: Error, CustomStringConvertible {
    let name: MigrationName

    var description: String {
        "no row of \(name) has two sides that could disagree: it stands before DualWrite, or at Contract "
            + "(see sluice status)"
    }
}
