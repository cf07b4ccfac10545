import Foundation
import SchemaChange

/// The Static Analysis Results Interchange Format, as GitHub and GitLab take it up:
/// <https://docs.oasis-open.org/sarif/sarif/v2.1.0/sarif-v2.1.0.html>.
struct SARIF: Encodable {
    struct Text: Encodable { var text: String }

    struct Rule: Encodable {
        struct Configuration: Encodable { var level: String }
        var id: String
        var shortDescription: Text
        var defaultConfiguration: Configuration
    }

    struct Location: Encodable {
        struct Artifact: Encodable { var uri: String }
        struct Region: Encodable { var startLine, startColumn: Int }
        struct Physical: Encodable {
            var artifactLocation: Artifact
            var region: Region
        }
        struct Logical: Encodable { var fullyQualifiedName: String }
        var physicalLocation: Physical
        var logicalLocations: [Logical]
    }

    struct Result: Encodable {
        var ruleId: String
        var level: String
        var message: Text
        var locations: [Location]
    }

    struct Driver: Encodable {
        var name = "sluice"
        var version = Sluice.version
        var rules: [Rule]
    }

    struct Tool: Encodable { var driver: Driver }

    struct Run: Encodable {
        var tool: Tool
        var columnKind = "unicodeCodePoints"
        var results: [Result]
    }

    let schema = "https://json.schemastore.org/sarif-2.1.0.json"
    let version = "2.1.0"
    let runs: [Run]

    private enum CodingKeys: String, CodingKey {
        case schema = "$schema"
        case version, runs
    }
}

extension LintReport {
    var sarif: SARIF {
        let rules = Set(findings.map(\.finding.code)).sorted().map { code in
            SARIF.Rule(
                id: code,
                shortDescription: .init(text: LintCode(rawValue: code)?.remedy ?? code),
                defaultConfiguration: .init(level: (LintCode(rawValue: code)?.severity ?? .error).level))
        }
        let results = findings.map { placed in
            SARIF.Result(
                ruleId: placed.finding.code,
                level: placed.finding.severity.level,
                message: .init(text: placed.finding.description),
                locations: [
                    .init(
                        physicalLocation: .init(
                            artifactLocation: .init(uri: Self.uri(of: placed.file)),
                            region: .init(startLine: placed.line, startColumn: placed.column)),
                        logicalLocations: [.init(fullyQualifiedName: placed.finding.path)])
                ])
        }
        return SARIF(runs: [.init(tool: .init(driver: .init(rules: rules)), results: results)])
    }

    private static func uri(of path: String) -> String {
        if path.hasPrefix("/") { return URL(fileURLWithPath: path).absoluteString }
        return (path == "-" ? "stdin" : path).addingPercentEncoding(withAllowedCharacters: .urlPathAllowed) ?? path
    }
}

extension Finding.Severity {
    fileprivate var level: String { self == .info ? "note" : rawValue }
}
