import ArgumentParser
import MigrationEngine
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
            let header = try YAMLDecoder().decode(Header.self, from: document)
            guard header.kind == "Migration", header.apiVersion.hasPrefix("sluice.dev/") else {
                throw ValidationError(
                    "\(path) holds a \(header.kind) of \(header.apiVersion), not a Migration of sluice.dev/v1alpha1"
                )
            }
            guard let spec = document["spec"] else { throw ValidationError("\(path): it has no spec") }
            // Labels, annotations and status are not the engine's; a slip in the spec is an error.
            return ManifestFile(
                metadata: header.metadata,
                spec: try YAMLDecoder(unknownKeys: .refuse).decode(MigrationSpec.self, from: spec)
            )
        } catch let error as YAMLError {
            throw ValidationError("\(path): \(error)")
        }
    }

    private struct Header: Decodable {
        var apiVersion: String
        var kind: String
        var metadata: Metadata
    }
}
