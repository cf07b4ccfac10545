import ArgumentParser
import Foundation
import Logging
import MigrationEngine
import SchemaChange

/// `sluice plan`: what each phase will do to the live database. Changes nothing.
struct PlanCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "plan",
        abstract: "Prints what each phase of a Migration will do to the database as it is now.",
        discussion: """
            Changes nothing. Exits 1 when the Migration cannot be planned, and says why.

            EXAMPLE:
              sluice plan -f split-name.yaml --database-url postgresql://app@db.example/shop
            """
    )

    enum Format: String, ExpressibleByArgument, CaseIterable {
        case text, json
    }

    @Option(name: .shortAndLong, help: "The Migration's file, or - for standard input.")
    var file: String

    @Option(name: .shortAndLong, help: "text or json.")
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
            let plan = try await engine.plan(manifest.name, spec: manifest.spec)
            switch output {
            case .text: print(PlanText.of(plan))
            case .json:
                let encoder = JSONEncoder()
                encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
                print(String(decoding: try encoder.encode(plan), as: UTF8.self))
            }
        } catch let error as PlanError {
            FileHandle.standardError.write(Data("Error: \(file): \(error)\n".utf8))
            throw ExitCode(1)
        }
    }
}

/// A plan for people.
enum PlanText {
    static func of(_ plan: Plan) -> String {
        var lines = ["plan \(plan.hash)"]
        for phase in Phase.allCases where phase > .initial {
            let steps = plan.steps(of: phase)
            guard !steps.isEmpty else { continue }
            lines.append("\n\(phase.rawValue)")
            for step in steps { lines += describe(step, plan) }
        }
        if !plan.purge.isEmpty {
            lines.append("\nOnce contract.keepFor is over (cannot be undone)")
            for step in plan.purge { lines += describe(step, plan) }
        }
        return lines.joined(separator: "\n")
    }

    private static func describe(_ step: Step, _ plan: Plan) -> [String] {
        var lines = ["  - \(step.title)" + (step.lock.map { "  [\($0)]" } ?? "")]
        switch step.action {
        case .statements(let apply, let revert):
            lines += apply.map { "      " + $0.replacing("\n", with: "\n      ") }
            if revert == nil, !step.id.hasPrefix("purge/") { lines.append("      (nobody said how to undo it)") }
        case .backfill(let index):
            let mapping = plan.mappings[index]
            if let remote = mapping.remote {
                lines.append("      by \(remote.function) of the workers at \(remote.target)")
            } else {
                lines += mapping.new.map { "      \($0.name) = \(mapping.forward[$0.name] ?? "")" }
            }
            lines.append("      in chunks by \(mapping.key.map(\.name).joined(separator: ", "))")
        case .check(let query, _):
            lines.append("      \(query)")
        case .concurrently(let apply, _):
            lines += apply.map { "      " + $0 }
        case .buildIndex(let index):
            lines += ([index.create] + index.finish).map { "      " + $0 }
        case .dropIndex(let index):
            lines += ((index.name == nil ? [] : index.drop.suffix(1)) + index.unfinish).map { "      " + $0 }
        case .declaration:
            lines.append("      sluice promise settle <promise of the walk>:dual-writes --state resolved")
        case .verify:
            break
        }
        return lines
    }
}
