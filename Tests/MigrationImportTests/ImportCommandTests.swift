import Foundation
import TestSupport
import Testing

/// `sluice import` as people run it, and the Migrations that it writes, on a database.
@Suite("sluice import")
struct ImportCommandTests {
    @Test("a chain of every operation walks to Contract in order, and back to nothing in the opposite order")
    func library() async throws {
        try await withFolder { folder in
            var paths: [String] = []
            for file in LibraryChain.files {
                paths.append("\(folder)/\(file.name)")
                try Data(file.text.utf8).write(to: URL(fileURLWithPath: paths.last!))
            }
            let said = try await importing("pgroll", paths, to: "\(folder)/out")
            #expect(said.standardOutput.components(separatedBy: "NOTE").count > 8)
            let chain = try WrittenChain(folder: "\(folder)/out")
            #expect(chain.files.count == LibraryChain.files.count)
            try await withTestDatabase { url in
                let before = try await WrittenChain.structure(url)
                for (file, source) in zip(chain.files, LibraryChain.files) {
                    try await chain.run(file, on: url)
                    if let rows = LibraryChain.rows[source.name] { try await Psql.run(rows, on: url) }
                }
                for (query, rows) in LibraryChain.expected { #expect(try await Psql.run(query, on: url) == rows) }
                for file in chain.files.reversed() { try await chain.run(file, to: "Initial", on: url) }
                #expect(try await WrittenChain.structure(url) == before)
            }
        }
    }

    /// pgroll's own examples, where somebody has them: a folder of its `examples`, of which the first 36 are taken.
    private static let corpus: String? = {
        let given = ProcessInfo.processInfo.environment["SLUICE_PGROLL_CORPUS"] ?? ""
        let folder = given.isEmpty ? "../shared/corpus/pgroll" : given
        return FileManager.default.fileExists(atPath: folder) ? folder : nil
    }()

    /// One of them adds columns to a table that another drops: its archive has to be gone first, so that there is no way back
    /// past it. All others come back.
    @Test("pgroll's examples walk to Contract in order, and back", .enabled(if: corpus != nil), .timeLimit(.minutes(5)))
    func examples() async throws {
        let folder = try #require(Self.corpus)
        let names = try FileManager.default.contentsOfDirectory(atPath: folder).filter { $0.hasSuffix(".yaml") }
            .sorted()
        try await withFolder { output in
            _ = try await importing("pgroll", names.prefix(36).map { "\(folder)/\($0)" }, to: output)
            let chain = try WrittenChain(folder: output)
            try await withTestDatabase { url in
                for file in chain.files { try await chain.run(file, on: url) }
                let lasting = chain.files.filter { $0.hasPrefix("02-") || $0.hasPrefix("03-") }
                for file in chain.files.reversed() where !lasting.contains(file) {
                    try await chain.run(file, to: "Initial", on: url)
                }
                let stalled = try await chain.attempt(lasting[1], to: "Initial", on: url)
                #expect(stalled.status == 1)
                #expect(stalled.standardOutput.contains("NotReversible"))
                // As if there had only ever been those two.
                try await withTestDatabase { other in
                    // The first they name in dependsOn.
                    for file in [chain.files[0]] + lasting { try await chain.run(file, on: other) }
                    try await chain.run(chain.files[0], to: "Initial", on: other)
                    #expect(try await WrittenChain.structure(url) == WrittenChain.structure(other))
                }
            }
        }
    }

    @Test("plain SQL walks to Contract in order, and back to nothing in the opposite order")
    func sql() async throws {
        let files = [
            """
            CREATE TABLE people (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, name text NOT NULL, age varchar(3));
            CREATE TABLE pets (id int PRIMARY KEY, owner bigint, CHECK (id > 0));
            ALTER TABLE pets ADD CONSTRAINT of_owner FOREIGN KEY (owner) REFERENCES people (id) ON DELETE CASCADE;
            CREATE UNIQUE INDEX CONCURRENTLY people_name ON people (lower(name) DESC) WHERE age IS NOT NULL;
            COMMENT ON TABLE people IS 'who; and what';
            """,
            """
            ALTER TABLE people ALTER age TYPE int USING age::int, ADD note text DEFAULT '-' NOT NULL CHECK (note <> '');
            """,
            "ALTER TABLE pets ALTER owner SET NOT NULL;",
            "ALTER TABLE people RENAME note TO remark; DROP INDEX people_name;",
            "ALTER TABLE pets DROP CONSTRAINT of_owner;", "ALTER TABLE pets RENAME TO animals;", "DROP TABLE animals;",
        ]
        try await withFolder { folder in
            let paths = try files.enumerated().map { index, text in
                let path = "\(folder)/V\(index + 1)__step.sql"
                try Data(text.utf8).write(to: URL(fileURLWithPath: path))
                return path
            }
            _ = try await importing("sql", paths, to: "\(folder)/out")
            let chain = try WrittenChain(folder: "\(folder)/out")
            try await withTestDatabase { url in
                let before = try await WrittenChain.structure(url)
                try await chain.run(chain.files[0], on: url)
                try await Psql.run("INSERT INTO people (name, age) VALUES ('Ada', '36')", on: url)
                for file in chain.files.dropFirst() { try await chain.run(file, on: url) }
                #expect(try await Psql.run("SELECT age + 1, remark FROM people", on: url) == "37|-")
                for file in chain.files.reversed() { try await chain.run(file, to: "Initial", on: url) }
                #expect(try await WrittenChain.structure(url) == before)
            }
        }
    }

    @Test("what keeps no archive is done with in one run, and whoever waits for that begins")
    func withoutArchive() async throws {
        let files = [
            "CREATE TABLE t (id int PRIMARY KEY, c text)", "ALTER TABLE t ALTER c TYPE varchar(9)", "DROP TABLE t",
        ]
        try await withFolder { folder in
            let paths = try files.enumerated().map { index, text in
                let path = "\(folder)/\(index).sql"
                try Data(text.utf8).write(to: URL(fileURLWithPath: path))
                return path
            }
            let said = try await importing("sql", paths, to: "\(folder)/out")
            #expect(said.standardOutput.contains("no way back"))
            let chain = try WrittenChain(folder: "\(folder)/out")
            try await withTestDatabase { url in
                for file in chain.files { try await chain.run(file, on: url) }
                #expect(try await Psql.run("SELECT to_regclass('t') IS NULL", on: url) == "t")
                let back = try await chain.attempt(chain.files[1], to: "Initial", on: url)
                #expect(back.status == 1)
                #expect(back.standardOutput.contains("NotReversible"))
            }
        }
    }

    @Test("nothing is written over, unless it is said, and nothing half")
    func force() async throws {
        try await withFolder { folder in
            let good = "\(folder)/a.sql"
            let bad = "\(folder)/b.sql"
            let out = "\(folder)/out"
            try Data("DROP TABLE t".utf8).write(to: URL(fileURLWithPath: good))
            try Data("DROP TABLE u;\nDROP VIEW v".utf8).write(to: URL(fileURLWithPath: bad))

            let refused = try await runSluice("import", "sql", good, bad, "-o", out)
            #expect(refused.status == 1)
            #expect(refused.standardError.contains("Error: \(bad):2:6: statement 2: DROP VIEW"))
            #expect(refused.standardError.contains("Nothing was written"))
            #expect(!FileManager.default.fileExists(atPath: out))

            _ = try await importing("sql", [good], to: out)
            let written = try String(contentsOfFile: "\(out)/a.yaml", encoding: .utf8)
            try Data("DROP TABLE other".utf8).write(to: URL(fileURLWithPath: good))
            try Data("DROP TABLE u".utf8).write(to: URL(fileURLWithPath: bad))
            let present = try await runSluice("import", "sql", bad, good, "-o", out)
            #expect(present.status == 64)
            #expect(present.standardError.contains("a.yaml is there already"))
            #expect(try String(contentsOfFile: "\(out)/a.yaml", encoding: .utf8) == written)
            #expect(try FileManager.default.contentsOfDirectory(atPath: out) == ["a.yaml"])

            let forced = try await runSluice("import", "sql", bad, good, "-o", out, "--force")
            #expect(forced.status == 0, "\(forced)")
            #expect(try String(contentsOfFile: "\(out)/a.yaml", encoding: .utf8).contains("dropTable: {table: other}"))
            #expect(try FileManager.default.contentsOfDirectory(atPath: out).sorted() == ["a.yaml", "b.yaml"])
        }
    }

    @Test("a plan is printed as YAML, too")
    func plan() async throws {
        try await withTestDatabase { url in
            try await Psql.run("CREATE TABLE t (id int PRIMARY KEY, a text)", on: url)
            let manifest = """
                apiVersion: sluice.dev/v1alpha1
                kind: Migration
                metadata: {name: x}
                spec: {changes: [{addColumn: {table: t, column: {name: b, type: text}, forward: upper(a)}}]}
                """
            let output = try await runSluice(
                "plan", "-f", "-", "-o", "yaml", environment: ["SLUICE_DATABASE_URL": url], input: manifest)
            #expect(output.status == 0, "\(output)")
            #expect(output.standardOutput.contains("- phase: Expand\n"), "\(output.standardOutput)")
            #expect(output.standardOutput.hasPrefix("planHash: sha256:"))
        }
    }
}
