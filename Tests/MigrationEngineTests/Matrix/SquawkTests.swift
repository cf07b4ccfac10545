import Foundation
import MigrationEngine
import SchemaChange
import TestSupport
import Testing

/// A linter of others looks at every statement that the scenarios' plans have, forwards and backwards.
@Suite("Squawk")
struct SquawkTests {
    /// What it finds and is meant so, by rule; docs/changes.md gives the reasons.
    static let meant: Set<String> = [
        "require-statement-timeout", "ban-drop-column", "ban-drop-table", "ban-drop-default", "ban-drop-function",
        "ban-drop-constraint", "ban-drop-not-null", "ban-alter-identity", "renaming-column", "renaming-object",
        "renaming-table", "adding-not-nullable-field", "adding-field-with-default", "prefer-robust-stmts",
        "prefer-bigint-over-int", "prefer-text-field", "ban-drop-view",
    ]

    private struct Finding: Decodable {
        let file: String
        let rule_name: String
        let message: String
    }

    /// The statements of a step that run together.
    private struct Script {
        let isTransaction: Bool
        let statements: [String]
    }

    @Test("finds nothing in the statements of the matrix but what is meant")
    func nothing() async throws {
        let scenarios = Scenario.all.filter { scenario in
            // The statements of `sql` are the user's.
            !scenario.changes.contains { if case .sql = $0 { true } else { false } }
        }
        let folder = try TestServers.folder + "/" + uniqueName("squawk")
        try await EvolvingDatabase.with("") { database in
            for isTransaction in [true, false] {
                let folder = folder + (isTransaction ? "/transactions" : "/statements")
                try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
            }
            for (index, scenario) in scenarios.enumerated() {
                let schema = "s\(index)"
                try await database.sql("CREATE SCHEMA \(schema); SET search_path = \(schema); \(scenario.setUp)")
                var spec = EvolvingDatabase.spec(scenario.changes)
                spec.database = DatabaseReference(schema: schema)
                let plan = try await database.engine.plan(
                    MigrationName(namespace: "shop", name: schema), spec: spec)
                for (number, script) in (plan.steps + plan.purge).flatMap(Self.scripts).enumerated() {
                    let place = script.isTransaction ? "transactions" : "statements"
                    // As our sessions have it from their beginning.
                    let text = (["SET lock_timeout = '200ms'"] + script.statements).map { $0 + ";\n" }.joined()
                    try Data(text.utf8).write(
                        to: URL(fileURLWithPath: "\(folder)/\(place)/\(scenario.description) \(number).sql"))
                }
            }
        }
        let findings =
            try await Self.squawk(folder + "/transactions", ["--assume-in-transaction"])
            + Self.squawk(folder + "/statements", [])
        let unmeant = findings.filter { !Self.meant.contains($0.rule_name) }
        #expect(
            unmeant.isEmpty, "\(unmeant.map { "\($0.rule_name) in \($0.file): \($0.message)" }.joined(separator: "\n"))"
        )
        #expect(Set(findings.map(\.rule_name)) == Self.meant, "what is not found any more need not be meant")
        let reasons = try String(contentsOfFile: TestServers.scripts + "/../docs/changes.md", encoding: .utf8)
        for rule in Self.meant { #expect(reasons.contains("`\(rule)`"), "\(rule) has no reason") }
    }

    @Test("would find a statement that is not safe")
    func bites() async throws {
        let folder = try TestServers.folder + "/" + uniqueName("squawk")
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        try Data("ALTER TABLE items ALTER COLUMN a TYPE bigint; CREATE INDEX i ON items (a);".utf8)
            .write(to: URL(fileURLWithPath: folder + "/1.sql"))
        let rules = Set(try await Self.squawk(folder, []).map(\.rule_name))
        #expect(rules.isSuperset(of: ["changing-column-type", "require-concurrent-index-creation"]), "\(rules)")
    }

    private static func scripts(_ step: Step) -> [Script] {
        switch step.action {
        case .statements(let apply, let revert):
            return [apply, revert ?? []].filter { !$0.isEmpty }.map { Script(isTransaction: true, statements: $0) }
        case .concurrently(let apply, let revert):
            return (apply + revert).map { Script(isTransaction: false, statements: [$0]) }
        case .buildIndex(let index), .dropIndex(let index):
            // Of a partitioned table there is no other way to drop one.
            return ([index.create] + (index.partitions == nil ? index.drop : [])).map {
                Script(isTransaction: false, statements: [$0])
            }
                + [index.finish, index.unfinish].filter { !$0.isEmpty }
                .map { Script(isTransaction: true, statements: $0) }
        case .clearIndex, .declaration, .backfill, .fillMove, .check, .verify:
            return []
        }
    }

    private static func squawk(_ folder: String, _ options: [String]) async throws -> [Finding] {
        let python = try await Program.output(
            TestServers.scripts + "/python-tools", [TestServers.scripts + "/../Tests/Python/squawk.txt"],
            within: .seconds(300))
        let output = try await Program.run(
            URL(fileURLWithPath: python).deletingLastPathComponent().path + "/squawk",
            ["--reporter", "json", "--pg-version", "15", folder + "/*.sql"] + options)
        return try JSONDecoder().decode([Finding].self, from: Data(output.standardOutput.utf8))
    }
}
