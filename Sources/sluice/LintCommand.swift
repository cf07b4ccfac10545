import ArgumentParser
import Foundation
import MigrationEngine
import SchemaChange
import YAML

/// `sluice lint`: what had better be written otherwise, without a database.
struct LintCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "lint",
        abstract: "Finds what would lock, rewrite or lose something, without a database.",
        discussion: """
            Reads every Migration of the files, which may hold several documents, and says what is unsafe in it, why, and \
            how to write it. Exits 1 when there is an error, 0 otherwise. docs/lint.md has a line for each code.

            EXAMPLE:
              sluice lint -f migrations/*.yaml
              sluice lint -f split-name.yaml -o sarif > sluice.sarif
            """
    )

    enum Format: String, ExpressibleByArgument, CaseIterable {
        case text, json, sarif
    }

    @Option(
        name: .shortAndLong, parsing: .upToNextOption,
        help: "Files with Migrations, folders of them, or - for standard input.")
    var file: [String]

    @Option(name: .shortAndLong, help: "text, json or sarif (2.1.0).")
    var output: Format = .text

    func run() throws {
        var report = LintReport()
        for path in try file.flatMap(ManifestChain.files) { try report.read(path) }
        guard report.migrations > 0 || !report.findings.isEmpty else {
            throw ValidationError("there is no Migration of sluice.dev/v1alpha1 in \(file.joined(separator: ", "))")
        }
        switch output {
        case .text: print(report.text)
        case .json: print(try JSONText.of(report.findings))
        case .sarif: print(try JSONText.of(report.sarif))
        }
        if report.hasErrors { throw ExitCode(1) }
    }
}

/// Values as JSON for people and programs: its keys sorted, a line each.
enum JSONText {
    static func of(_ value: some Encodable) throws -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        encoder.dateEncodingStrategy = .iso8601
        return String(decoding: try encoder.encode(value), as: UTF8.self)
    }
}
