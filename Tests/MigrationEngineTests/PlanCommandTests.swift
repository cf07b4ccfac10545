import Foundation
import MigrationEngine
import SchemaChange
import TestSupport
import Testing

/// `sluice lint` and `sluice plan`, as a person runs them.
@Suite("what is said before anything is done")
struct PlanCommandTests {
    private static let table = """
        CREATE TABLE t (id bigint PRIMARY KEY, name text DEFAULT 'nobody', n int);
        INSERT INTO t SELECT i, CASE WHEN i % 100 = 0 THEN 'a b c' ELSE 'x y' END, i FROM generate_series(1, 4000) i;
        ANALYZE t;
        """
    private static let manifest = """
        apiVersion: sluice.dev/v1alpha1
        kind: Migration
        metadata: {name: a, namespace: shop}
        spec:
          changes:
          - replaceColumns:
              table: t
              from: [name]
              to: [{name: first, type: text}, {name: last, type: text}]
              forward: {first: "split_part(name, ' ', 1)", last: "split_part(name, ' ', 2)"}
              backward: {name: "first || ' ' || last"}
        """
    private static let index = """
        apiVersion: sluice.dev/v1alpha1
        kind: Migration
        metadata: {name: b}
        spec:
          changes:
          - sql:
              tables: [big]
              expand:
              - SELECT 1
              - |
                CREATE INDEX big_a ON big (a)
              rollback: [DROP INDEX big_a]
        """

    private func run(_ arguments: String..., input: String = manifest, on url: String) async throws -> Program.Output {
        try await Program.run(
            TestServers.sluice, arguments, environment: ["SLUICE_DATABASE_URL": url], input: input, within: .seconds(60)
        )
    }

    private struct Preview: Decodable {
        struct Step: Decodable {
            var id, work, undo: String
            var lock, maxLockWait: String?
        }
        struct Phase: Decodable {
            var phase: String
            var steps: [Step]
        }
        struct Estimate: Decodable {
            var rows, sampledRows, walBytes, diskBytes: Int64
            var rowBytes, addedBytes, seconds: Double
            var fillfactor: Int?
        }
        struct Found: Decodable { var code, severity, path, message: String }
        var planHash: String
        var phases: [Phase]
        var estimates: [Estimate]
        var findings: [Found]
    }

    @Test("of a Migration that is under way, plan tells the plan that is in force")
    func inForce() async throws {
        let manifest = Self.manifest.replacing(
            "- replaceColumns:", with: "- alterColumn: {table: t, column: n, type: bigint}\n  - replaceColumns:")
        try await EvolvingDatabase.with(Self.table) { database in
            let before = try await run("plan", "-f", "-", input: manifest, on: database.url)
            #expect(before.status == 0, "\(before)")
            let walked = try await run("run", "-f", "-", "--phase", "DualWrite", input: manifest, on: database.url)
            #expect(walked.status == 0, "\(walked)")
            let plan = try await run("plan", "-f", "-", input: manifest, on: database.url)
            #expect(plan.status == 0, "\(plan)")
            let lines = plan.standardOutput.split(separator: "\n")
            #expect(lines.first == before.standardOutput.split(separator: "\n").first)
            #expect(lines.dropFirst().first == "pinned, and in force: it stands at DualWrite")
        }
    }

    @Test("plan tells locks, work, undoing, estimates, and what the database adds; and changes nothing")
    func plan() async throws {
        try await EvolvingDatabase.with(
            Self.table + """
                CREATE FUNCTION everything() RETURNS SETOF t LANGUAGE sql AS 'SELECT * FROM t';
                CREATE FUNCTION nothing() RETURNS bigint LANGUAGE sql AS 'SELECT count(id) FROM t';
                CREATE PUBLICATION p FOR TABLE t;
                ALTER TABLE t ENABLE ROW LEVEL SECURITY;
                """
        ) { database in
            let before = try await database.structure()
            let output = try await run("plan", "-f", "-", "-o", "json", on: database.url)
            #expect(output.status == 0, "\(output.standardError)")
            let preview = try JSONDecoder().decode(Preview.self, from: Data(output.standardOutput.utf8))
            #expect(preview.phases.map(\.phase) == ["Expand", "DualWrite", "Backfill", "Contract"])
            let steps = preview.phases.flatMap(\.steps)
            let fill = try #require(steps.first { $0.id == "backfill/0/fill" })
            #expect(fill.work == "writesRows" && fill.undo == "stays" && fill.lock == nil)
            let add = try #require(steps.first { $0.id == "expand/0/add-columns" })
            #expect(add.work == "catalog" && add.lock == "ACCESS EXCLUSIVE" && add.maxLockWait == "200ms")
            #expect(!steps.contains { ["rewrites", "scansLocked"].contains($0.work) })
            let estimate = try #require(preview.estimates.first)
            #expect(estimate.rows == 4000 && estimate.sampledRows == 4000)
            // Two short texts, and a row of a number, a text and a number.
            #expect((2...20).contains(estimate.addedBytes) && (30...80).contains(estimate.rowBytes))
            #expect(estimate.walBytes > 4000 * 60 && estimate.diskBytes > 4000 * 40 && estimate.seconds < 60)
            func found(_ code: String) -> String { preview.findings.first { $0.code == code }?.message ?? "" }
            #expect(found("RoundTripLoses").contains("40 of 4000") && found("RoundTripLoses").contains("100"))
            #expect(found("ExplicitNull").hasPrefix("name has a default"))
            #expect(
                found("PositionalConsumers").contains("everything()")
                    && !found("PositionalConsumers").contains("nothing"))
            #expect(found("LogicalReplication").contains("publication p"))
            #expect(!found("RowSecurity").isEmpty)
            #expect(found("Pooler").isEmpty)
            #expect(try await database.structure() == before)
            #expect(try await database.sql("SELECT count(*) FROM pg_namespace WHERE nspname = 'sluice'") == "0")
        }
    }

    @Test("plan says with what fillfactor more rows would stay on their pages, unless the table has it, or is small")
    func fillfactor() async throws {
        func suggested(_ options: String, rows: Int) async throws -> Int? {
            var found: Int?
            try await EvolvingDatabase.with(
                """
                CREATE TABLE t (id bigint PRIMARY KEY, name text, filler text) WITH (\(options));
                INSERT INTO t SELECT i, 'first' || i || ' last', repeat('x', 400) FROM generate_series(1, \(rows)) i;
                """
            ) { database in
                let output = try await run("plan", "-f", "-", "-o", "json", on: database.url)
                #expect(output.status == 0, "\(output.standardError)")
                let preview = try JSONDecoder().decode(Preview.self, from: Data(output.standardOutput.utf8))
                found = try #require(preview.estimates.first).fillfactor
            }
            return found
        }
        // A quarter of the rows at a time, each a little longer than before.
        let value = try #require(try await suggested("fillfactor = 100", rows: 50_000))
        #expect((76...79).contains(value))
        let withRoom = try await suggested("fillfactor = \(value)", rows: 50_000)
        #expect(withRoom == nil)
        let small = try await suggested("fillfactor = 100", rows: 5000)
        #expect(small == nil)
    }

    @Test("a table without such traits has no such findings, and a row that fails is told")
    func quiet() async throws {
        try await EvolvingDatabase.with(
            "CREATE TABLE t (id bigint PRIMARY KEY, name text); INSERT INTO t VALUES (7, 'x y')"
        ) { database in
            let output = try await run("plan", "-f", "-", on: database.url)
            #expect(output.status == 0 && !output.standardOutput.contains("\nFindings"), "\(output.standardOutput)")
            #expect(output.standardOutput.contains("waits at most 200ms"))
            let failing = Self.manifest.replacing("split_part(name, ' ', 2)", with: "(1 / (length(name) - 3))::text")
            let failed = try await run("plan", "-f", "-", input: failing, on: database.url)
            #expect(failed.standardOutput.contains("[RowFails]") && failed.standardOutput.contains("22012"))
        }
    }

    @Test("Markdown is a table that nobody's text breaks")
    func markdown() async throws {
        try await EvolvingDatabase.with(
            "CREATE TABLE t (id bigint PRIMARY KEY, name text); INSERT INTO t VALUES (7, 'x y')"
        ) { database in
            let change = """
                  - alterColumn: {table: t, column: name, to: {name: "a|b @all", type: text}, forward: name, backward: '"a|b @all"'}
                """
            let start = try #require(Self.manifest.range(of: "  - replaceColumns"))
            let manifest = String(Self.manifest[..<start.lowerBound]) + change
            let output = try await run("plan", "-f", "-", "-o", "markdown", input: manifest, on: database.url)
            #expect(output.standardOutput.hasPrefix("### Migration shop/a\n"), "\(output.standardOutput)")
            #expect(output.standardOutput.contains("\n```sql\n") && output.standardOutput.contains("</details>"))
            let rows = output.standardOutput.split(separator: "\n").filter { $0.hasPrefix("| ") }
            #expect(!rows.isEmpty && rows.allSatisfy { $0.hasSuffix(" |") })
            #expect(output.standardOutput.contains("adding a\\|b &#64;all to public.t"))
        }
    }

    @Test("an error of lint stops plan and run alike, unless the table is small or somebody accepts it")
    func errors() async throws {
        try await EvolvingDatabase.with("CREATE TABLE big (a int)") { database in
            #expect(try await run("plan", "-f", "-", input: Self.index, on: database.url).status == 0)
            try await database.sql("INSERT INTO big SELECT * FROM generate_series(1, 40000)")
            let plan = try await run("plan", "-f", "-", input: Self.index, on: database.url)
            #expect(
                plan.status == 1 && plan.standardOutput.contains("error: changes[0].sql.expand[1]"),
                "\(plan.standardOutput)")
            let before = try await database.structure()
            let stopped = try await run("run", "-f", "-", "--phase", "Expand", input: Self.index, on: database.url)
            #expect(stopped.status == 1)
            #expect(
                stopped.standardError.contains("CreateIndexLocks") && stopped.standardError.contains("use createIndex"))
            #expect(try await database.structure() == before)
            let accepted = Self.index.replacing("  changes:", with: "  lint: {allow: [CreateIndexLocks]}\n  changes:")
            let done = try await run("run", "-f", "-", "--phase", "Expand", input: accepted, on: database.url)
            #expect(done.status == 0, "\(done.standardError)")
        }
    }

    @Test("a step that is there for the way back is shown with what it does there")
    func wayBack() async throws {
        let manifest = """
            apiVersion: sluice.dev/v1alpha1
            kind: Migration
            metadata: {name: a}
            spec:
              changes:
              - alterColumn: {table: parent, column: id, type: bigint}
            """
        let tables = """
            CREATE TABLE parent (id int PRIMARY KEY); CREATE TABLE child (id int PRIMARY KEY, parent int REFERENCES parent);
            """
        try await EvolvingDatabase.with(tables) { database in
            let text = try await run("plan", "-f", "-", input: manifest, on: database.url).standardOutput
            let forBack = text.components(separatedBy: "nothing on the way forwards; on the way back:\n      ")
            #expect(forBack.count > 5, "\(text)")
            // Each step but the comparison has a statement before what is said of it.
            let phases = try #require(text.components(separatedBy: "\nBackfill, estimated").first)
            let steps = phases.components(separatedBy: "\n  - ").dropFirst().map { $0.split(separator: "\n") }
            let silent = steps.filter { $0[1].hasPrefix("      (") }.map { $0[0] }
            #expect(silent == ["comparing every row"])
            let markdown = try await run("plan", "-f", "-", "-o", "markdown", input: manifest, on: database.url)
            #expect(
                markdown.standardOutput.components(separatedBy: "-- on the way back: ").count == forBack.count)
            let wrong = manifest.replacing("spec:", with: "spec:\n  phase: Contracted")
            for command in ["plan", "run"] {
                let refused = try await run(command, "-f", "-", input: wrong, on: database.url)
                #expect(refused.status == 64)
                #expect(
                    refused.standardError.contains("spec.phase") || refused.standardError.contains("phase: "))
                #expect(refused.standardError.contains("none of Initial, Expand, DualWrite, Backfill, Contract"))
            }
        }
    }

    @Test("a table that has no column numbers left is an error before anything is done")
    func attributeNumbers() async throws {
        try await EvolvingDatabase.with("CREATE TABLE t (id bigint PRIMARY KEY, name text)") { database in
            try await database.sql(
                """
                DO $$ BEGIN FOR i IN 1..1596 LOOP
                    EXECUTE 'ALTER TABLE t ADD COLUMN x int'; EXECUTE 'ALTER TABLE t DROP COLUMN x';
                END LOOP; END $$
                """)
            let output = try await run("plan", "-f", "-", on: database.url)
            #expect(output.status == 1)
            #expect(output.standardOutput.contains("has used 1598 of 1600 column numbers, and 3 more are needed"))
        }
    }

    @Test("lint needs no database, and names file, line and column")
    func lint() async throws {
        let text = "kind: Secret\napiVersion: v1\n---\n" + Self.manifest + "\n---\n" + Self.index
        let output = try await runSluice("lint", "-f", "-", input: text)
        #expect(output.status == 1)
        #expect(
            output.standardOutput.contains("-:25:9: error: changes[0].sql.expand[1]: nobody may write big"),
            "\(output.standardOutput)")
        #expect(output.standardOutput.hasSuffix("2 Migrations: 1 error, 1 warning, 0 info\n"))
        let good = try await runSluice("lint", "-f", "-", input: Self.manifest)
        #expect(good.status == 0 && good.standardOutput == "1 Migration: 0 errors, 0 warnings, 0 info\n")
        let slip = try await runSluice(
            "lint", "-f", "-", "-o", "json", input: Self.manifest.replacing("from:", with: "form:"))
        #expect(slip.status == 1 && slip.standardOutput.contains("\"code\" : \"UnreadableManifest\""))
        #expect(slip.standardOutput.contains("\"line\" : 7"), "\(slip.standardOutput)")
        let phase = try await runSluice(
            "lint", "-f", "-", input: Self.manifest.replacing("spec:", with: "spec:\n  phase: Backfil"))
        #expect(
            phase.standardOutput.contains(
                "\"Backfil\" is none of Initial, Expand, DualWrite, Backfill, Contract; give one of these"),
            "\(phase.standardOutput)")
        let none = try await runSluice("lint", "-f", "-", input: "kind: Secret\napiVersion: v1\n")
        #expect(none.status == 64 && none.standardError.contains("there is no Migration"))
    }

    @Test("SARIF has a rule, a level and a place for each result")
    func sarif() async throws {
        let output = try await runSluice(
            "lint", "-f", "-", "-o", "sarif", input: Self.index.replacing("rollback:", with: "contract:"))
        #expect(output.status == 1)
        let sarif = try #require(
            try JSONSerialization.jsonObject(with: Data(output.standardOutput.utf8)) as? [String: Any])
        #expect(sarif["version"] as? String == "2.1.0")
        let run = try #require((sarif["runs"] as? [[String: Any]])?.first)
        let results = try #require(run["results"] as? [[String: Any]])
        let driver = (run["tool"] as? [String: Any])?["driver"] as? [String: Any]
        let rules = Set((driver?["rules"] as? [[String: Any]] ?? []).compactMap { $0["id"] as? String })
        #expect(results.compactMap { $0["ruleId"] as? String }.allSatisfy(rules.contains))
        #expect(Set(results.compactMap { $0["level"] as? String }) == ["error", "warning"])
        #expect(output.standardOutput.contains("\"startLine\" : 10"), "\(output.standardOutput)")
    }
}
