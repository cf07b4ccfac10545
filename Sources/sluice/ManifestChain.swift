import ArgumentParser
import Foundation
import MigrationEngine
import YAML

/// Migrations in the order in which they build on each other: as they are given, but each behind those that its `dependsOn`
/// names.
struct ManifestChain {
    let manifests: [ManifestFile]

    /// Every Migration in `paths`: files of several documents, folders of such files (`.yaml` and `.yml`, by name), or `-` for
    /// standard input. Other objects are passed over.
    static func read(_ paths: [String]) throws -> ManifestChain {
        var manifests: [ManifestFile] = []
        let files = try paths.flatMap(files)
        for path in files {
            do {
                let documents = try YAML.documents(in: try TextFile.read(path))
                // Whoever names one object means it.
                let isMeant = files.count == 1 && documents.count == 1
                for document in documents where isMeant || ManifestFile.isMigration(document) {
                    manifests.append(try ManifestFile(document, of: path))
                }
            } catch let error as YAMLError {
                throw ValidationError("\(path): \(error)")
            }
        }
        guard !manifests.isEmpty else {
            throw ValidationError("there is no Migration of sluice.dev/v1alpha1 in \(paths.joined(separator: ", "))")
        }
        return ManifestChain(manifests: try ordered(manifests))
    }

    /// The files that a path stands for: of a folder, those that hold YAML.
    static func files(at path: String) throws -> [String] {
        var isFolder: ObjCBool = false
        guard path != "-", FileManager.default.fileExists(atPath: path, isDirectory: &isFolder), isFolder.boolValue
        else { return [path] }
        let names = try FileManager.default.contentsOfDirectory(atPath: path)
        return names.filter { $0.hasSuffix(".yaml") || $0.hasSuffix(".yml") }.sorted().map { "\(path)/\($0)" }
    }

    /// - Throws: `ValidationError` for two of one name, and for those that wait for each other.
    static func ordered(_ manifests: [ManifestFile]) throws -> [ManifestFile] {
        var names: Set<String> = []
        for manifest in manifests where !names.insert(manifest.name.description).inserted {
            throw ValidationError("\(manifest.name) is given twice")
        }
        var ordered: [ManifestFile] = []
        var done: Set<String> = []
        var left = manifests
        while !left.isEmpty {
            // What is not given is somebody else's to look for.
            let next = left.firstIndex { manifest in
                manifest.dependencies.map(\.description).allSatisfy { done.contains($0) || !names.contains($0) }
            }
            guard let next else {
                let all = left.map(\.name.description).joined(separator: ", ")
                throw ValidationError("\(all) wait for each other (dependsOn): leave one of these out")
            }
            let manifest = left.remove(at: next)
            done.insert(manifest.name.description)
            ordered.append(manifest)
        }
        return ordered
    }
}

extension ManifestFile {
    var dependencies: [MigrationName] {
        (spec.dependsOn ?? []).map { MigrationName(namespace: name.namespace, name: $0) }
    }
}
