import ArgumentParser
import MigrationEngine
import SchemaChange
import YAML

/// A Migration as a file holds it.
struct ManifestFile {
    struct Metadata: Decodable {
        var name: String
        var namespace: String?
    }

    var metadata: Metadata
    var spec: MigrationSpec

    var name: MigrationName {
        MigrationName(namespace: metadata.namespace ?? "default", name: metadata.name)
    }

    /// The Migration in `path`, or in standard input when it is `-`.
    static func read(_ path: String) throws -> ManifestFile {
        let text = try TextFile.read(path)
        do {
            let documents = try YAML.documents(in: text)
            guard let document = documents.first, documents.count == 1 else {
                throw ValidationError("\(path) holds \(documents.count) documents; give one Migration a file")
            }
            return try ManifestFile(document, of: path)
        } catch let error as YAMLError {
            throw ValidationError("\(path): \(error)")
        }
    }

    /// The Migration that `document` of the file at `path` holds.
    ///
    /// - Throws: `YAMLError` with its place, or `ValidationError`.
    init(_ document: YAMLValue, of path: String) throws {
        let header = try YAMLDecoder().decode(Header.self, from: document)
        guard header.isMigration else {
            throw ValidationError(
                "\(path) holds a \(header.kind) of \(header.apiVersion), not a Migration of sluice.dev/v1alpha1"
            )
        }
        guard let spec = document["spec"] else { throw ValidationError("\(path): it has no spec") }
        metadata = header.metadata
        // Labels, annotations and status are not the engine's; a slip in the spec is an error.
        self.spec = try YAMLDecoder(unknownKeys: .refuse).decode(MigrationSpec.self, from: spec)
        try requireBounds(in: path)
    }

    /// What the custom resource's schema refuses, too.
    private func requireBounds(in path: String) throws {
        if let first = spec.backfill?.outOfBounds.first {
            throw ValidationError("\(path): \(first.path): \(first.what); \(first.advice)")
        }
    }

    /// Whether a document is meant to be a Migration, whatever else is wrong with it.
    static func isMigration(_ document: YAMLValue) -> Bool {
        document["kind"]?.string == "Migration" && document["apiVersion"]?.string?.hasPrefix("sluice.dev/") == true
    }

    private struct Header: Decodable {
        var apiVersion: String
        var kind: String
        var metadata: Metadata

        var isMigration: Bool { kind == "Migration" && apiVersion == "sluice.dev/v1alpha1" }
    }
}
