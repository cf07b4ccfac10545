import MigrationEngine
import SchemaChange
import TestSupport
import Testing

/// One seed of the fuzz. The table stands in `public`; its copy in `plain`, where plain statements change it; and its rows
/// as they were in `kept`.
struct FuzzRun {
    private let url: String
    private let table: FuzzTable
    private let changes: [FuzzChange]
    private var random: SplitMix
    private let seed: UInt64

    init(seed: UInt64, url: String) {
        self.url = url
        self.seed = seed
        random = SplitMix(seed: seed)
        table = FuzzTable(&random)
        changes = FuzzChange.some(of: table, &random)
    }

    private var quoted: String { table.name.quotedIdentifier }

    /// True when there is nothing to walk: a plan that is refused, which must then have done nothing, and must be of what
    /// PostgreSQL itself refuses, or of a kind that is named.
    mutating func run() async throws -> Bool {
        let setUp = """
            \(FuzzTable.types)
            \(table.setUp)
            CREATE SCHEMA plain; SET search_path = plain;
            \(table.setUp)
            CREATE SCHEMA kept; CREATE TABLE kept.\(quoted) AS TABLE public.\(quoted);
            """
        let (url, seed, table, changes) = (url, seed, table, changes)
        var random = random
        var wasRefused = false
        try await EvolvingDatabase.on(url, setUp) { database in
            let plain = (["BEGIN", "SET LOCAL search_path = plain, public"] + changes.flatMap(\.plain) + ["COMMIT"])
                .joined(separator: ";\n")
            let isPossible =
                try await Program.run(
                    "psql", ["--no-psqlrc", "--quiet", "--set=ON_ERROR_STOP=1", url], input: plain
                ).status == 0
            let before = try await database.structure()
            let walker = Walker(database: database, spec: EvolvingDatabase.spec(changes.map(\.change)))
            let description = "\(table.setUp)\n\(changes.map(\.change))"
            if let refusal = await refusal(walker) {
                if isPossible, !Self.mayRefuse(refusal) { throw TestFailure("\(refusal): \(description)") }
                wasRefused = true
            } else if !isPossible {
                // Found in the rows, when the phases before it are done already.
                let report = try await database.run(walker.spec, to: .contract)
                guard case .stalled = report.activity else {
                    throw TestFailure("plain statements are refused, and yet it is \(report.activity): \(description)")
                }
                try await walker.walk(to: .initial)
                wasRefused = true
            } else {
                let kills: [Kill] = TestServers.isSoak ? Kill.allCases : [.none, .backend]
                try await walker.walk(
                    to: .contract, from: .initial, killing: kills.randomElement(using: &random)!, &random)
                let evolved = try await differences(database, from: "plain")
                #expect(evolved == "", "after Contract\n\(description)")
                try await walker.walk(
                    to: .initial, from: .contract, killing: kills.randomElement(using: &random)!, &random)
            }
            let after = try await database.structure()
            #expect(after == before, "after going back\n\(description)")
            #expect(try await database.traces() == "")
            let rows = "SELECT to_jsonb(t)::text, md5(t::text) FROM"
            let lost = try await database.sql(
                "(\(rows) kept.\(quoted) t EXCEPT ALL \(rows) public.\(quoted) t) UNION ALL "
                    + "(\(rows) public.\(quoted) t EXCEPT ALL \(rows) kept.\(quoted) t) LIMIT 3")
            #expect(lost == "", "after going back\n\(description)")
            if !wasRefused, TestServers.isSoak || seed.isMultiple(of: 3) {
                try await purge(database, walker, description)
            }
        }
        return wasRefused
    }

    /// Once the archive is gone nothing of Sluice's is left, not even in a name.
    private func purge(_ database: EvolvingDatabase, _ walker: Walker, _ description: String) async throws {
        let spec = EvolvingDatabase.spec(walker.spec.changes, keepFor: .zero)
        for _ in 0..<2 { try await Walker(database: database, spec: spec).walk(to: .contract) }
        let left = try await database.structure()
        #expect(!left.contains("sluice"), "after the purge\n\(description)")
        let evolved = try await differences(database, from: "plain")
        #expect(evolved == "", "after the purge\n\(description)")
    }

    /// Why no plan can be made; nil when one can.
    private func refusal(_ walker: Walker) async -> String? {
        do {
            let plan = try await walker.database.engine.plan(
                MigrationName(namespace: "shop", name: "a"), spec: walker.spec)
            return plan.steps.isEmpty ? "no steps" : nil
        } catch {
            return "\(error)"
        }
    }

    /// Limits that are documented, and have tests of their own.
    private static func mayRefuse(_ refusal: String) -> Bool {
        [
            "cannot be carried over", "cannot be had with the new type", "it names column", "would rewrite the table",
            "put one of the two into a Migration of its own",
        ].contains { refusal.contains($0) }
    }

    /// Columns and rows that are not as those of the same table in another schema, without what is Sluice's.
    private func differences(_ database: EvolvingDatabase, from schema: String) async throws -> String {
        func columns(_ schema: String) -> String {
            """
            SELECT attname, format_type(atttypid, atttypmod), attnotnull, pg_get_expr(adbin, adrelid) FROM pg_attribute
            LEFT JOIN pg_attrdef ON (adrelid, adnum) = (attrelid, attnum)
            WHERE attrelid = \("\(schema).\(quoted)".quotedLiteral)::regclass AND attnum > 0 AND NOT attisdropped
                AND attname NOT LIKE 'sluice\\_%'
            """
        }
        func rows(_ schema: String) -> String {
            """
            SELECT to_jsonb(t) - ARRAY(SELECT attname::text FROM pg_attribute WHERE attname LIKE 'sluice\\_%')
            FROM \(schema).\(quoted) t
            """
        }
        return try await database.sql(
            [columns, rows].map { what in
                """
                (\(what("public")) EXCEPT ALL \(what(schema))) LIMIT 3;
                (\(what(schema)) EXCEPT ALL \(what("public"))) LIMIT 3;
                """
            }.joined(separator: "\n"))
    }
}
