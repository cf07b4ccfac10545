import ArgumentParser
import MigrationEngine
import SchemaChange
import YAML

/// What lint found in files.
struct LintReport {
    /// A finding with the place where it stands.
    struct Placed: Encodable {
        var file: String
        var line: Int
        var column: Int
        /// `namespace/name`, if the manifest says it.
        var migration: String?
        var finding: Finding

        private enum Key: String, CodingKey {
            case file, line, column, migration, code, severity, path, message, remedy
        }

        func encode(to encoder: any Encoder) throws {
            var container = encoder.container(keyedBy: Key.self)
            try container.encode(file, forKey: .file)
            try container.encode(line, forKey: .line)
            try container.encode(column, forKey: .column)
            try container.encodeIfPresent(migration, forKey: .migration)
            try container.encode(finding.code, forKey: .code)
            try container.encode(finding.severity, forKey: .severity)
            try container.encode(finding.path, forKey: .path)
            try container.encode(finding.message, forKey: .message)
            try container.encodeIfPresent(finding.remedy, forKey: .remedy)
        }
    }

    private(set) var findings: [Placed] = []
    private(set) var migrations = 0

    var hasErrors: Bool { findings.contains { $0.finding.severity == .error } }

    /// What is no Migration is passed over; what cannot be read is an error of its own.
    ///
    /// - Throws: `ValidationError` for a file that is not there.
    mutating func read(_ path: String) throws {
        let text = try TextFile.read(path)
        do {
            for document in try YAML.documents(in: text) where ManifestFile.isMigration(document) {
                migrations += 1
                read(document, of: path)
            }
        } catch {
            add(error, of: path, nil)
        }
    }

    private mutating func read(_ document: YAMLValue, of path: String) {
        let name = document["metadata"]?["name"]?.string
        let namespace = document["metadata"]?["namespace"]?.string ?? "default"
        let migration = name.map { "\(namespace)/\($0)" }
        do {
            let manifest = try ManifestFile(document, of: path)
            for finding in manifest.spec.lintable.findings {
                let mark = document["spec"]?.mark(at: finding.path) ?? document.mark
                findings.append(
                    Placed(file: path, line: mark.line, column: mark.column, migration: migration, finding: finding))
            }
        } catch let error as YAMLError {
            add(error, of: path, migration)
        } catch {
            add(YAMLError(.badValue, "\(error)", mark: document.mark), of: path, migration)
        }
    }

    private mutating func add(_ error: YAMLError, of path: String, _ migration: String?) {
        let mark = error.mark ?? YAMLMark(line: 1, column: 1)
        findings.append(
            Placed(
                file: path, line: mark.line, column: mark.column, migration: migration,
                finding: Finding(.unreadableManifest, at: error.path, error.message)))
    }

    /// A line of each finding, as compilers write it, one of what to do, and one of the sum.
    var text: String {
        var lines: [String] = []
        for placed in findings {
            let finding = placed.finding
            lines.append(
                "\(placed.file):\(placed.line):\(placed.column): \(finding.severity.rawValue): "
                    + "\(finding.path.isEmpty ? "" : finding.path + ": ")\(finding.message) [\(finding.code)]")
            if let remedy = finding.remedy { lines.append("    \(remedy)") }
        }
        let counts = Finding.Severity.allCases.map { severity in
            let count = findings.count { $0.finding.severity == severity }
            return "\(count) \(severity.rawValue)\(count == 1 || severity == .info ? "" : "s")"
        }
        lines.append("\(migrations) Migration\(migrations == 1 ? "" : "s"): \(counts.joined(separator: ", "))")
        return lines.map(\.printable).joined(separator: "\n")
    }
}

extension YAMLValue {
    /// Where `path` stands, such as `changes[0].sql.expand[1]`, or what of it there is.
    func mark(at path: String) -> YAMLMark {
        var value = self
        for part in path.split(whereSeparator: { $0 == "." || $0 == "[" }) {
            let next =
                part.last == "]"
                ? Int(part.dropLast()).flatMap { value.sequence?.element(at: $0) } : value[String(part)]
            guard let next else { break }
            value = next
        }
        return value.mark
    }
}

extension Array {
    fileprivate func element(at index: Int) -> Element? { indices.contains(index) ? self[index] : nil }
}
