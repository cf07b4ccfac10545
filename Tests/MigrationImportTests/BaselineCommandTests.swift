import Foundation
import TestSupport
import Testing

/// `sluice baseline`, and `sluice run` of a whole history on a fresh database.
@Suite("a database that is there already, and a fresh one")
struct BaselineCommandTests {
    /// A folder with a chain of every operation that is imported.
    private func withChain(_ body: (WrittenChain) async throws -> Void) async throws {
        try await withFolder { folder in
            var paths: [String] = []
            for file in LibraryChain.files {
                paths.append("\(folder)/\(file.name)")
                try Data(file.text.utf8).write(to: URL(fileURLWithPath: paths.last!))
            }
            _ = try await importing("pgroll", paths, to: "\(folder)/out")
            try await body(try WrittenChain(folder: "\(folder)/out"))
        }
    }

    private func sluice(_ arguments: String..., on url: String) async throws -> Program.Output {
        try await Program.run(
            TestServers.sluice, arguments, environment: ["SLUICE_DATABASE_URL": url], within: .seconds(120))
    }

    private static let shape = """
        SELECT table_name, column_name, data_type, is_nullable, column_default FROM information_schema.columns
        WHERE table_schema = 'public' ORDER BY 1, 2
        """

    @Test("a history is replayed at once; what it made is recognised elsewhere, entered, and done with")
    func replayAndBaseline() async throws {
        try await withChain { chain in
            try await withTestDatabase { url in
                let replayed = try await sluice("run", "-f", chain.folder, "--fresh", on: url)
                #expect(replayed.status == 0, "\(replayed)")
                let kept = """
                    SELECT string_agg(attrelid::regclass || '.' || attname, ', ') FROM pg_attribute
                    JOIN pg_class c ON c.oid = attrelid
                    WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace AND attname ~ '^sluice_' AND NOT attisdropped
                    """
                let archived = try await Psql.run(kept, on: url)
                #expect(archived == "")
                let states =
                    "SELECT count(*), count(*) FILTER (WHERE purged AND phase = 'Contract') FROM sluice.migration"
                let all = "\(chain.files.count)|\(chain.files.count)"
                #expect(try await Psql.run(states, on: url) == all)
                let again = try await sluice("run", "-f", chain.folder, "--fresh", on: url)
                #expect(again.status == 0, "\(again)")

                let structure = try await WrittenChain.structure(url)
                try await withTestDatabase { other in
                    try await Psql.run(structure, on: other)
                    try await Psql.run("SET search_path = public; CREATE SCHEMA apart", on: other)
                    let look = try await sluice("baseline", "-f", chain.folder, "--dry-run", on: other)
                    #expect(look.status == 0, "\(look)")
                    #expect(try await Psql.run("SELECT to_regnamespace('sluice') IS NULL", on: other) == "t")

                    let entered = try await sluice("baseline", "-f", chain.folder, on: other)
                    #expect(entered.status == 0, "\(entered)")
                    #expect(try await Psql.run(states, on: other) == all)
                    let known = try await sluice("baseline", "-f", chain.folder, on: other)
                    #expect(
                        known.standardOutput.components(separatedBy: "known already").count == chain.files.count + 1)

                    // Nothing is done again, and nothing can be undone.
                    let shape = try await Psql.run(Self.shape, on: other)
                    let run = try await sluice("run", "-f", chain.folder, on: other)
                    #expect(run.status == 0, "\(run)")
                    #expect(run.standardOutput.contains("no row was compared"))
                    #expect(try await Psql.run(Self.shape, on: other) == shape)
                    let back = try await chain.attempt(chain.files[0], to: "Initial", on: other)
                    #expect(back.status == 1)
                    #expect(back.standardOutput.contains("NotReversible"))
                    let proof = try await sluice("verify", "-f", "\(chain.folder)/\(chain.files[0])", on: other)
                    #expect(proof.status == 0, "\(proof)")
                }
            }
        }
    }

    @Test("whatever is not as it would be is named, and then nothing is entered")
    func differences() async throws {
        let manifests = """
            apiVersion: sluice.dev/v1alpha1
            kind: Migration
            metadata: {name: second}
            spec:
              phase: Contract
              dependsOn: [first]
              changes:
              - renameColumn: {table: t, column: b, to: c}
              - alterColumn: {table: t, column: n, type: bigint}
              - dropTable: {table: gone}
              - createIndex: {table: t, name: t_c, columns: [{column: c}]}
              - addEnumValue: {type: mood, value: glad}
              - setComment: {table: t, comment: hers}
            ---
            apiVersion: v1
            kind: ConfigMap
            metadata: {name: passed-over}
            ---
            apiVersion: sluice.dev/v1alpha1
            kind: Migration
            metadata: {name: first}
            spec:
              phase: Contract
              changes:
              - createTable:
                  table: t
                  columns: [{name: id, type: bigint}, {name: b, type: "numeric(9,2)"}, {name: n, type: int}]
                  primaryKey: [id]
              - createTable: {table: gone, columns: [{name: id, type: bigint}]}
              - addConstraint: {table: t, name: positive, check: n > 0}
            """
        try await withFolder { folder in
            let path = "\(folder)/chain.yaml"
            try Data(manifests.utf8).write(to: URL(fileURLWithPath: path))
            try await withTestDatabase { url in
                try await Psql.run(
                    """
                    CREATE TYPE mood AS ENUM ('sad'); CREATE TABLE gone (id bigint);
                    CREATE TABLE t (id bigint PRIMARY KEY, b numeric(9,2), n int)
                    """, on: url)
                let output = try await sluice("baseline", "-f", path, on: url)
                #expect(output.status == 1)
                let lines = output.standardOutput.split(separator: "\n").map(String.init)
                #expect(
                    lines == [
                        "not looked at: default/second: changes[5].setComment",
                        "differs: table gone is still there (default/second: changes[2].dropTable)",
                        "differs: t still has column b (default/second: changes[0].renameColumn)",
                        "differs: t has no column c (default/second: changes[0].renameColumn)",
                        "differs: column n of t is integer, not bigint (default/second: changes[1].alterColumn)",
                        "differs: t has no index t_c (default/second: changes[3].createIndex)",
                        "differs: t has no constraint positive (default/first: changes[2].addConstraint)",
                        "differs: mood has no value glad (default/second: changes[4].addEnumValue)",
                        "nothing was entered: the database is not as these Migrations would have left it",
                    ])
                #expect(try await Psql.run("SELECT count(*) FROM sluice.migration", on: url) == "0")

                try await Psql.run(
                    """
                    DROP TABLE gone; ALTER TYPE mood ADD VALUE 'glad'; ALTER TABLE t RENAME b TO c;
                    ALTER TABLE t ALTER n TYPE bigint, ADD CONSTRAINT positive CHECK (n > 0); CREATE INDEX t_c ON t (c)
                    """, on: url)
                let entered = try await sluice("baseline", "-f", path, on: url)
                #expect(
                    entered.standardOutput.hasSuffix("entered: default/first\nentered: default/second\n"), "\(entered)")
            }
        }
    }

    @Test("what is under way, or asks for less, is not taken for done; and a used database is not taken for fresh")
    func refusals() async throws {
        let manifest = """
            apiVersion: sluice.dev/v1alpha1
            kind: Migration
            metadata: {name: a}
            spec: {changes: [{addColumn: {table: t, column: {name: b, type: text}}}], phase: PHASE}
            """
        try await withFolder { folder in
            let path = "\(folder)/a.yaml"
            func write(_ phase: String) throws {
                let text = manifest.replacingOccurrences(of: "PHASE", with: phase)
                try Data(text.utf8).write(to: URL(fileURLWithPath: path))
            }
            try await withTestDatabase { url in
                try await Psql.run("CREATE TABLE t (id bigint PRIMARY KEY, filler text)", on: url)
                try write("Expand")
                #expect(try await sluice("run", "-f", path, on: url).status == 0)
                let early = try await sluice("baseline", "-f", path, on: url)
                #expect(early.status == 1)
                #expect(early.standardOutput.contains("set phase: Contract"))
                try write("Contract")
                let underWay = try await sluice("baseline", "-f", path, on: url)
                #expect(underWay.status == 1)
                #expect(underWay.standardOutput.contains("on its way in this database, at Expand"))

                try await Psql.run(
                    "INSERT INTO t SELECT i, repeat('x', 1000) FROM generate_series(1, 2000) i", on: url)
                let used = try await sluice("run", "-f", path, "--fresh", on: url)
                #expect(used.status != 0)
                #expect(used.standardError.contains("public.t holds"), "\(used)")
                #expect(used.standardError.contains("no fresh database"))
            }
        }
    }
}
