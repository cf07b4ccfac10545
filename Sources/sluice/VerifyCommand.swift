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
            Looks at the certificate, the plan, the server, what the migration counts on in the catalog, and the triggers \
            that keep both sides right, and compares every row again. Changes nothing. Exits 1 when the proof is \
            broken, or when there is none.

            EXAMPLE:
              sluice verify -f split-name.yaml --database-url postgresql://app@db.example/shop
            """
    )

    @Option(name: .shortAndLong, help: "The Migration's file, or - for standard input.")
    var file: String

    @Flag(name: .long, help: "Do not compare the rows again.")
    var quick = false

    @OptionGroup var database: DatabaseOptions
    @OptionGroup var log: LogOptions

    func run() async throws {
        let manifest = try ManifestFile.read(file)
        let engine = MigrationEngine(
            database: try database.configuration(),
            worker: "verify",
            logger: try log.logger("sluice", standard: .warning)
        )
        switch try await engine.checkProof(manifest.name) {
        case .holds(let certificate):
            print(Summary.of(certificate))
            if quick { return }
            guard try await compare(manifest.name, engine) else { throw ExitCode(1) }
        case .broken(let reason):
            print("broken: \(reason)")
            if !quick { _ = try await compare(manifest.name, engine) }
            throw ExitCode(1)
        case .none:
            print("there is no proof: \(manifest.name) was never verified here, or was undone since")
            throw ExitCode(1)
        }
    }

    /// Whether every row is as its side says.
    private func compare(_ name: MigrationName, _ engine: MigrationEngine) async throws -> Bool {
        guard let rows = try await engine.compareRows(name) else {
            print("nothing was compared again: after Contract the old side is an archive")
            return true
        }
        print("compared again: \(rows.rows) rows, mismatches: \(rows.mismatches)")
        guard rows.mismatches > 0 else { return true }
        print("keys of some: \(rows.examples.map { "(\($0))" }.joined(separator: ", "))")
        return false
    }
}
