import ArgumentParser
import Foundation
import Logging
import MigrationEngine
import SchemaChange
import YAML

/// `sluice plan`: what each phase will do to the live database. Changes nothing.
struct PlanCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "plan",
        abstract: "Prints what each phase of a Migration will do to the database as it is now.",
        discussion: """
            Changes nothing. Tells of each step its statements, the lock that it takes and for how long it may wait, what it \
            reads or writes, and how it is undone; what the backfill may cost, from a sample of the rows; and what lint \
            finds, in the file and in the database. Exits 1 when the Migration cannot be planned, and when there is an error.

            EXAMPLE:
              sluice plan -f split-name.yaml --database-url postgresql://app@db.example/shop
            """
    )

    enum Format: String, ExpressibleByArgument, CaseIterable {
        case text, json, yaml, markdown
    }

    @Option(name: .shortAndLong, help: "The Migration's file, or - for standard input.")
    var file: String

    @Option(name: .shortAndLong, help: "text, json, yaml, or markdown for a comment on a pull request.")
    var output: Format = .text

    @OptionGroup var database: DatabaseOptions
    @OptionGroup var log: LogOptions

    func run() async throws {
        let manifest = try ManifestFile.read(file)
        let engine = MigrationEngine(
            database: try database.configuration(),
            worker: "plan",
            logger: try log.logger("sluice", standard: .warning)
        )
        do {
            let preview = try await engine.preview(manifest.name, spec: manifest.spec)
            switch output {
            case .text: print(PlanText.of(preview).printableLines)
            case .json: print(try JSONText.of(preview))
            case .yaml: print(try YAMLEncoder().encode(preview), terminator: "")
            case .markdown: print(PlanMarkdown.of(preview, name: manifest.name.description).printableLines)
            }
            if preview.error != nil { throw ExitCode(1) }
        } catch let error as PlanError {
            FileHandle.standardError.write(Data("Error: \(file): \(error)\n".utf8))
            throw ExitCode(1)
        }
    }
}
