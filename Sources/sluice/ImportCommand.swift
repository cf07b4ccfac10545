import ArgumentParser
import Foundation
import MigrationEngine
import MigrationImport
import SchemaChange

/// `sluice import`: Migrations of what other tools have.
struct ImportCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "import",
        abstract: "Writes Migrations that do what files of other tools say.",
        discussion: """
            EXAMPLE:
              sluice import pgroll migrations/*.yaml -o manifests
              sluice import sql schema/*.sql -o manifests
            """,
        subcommands: [ImportPgrollCommand.self, ImportSQLCommand.self]
    )
}

struct ImportPgrollCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "pgroll",
        abstract: "From migrations of pgroll, in YAML or JSON.",
        discussion: """
            One manifest for each file. Give the files in the order in which pgroll ran them: each is read on top of those \
            before it. What a manifest does otherwise than the file says stands as a NOTE at its top. Where something cannot be \
            taken over, it says what and why, writes nothing, and exits 1.

            EXAMPLE:
              sluice import pgroll migrations/*.yaml -o manifests
            """
    )

    @OptionGroup var options: ImportOptions

    func run() async throws { try options.run(.pgroll) }
}

struct ImportSQLCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "sql",
        abstract: "From statements such as CREATE TABLE, ALTER TABLE, CREATE INDEX.",
        discussion: """
            One manifest for each file, each statement as the change that does the same without stopping anybody. Give the files \
            in the order in which they are run: each is read on top of those before it. Where a statement cannot be taken over, it \
            says where and why, writes nothing, and exits 1.

            EXAMPLE:
              sluice import sql schema/*.sql -o manifests
            """
    )

    @OptionGroup var options: ImportOptions

    func run() async throws { try options.run(.sql) }
}

/// What the formats have in common.
struct ImportOptions: ParsableArguments {
    @Argument(help: "The files, in the order in which they build on each other.")
    var files: [String]

    @Option(name: .shortAndLong, help: ArgumentHelp("The folder that gets the manifests.", valueName: "dir"))
    var output: String

    @Flag(name: .long, help: "Write over files that are there.")
    var force = false

    @Option(name: .long, help: "The schema that the tables are in.")
    var schema = "public"

    @Option(name: .shortAndLong, help: "The namespace of the Migrations.")
    var namespace: String?

    @Option(
        name: .long,
        help: ArgumentHelp(
            "The Secret that has the database's URL under the key url.", valueName: "name"))
    var databaseSecret: String?

    func run(_ format: MigrationImporter.Format) throws {
        let importer = MigrationImporter(
            format: format, schema: schema, namespace: namespace,
            database: databaseSecret.map {
                DatabaseReference(urlFrom: .init(secretKeyRef: .init(name: $0, key: "url")))
            })
        let sources = try files.map { MigrationImporter.File(path: $0, text: try TextFile.read($0)) }
        do {
            let migrations = try importer.migrations(of: sources)
            let manifests = try migrations.map {
                NewFiles.File(name: $0.name + ".yaml", text: try $0.manifest())
            }
            try NewFiles(folder: output, overwrites: force).write(manifests)
            for migration in migrations { report(migration) }
        } catch let problems as MigrationImporter.Problems {
            for problem in problems.all { FileHandle.standardError.write(Data("Error: \(problem)\n".utf8)) }
            FileHandle.standardError.write(Data("Nothing was written.\n".utf8))
            throw ExitCode(1)
        }
    }

    private func report(_ migration: ImportedMigration) {
        print("\(output)/\(migration.name).yaml: \(migration.spec.changes.map(\.key).joined(separator: ", "))")
        for note in migration.notes { print("  NOTE: \(note)") }
    }
}
