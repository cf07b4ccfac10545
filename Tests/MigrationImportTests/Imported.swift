import MigrationEngine
import MigrationImport
import SchemaChange
import TestSupport
import Testing
import YAML

/// What comes of texts that are imported as a chain.
enum Imported {
    /// A file for each text, called `01.…` and so on.
    static func migrations(
        _ format: MigrationImporter.Format, _ texts: [String], schema: String = "public"
    ) throws(MigrationImporter.Problems) -> [ImportedMigration] {
        try MigrationImporter(format: format, schema: schema).migrations(
            of: texts.enumerated().map {
                .init(path: "files/\($0 < 9 ? "0" : "")\($0 + 1).txt", text: $1)
            })
    }

    /// The last file's.
    static func last(_ format: MigrationImporter.Format, _ texts: [String]) throws -> ImportedMigration {
        try #require(try migrations(format, texts).last)
    }

    /// All that is wrong.
    static func problems(_ format: MigrationImporter.Format, _ texts: [String]) throws -> [MigrationImporter.Problem] {
        do {
            _ = try migrations(format, texts)
            throw TestFailure("it was taken over: \(texts.last ?? "")")
        } catch let problems as MigrationImporter.Problems {
            return problems.all
        }
    }
}

/// The changes that a manifest has in this list.
func changes(_ yaml: String) throws -> [Change] {
    try YAMLDecoder(unknownKeys: .refuse).decode([Change].self, from: yaml)
}
