import Foundation
import MigrationEngine
import SchemaChange
import TestSupport
import Testing

/// What users get wrong: each is said clearly, changes nothing, and can be mended.
@Suite("bad input")
struct BadInputTests {
    private static let setUp = """
        CREATE TABLE t (id int PRIMARY KEY, a text, n int, made timestamptz DEFAULT '2020-01-01', doubled int
            GENERATED ALWAYS AS (n * 2) STORED);
        INSERT INTO t VALUES (1, 'x', 1), (2, 'y', 2);
        CREATE TABLE keyless (id int, a text);
        CREATE TABLE half_keyed (id int UNIQUE, a text);
        CREATE TABLE told_apart (a int NOT NULL, id int NOT NULL, UNIQUE (a, id));
        CREATE TABLE late_key (id int PRIMARY KEY DEFERRABLE, a text);
        CREATE TABLE partitioned (id int PRIMARY KEY, a text) PARTITION BY RANGE (id);
        CREATE TABLE part PARTITION OF partitioned FOR VALUES FROM (0) TO (10);
        CREATE VIEW seen AS SELECT id, a FROM t;
        CREATE TABLE child (id int PRIMARY KEY, a text, t int REFERENCES t (id));
        """

    private static func add(
        _ name: String = "c",
        to table: String = "t",
        type: String = "text",
        forward: String? = "a"
    ) -> Change {
        .addColumn(AddColumn(table: table, column: NewColumn(name: name, type: type), forward: forward))
    }

    @Test("is refused with its reason and its place, and leaves no trace")
    func refused() async throws {
        let cases: [(Change, [String])] = [
            (Self.add(to: "nothing"), ["UnknownTable: changes[0].addColumn.table", "\"nothing\"", "\"public\""]),
            (
                .dropColumn(DropColumn(table: "t", column: "nothing")),
                ["UnknownColumn: changes[0].dropColumn.column", "id, a, n, made"]
            ),
            (Self.add("a"), ["ColumnExists: changes[0].addColumn.column.name"]),
            (Self.add(forward: "a ||"), ["InvalidExpression: changes[0].addColumn.forward.c", "42601"]),
            (Self.add(forward: "b"), ["InvalidExpression", "\"b\" does not exist"]),
            (Self.add(forward: "nothing(a)"), ["InvalidExpression", "42883"]),
            (Self.add(forward: "concat_ws(' ', a)"), ["InvalidExpression", "not immutable"]),
            (Self.add(type: "timestamptz", forward: "now()"), ["InvalidExpression", "not immutable"]),
            (Self.add(forward: "made::text"), ["InvalidExpression", "not immutable"]),
            (Self.add(forward: "(SELECT 'x')"), ["InvalidExpression", "0A000"]),
            (Self.add(forward: "doubled::text"), ["InvalidExpression", "generated"]),
            (Self.add(type: "int", forward: "a"), ["InvalidExpression", "42804"]),
            (
                Self.add(type: "nothing", forward: nil),
                ["InvalidChange: changes[0].addColumn.column.type", "\"nothing\""]
            ),
            (Self.add(type: "text DEFAULT 'x'", forward: nil), ["InvalidChange: changes[0].addColumn.column.type"]),
            (Self.add(type: "text, DROP COLUMN a", forward: nil), ["InvalidChange: changes[0].addColumn.column.type"]),
            (Self.add(type: "bigserial", forward: nil), ["InvalidChange: changes[0].addColumn.column.type"]),
            (
                .alterColumn(AlterColumn(table: "t", column: "id", nullable: true)),
                ["Dependents: changes[0].alterColumn.nullable", "\"id\" is of the key (id)", "primary key"]
            ),
            (
                .alterColumn(AlterColumn(table: "told_apart", column: "a", nullable: true)),
                ["Dependents: changes[0].alterColumn.nullable", "\"a\" is of the key (a, id)"]
            ),
            (Self.add(to: "keyless"), ["NoUsableKey", "primary key"]),
            (Self.add(to: "half_keyed"), ["NoUsableKey"]),
            (Self.add(to: "late_key"), ["NoUsableKey"]),
            (Self.add(to: "part"), ["UnsupportedTable", "partition of public.partitioned"]),
            (Self.add(to: "seen"), ["UnsupportedTable", "view"]),
            (.dropColumn(DropColumn(table: "child", column: "id")), ["UnsupportedTable", "key"]),
        ]
        try await EvolvingDatabase.with(Self.setUp) { database in
            let before = try await database.structure()
            for (change, parts) in cases {
                let obstacle = try await database.obstacle(EvolvingDatabase.spec([change]), to: .backfill)
                for part in parts { #expect(obstacle.contains(part), "\(obstacle)") }
            }
            #expect(try await database.structure() == before)
            #expect(try await database.sql("SELECT count(*) FROM sluice.migration") == "0")
        }
    }

    // MARK: Two at once

    private static func names(_ name: String) -> MigrationSpec {
        EvolvingDatabase.spec([add(name, forward: "upper(a)")])
    }

    @Test("two migrations of one table go one after the other, and back in the opposite order")
    func queue() async throws {
        try await EvolvingDatabase.with(Self.setUp) { database in
            let before = try await database.structure()
            let second = Self.names("two")
            // It stops on its way to Backfill.
            try await database.sql("UPDATE t SET a = NULL WHERE id = 2")
            let strict = EvolvingDatabase.spec([
                .addColumn(
                    AddColumn(
                        table: "t", column: NewColumn(name: "one", type: "text", nullable: false), forward: "upper(a)")
                )
            ])
            #expect(try await database.obstacle(strict, to: .backfill, name: "first").hasPrefix("Mismatch: "))
            let queued = try await database.obstacle(second, to: .backfill, name: "second")
            #expect(queued.hasPrefix("Queued: shop/first"))
            // One of another table does not wait.
            try await database.walk(EvolvingDatabase.spec([Self.add(to: "child")]), to: .backfill, name: "third")

            try await database.sql("UPDATE t SET a = 'y' WHERE id = 2")
            try await database.walk(strict, to: .backfill, name: "first")
            try await database.walk(second, to: .backfill, name: "second")
            #expect(try await database.sql("SELECT one, two FROM t ORDER BY id") == "X|X\nY|Y")

            #expect(try await database.obstacle(strict, to: .initial, name: "first").hasPrefix("Queued: shop/second"))
            try await database.walk(second, to: .initial, name: "second")
            try await database.walk(strict, to: .initial, name: "first")
            try await database.walk(EvolvingDatabase.spec([Self.add(to: "child")]), to: .initial, name: "third")
            #expect(try await database.structure() == before)
        }
    }

    @Test("a migration that reads what another one's triggers write begins once that one is contracted")
    func sharedColumns() async throws {
        try await EvolvingDatabase.with(Self.setUp) { database in
            let first = EvolvingDatabase.spec([
                .replaceColumns(
                    ReplaceColumns(
                        table: "t",
                        from: ["a"],
                        to: [NewColumn(name: "b", type: "text")],
                        forward: ["b": "upper(a)"],
                        backward: ["a": "lower(b)"]
                    )
                )
            ])
            let second = EvolvingDatabase.spec([Self.add(forward: "b || '!'")])
            try await database.walk(first, to: .backfill, name: "first")
            let queued = try await database.obstacle(second, to: .backfill, name: "second")
            #expect(queued.hasPrefix("Queued: shop/first works on column public.t.b"))
            try await database.walk(first, to: .contract, name: "first")
            try await database.walk(second, to: .backfill, name: "second")
            #expect(try await database.sql("SELECT b, c FROM t ORDER BY id") == "X|X!\nY|Y!")
            #expect(try await database.obstacle(first, to: .backfill, name: "first").hasPrefix("Queued: shop/second"))
            try await database.walk(second, to: .initial, name: "second")
            try await database.walk(first, to: .initial, name: "first")
        }
    }

    @Test("a migration that waited is planned again on the table as it is when its turn comes")
    func plannedAgain() async throws {
        try await EvolvingDatabase.with(Self.setUp) { database in
            func setting(_ value: String, _ extra: [Change] = []) -> MigrationSpec {
                EvolvingDatabase.spec([.alterColumn(AlterColumn(table: "t", column: "n", default: value))] + extra)
            }
            let blocked = setting(
                "1",
                [.alterColumn(AlterColumn(table: "t", column: "a", nullable: false))]
            )
            try await database.sql("UPDATE t SET a = NULL WHERE id = 2; ALTER TABLE t ALTER n SET DEFAULT 0")
            // The first has set its default when the second is planned at the latest.
            _ = try await database.obstacle(blocked, to: .backfill, name: "first")
            #expect(try await database.obstacle(setting("2"), to: .expand, name: "second").hasPrefix("Queued: "))
            try await database.walk(blocked, to: .initial, name: "first")
            try await database.walk(setting("2"), to: .expand, name: "second")
            try await database.walk(setting("2"), to: .initial, name: "second")
            #expect(
                try await database.sql("SELECT column_default FROM information_schema.columns WHERE column_name = 'n'")
                    == "0"
            )
        }
    }

    // MARK: A spec that changes

    @Test("changes that are mended before they were proven replace the old plan, which is undone")
    func changedEarly() async throws {
        try await EvolvingDatabase.with(Self.setUp) { database in
            try await database.walk(Self.names("one"), to: .dualWrite)
            try await database.walk(Self.names("two"), to: .backfill)
            #expect(try await database.sql("SELECT two FROM t ORDER BY id") == "X\nY")
            #expect(try await database.refusal(of: "SELECT one FROM t").contains("42703"))
        }
    }

    @Test("changes that were proven stay in force when the spec changes, and restoring them recovers")
    func changedLate() async throws {
        try await EvolvingDatabase.with(Self.setUp) { database in
            try await database.walk(Self.names("one"), to: .backfill)
            #expect(try await database.obstacle(Self.names("two"), to: .backfill).hasPrefix("PlanChanged: "))
            #expect(try await database.sql("SELECT one FROM t ORDER BY id") == "X\nY")
            try await database.walk(Self.names("one"), to: .backfill)
            // Undone first, the other one begins.
            try await database.walk(Self.names("two"), to: .initial)
            try await database.walk(Self.names("two"), to: .backfill)
            #expect(try await database.sql("SELECT two FROM t ORDER BY id") == "X\nY")
        }
    }

    @Test("a Migration that was deleted and applied again adopts what the old one did")
    func adoption() async throws {
        try await EvolvingDatabase.with(Self.setUp) { database in
            let proven = try await database.run(Self.names("one"), to: .backfill, uid: "uid-1")
            let adopted = try await database.run(Self.names("one"), to: .backfill, uid: "uid-2")
            #expect(adopted.activity == .reached && adopted.certificate == proven.certificate)
            #expect(try await database.sql("SELECT uid, walk FROM sluice.migration") == "uid-2|1")
        }
    }

    // MARK: The command line

    private func sluiceRun(
        _ manifest: String,
        on url: String,
        _ arguments: [String] = [],
        environment: [String: String] = [:]
    ) async throws -> Program.Output {
        try await Program.run(
            TestServers.sluice,
            ["run", "-f", "-"] + arguments,
            environment: ["SLUICE_DATABASE_URL": url].merging(environment) { $1 },
            input: manifest
        )
    }

    @Test(
        "a file that is not a Migration is refused with the path and the line",
        arguments: [
            (smallManifest.replacing("  changes:", with: "  colour: red\n  changes:"), ["colour", "line 5"]),
            (
                smallManifest.replacing("type: text", with: "type: text, nullable: often"),
                ["changes[0].addColumn.column.nullable", "line 6"]
            ),
            (smallManifest.replacing("{table: t,", with: "{table: [t],"), ["changes[0].addColumn.table", "line 6"]),
            (smallManifest.replacing("addColumn", with: "addColum"), ["changes[0]", "exactly one key"]),
            (
                smallManifest.replacing("- addColumn:", with: "- sql: {expand: [SELECT 1]}\n    addColumn:"),
                ["exactly one key"]
            ),
            (
                smallManifest.replacing("  changes:", with: "  backfill: {chunkDuration: soon}\n  changes:"),
                ["chunkDuration", "40ms"]
            ),
            (smallManifest.replacing("  changes:", with: "  phase: Done\n  changes:"), ["phase", "line 5"]),
            (smallManifest.replacing("{table: t,", with: "{table: t, table: u,"), ["table", "line 6"]),
            (smallManifest + "---\n" + smallManifest, ["default/a is given twice"]),
            (smallManifest.replacing("kind: Migration", with: "kind: Deployment"), ["Deployment", "not a Migration"]),
            ("a: [", ["line"]), ("", ["there is no Migration"]),
        ] as [(String, [String])]
    )
    func manifests(text: String, parts: [String]) async throws {
        // It is read before anything is connected to.
        let output = try await sluiceRun(text, on: "postgresql://nobody@127.0.0.1:1/none")
        #expect(output.status == 64)
        for part in parts { #expect(output.standardError.contains(part), "\(output.standardError)") }
    }

    @Test(
        "a file that cannot be read, or holds nothing, is refused with the reason",
        arguments: [
            ("/nowhere/a.yaml", "cannot read /nowhere/a.yaml: No such file or directory"),
            ("/", "cannot read /: Is a directory"), ("/dev/null", "/dev/null holds 0 documents"),
        ]
    )
    func files(path: String, word: String) async throws {
        let output = try await runSluice(
            "plan", "-f", path, environment: ["SLUICE_DATABASE_URL": "postgresql://nobody@127.0.0.1:1/none"])
        #expect(output.status == 64)
        #expect(output.standardError.hasPrefix("Error: \(word)"), "\(output.standardError)")
        #expect(output.standardError.hasSuffix("  See 'sluice plan --help' for more information.\n"))
    }

    @Test("an empty variable for the database is none", arguments: ["plan", "run", "verify"])
    func emptyDatabase(command: String) async throws {
        let output = try await runSluice(
            command, "-f", "-", environment: ["SLUICE_DATABASE_URL": "", "SLUICE_LOG_LEVEL": ""], input: smallManifest,
            within: .seconds(10))
        #expect(output.status == 64)
        #expect(output.standardError.contains("no database: give --database-url, or set SLUICE_DATABASE_URL"))
    }

    @Test(
        "a password in an argument is refused with a hint, and not repeated",
        arguments: [
            "postgresql://me:geheim@127.0.0.1/shop", "host=127.0.0.1 password=geheim",
            "postgresql:///shop?password=geheim",
        ]
    )
    func passwordInArgument(url: String) async throws {
        let output = try await Program.run(
            TestServers.sluice, ["run", "-f", "-", "--database-url", url], input: smallManifest)
        #expect(output.status == 64)
        #expect(output.standardError.contains("SLUICE_DATABASE_URL") && output.standardError.contains("PGPASSFILE"))
        #expect(!(output.standardOutput + output.standardError).contains("geheim"))
    }

    @Test(
        "a lease of no sensible length is refused before anything is connected to",
        arguments: ["0", "-1", "0.0001", "0.99", "86401", "1e300", "nan", "inf", "-inf"]
    )
    func leases(seconds: String) async throws {
        let output = try await sluiceRun(
            smallManifest, on: "postgresql://nobody@127.0.0.1:1/none", ["--lease-seconds=\(seconds)"])
        #expect(output.status == 64)
        #expect(output.standardError.contains("--lease-seconds is from 1 to 86400"), "\(output.standardError)")
    }

    @Test("a wrong password ends in an error that does not tell it")
    func wrongPassword() async throws {
        try await withTestDatabase { url in
            var parts = try #require(URLComponents(string: url))
            parts.password = "falsches-geheimnis"
            let wrong = try #require(parts.string)
            let arguments = ["-f", "-", "--log-level", "trace"]
            let plan = try await Program.run(
                TestServers.sluice,
                ["plan"] + arguments,
                environment: ["SLUICE_DATABASE_URL": wrong],
                input: smallManifest
            )
            #expect(plan.status == 1)
            let run = try await sluiceRun(smallManifest, on: wrong, ["--log-level", "trace"])
            #expect(run.status == 1)
            for said in [plan.standardOutput + plan.standardError, run.standardOutput + run.standardError] {
                #expect(said.contains("password authentication failed"))
                #expect(!said.contains("geheimnis"))
            }
        }
    }

    @Test("sluice run walks there, and tells what stalls it by its exit code")
    func exitCodes() async throws {
        try await EvolvingDatabase.with(Self.setUp) { database in
            let reached = try await sluiceRun(smallManifest, on: database.url)
            #expect(reached.status == 0)
            #expect(try await database.sql("SELECT c FROM t WHERE id = 1") == "")
            let stalled = try await sluiceRun(smallManifest.replacing("table: t", with: "table: u"), on: database.url)
            #expect(stalled.status == 1)
            #expect((stalled.standardOutput + stalled.standardError).contains("PlanChanged"))
        }
    }
}
