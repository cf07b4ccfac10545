import ArgumentParser
import Foundation
import KubernetesClient
import MigrationOperator
import SchemaChange

/// `sluice status`: where Migrations stand, for people.
struct StatusCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "status",
        abstract: "Shows where Migrations stand; of one, its conditions and its proof.",
        discussion: """
            EXAMPLE:
              sluice status --namespace shop
              sluice status split-customer-name --namespace shop
            """
    )

    @Argument(help: "A Migration; all of the namespace when left out.")
    var name: String?

    @OptionGroup var namespace: NamespaceOption
    @OptionGroup var cluster: ClusterOptions

    func run() async throws {
        let client = try cluster.client()
        let namespace = namespace.namespace ?? client.configuration.namespace
        if let name {
            print(StatusText.detail(try await client.get(Migration.self, ObjectKey(name, in: namespace))))
        } else {
            let migrations = try await client.list(Migration.self, in: namespace).items
            print(migrations.isEmpty ? "no Migrations in \(namespace)" : StatusText.table(migrations))
        }
    }
}

/// Migrations as text.
enum StatusText {
    static func table(_ migrations: [Migration]) -> String {
        let head = ["NAME", "PHASE", "STEP", "PROGRESS", "GATE", "READY"]
        let rows = migrations.sorted { $0.metadata.name < $1.metadata.name }.map { migration in
            let status = migration.status
            return [
                migration.metadata.name, status?.phase?.rawValue ?? "-", status?.step ?? "-",
                status?.progress?.percent ?? "-", status?.gate?.rawValue ?? "-",
                status?.condition(.ready).map { "\($0.status.rawValue) (\($0.reason ?? "-"))" } ?? "-",
            ]
        }
        let widths = head.indices.map { column in ([head] + rows).map { $0[column].count }.max() ?? 0 }
        return ([head] + rows).map { row in
            zip(row, widths).map { $0.padding(toLength: $1, withPad: " ", startingAt: 0) }.joined(separator: "   ")
                .trimmingCharacters(in: .whitespaces)
        }.joined(separator: "\n")
    }

    static func detail(_ migration: Migration) -> String {
        guard let status = migration.status, status.observedGeneration >= 0 else {
            return "\(migration.metadata.name): the operator has not seen it yet"
        }
        var lines = [
            "\(migration.metadata.name): \(status.phase?.rawValue ?? "-"), \(status.step ?? "-"), "
                + "gate \(status.gate?.rawValue ?? "-")"
        ]
        if let progress = status.progress {
            lines.append("progress: \(progress.percent ?? "-") of \(progress.rowsTotal) rows")
        }
        if let proof = status.verification {
            lines.append(
                "proof: \(proof.rowsCompared) rows compared (\(proof.oldSide) written last by the old side, "
                    + "\(proof.newSide) by the new), mismatches: \(proof.mismatches)"
            )
        }
        if let promise = status.promise { lines.append("promise: \(promise)") }
        for condition in status.conditions ?? [] {
            lines.append(
                "\(condition.type)=\(condition.status.rawValue) (\(condition.reason ?? "-")) \(condition.message ?? "")"
            )
        }
        return lines.joined(separator: "\n")
    }
}
