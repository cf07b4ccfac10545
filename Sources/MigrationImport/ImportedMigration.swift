public import MigrationEngine
import YAML

/// A Migration that was made of a file.
public struct ImportedMigration: Sendable {
    public let name: String
    /// The path of the file.
    public let source: String
    /// What differs from it.
    public let notes: [String]
    public let spec: MigrationSpec
    let namespace: String?
    let format: MigrationImporter.Format

    /// The manifest, with what a person should know at its top.
    public func manifest() throws -> String {
        struct Manifest: Encodable {
            struct Metadata: Encodable {
                var name: String
                var namespace: String?
            }

            var apiVersion = "sluice.dev/v1alpha1"
            var kind = "Migration"
            var metadata: Metadata
            var spec: MigrationSpec
        }
        let body = try YAMLEncoder().encode(
            Manifest(metadata: .init(name: name, namespace: namespace), spec: spec))
        return header.map { $0.isEmpty ? "#\n" : "# \($0)\n" }.joined() + body
    }

    private var header: [String] {
        let file = source.split(separator: "/").last.map(String.init) ?? source
        var lines = ["Made by sluice import of \(file.replacing("\n", with: " "))."]
        for note in notes {
            lines += [""] + Self.wrapped("NOTE: " + note, indent: "  ")
        }
        let order =
            format == .pgroll
            ? "pgroll completes a migration before the next one starts"
            : "a file builds on what those before it have made"
        lines += [""]
        lines += Self.wrapped(
            "phase is Contract and dependsOn names the file before this one, for \(order): so they can be run in order, by "
                + "sluice run -f or by the operator. contract says that no workload uses the tables (withoutRollouts) and that "
                + "nothing has to be waited for (soak). CHANGE BOTH where an application uses the database: take out "
                + "withoutRollouts and soak, name its workloads in rollouts, and set phase: Backfill until its old version is "
                + "gone. Contract would take away what that still uses.")
        if spec.database?.urlFrom == nil {
            lines += Self.wrapped("Kubernetes needs spec.database.urlFrom as well; sluice run takes --database-url.")
        }
        return lines
    }

    /// Lines of at most 118 characters.
    private static func wrapped(_ text: String, indent: String = "") -> [String] {
        var lines: [String] = []
        var line = ""
        // Nothing in it may end the comment.
        for word in text.split(whereSeparator: \.isWhitespace) {
            if !line.isEmpty, line.count + word.count + 1 > 118 {
                lines.append(line)
                line = indent + word
            } else {
                line += (line.isEmpty ? "" : " ") + word
            }
        }
        return lines + [line]
    }
}
