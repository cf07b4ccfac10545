import PostgreSQL
import TestSupport
import Testing

@testable import Backfill
@testable import MigrationEngine
@testable import SchemaChange

/// What is told of each range when all rows are compared again.
@Suite("Digests of rows")
struct RowDigestTests {
    @Test(
        "are the same as long as nobody writes, and tell the range in which somebody did; the proof holds all the same")
    func ranges() async throws {
        try await ProvenTable.with(rows: 12_000) { table in
            let first = try await table.compare()
            #expect(first.parts.count == 2)
            #expect(first.parts.map(\.isUnchanged) == [true, true])
            #expect(try await table.compare() == first)

            try await table.sql("UPDATE t SET y = 77 WHERE id = 3")
            #expect(try await table.sql("SELECT x FROM t WHERE id = 3") == "77")
            let second = try await table.compare()
            #expect(second.parts.map(\.isUnchanged) == [false, true])
            #expect(second.parts[1] == first.parts[1])
            #expect(second.tally.mismatches == 0)
            #expect(second.tally.newSide == 1)
            #expect(try await table.flaw() == "")

            // As it was, but for the side that was written last.
            try await table.sql("UPDATE t SET x = 3 WHERE id = 3")
            #expect(try await table.compare() == first)
            try await table.sql("DELETE FROM t WHERE id = 11999")
            #expect(try await table.compare().parts.map(\.isUnchanged) == [true, false])
        }
    }

    /// Of each type two values that are equal, or have no `=` at all, or simply differ.
    static let images: [(type: String, value: String, other: String)] = [
        ("numeric", "1.0", "1.00"), ("numeric(6,2)[]", "'{1}'", "'{2}'"), ("double precision", "0", "'-0'"),
        ("interval", "'1 day'", "'24 hours'"), ("bpchar", "'a'", "'a '"), ("json", "'{}'", "'{ }'"),
        ("xml", "'<a/>'", "'<b/>'"), ("point", "'1,1'", "'1,2'"), ("jsonb", "'1.0'", "'1.00'"),
        ("text", "'a'", "'A'"), ("text COLLATE letters", "'a'", "'A'"), ("varchar(5) COLLATE letters", "'a'", "'A'"),
        ("words", "'a'", "'A'"), ("varchar(5)", "'a'", "'b'"), ("bigint", "1", "2"), ("bytea", "'a'", "NULL"),
        ("timestamp(0) with time zone", "'2026-01-01'", "'2026-01-02'"), ("time", "'10:00'", "'11:00'"),
    ]

    @Test("tell values apart that are equal and not the same, of any type")
    func everyImage() async throws {
        try await withTestDatabase { url in
            let columns = Self.images.enumerated().map { "x\($0) \($1.type)" }.joined(separator: ", ")
            let values = Self.images.map(\.value).joined(separator: ", ")
            try await Psql.run(
                """
                CREATE COLLATION letters (provider = icu, locale = 'und-u-ks-level2', deterministic = false);
                CREATE DOMAIN words AS text COLLATE letters;
                CREATE TABLE t (id int PRIMARY KEY, sluice_side_0 text, \(columns));
                INSERT INTO t VALUES (1, 'o', \(values)), (2, 'o', \(values));
                """, on: url)
            let name = TableName(schema: "public", name: "t")
            let read = try await withConnection(url) { try await TableDescription.read(name, on: $0) }
            let table = try #require(read)
            for (index, image) in Self.images.enumerated() {
                let column = try #require(table.columns.first { $0.name == "x\(index)" })
                let mapping = Mapping(
                    table: name, token: "0", old: [column.asColumn], new: [], forward: [:], backward: [:], named: [],
                    notNull: [], key: [Column(name: "id", type: "integer")])
                let digest = RowDigest.of(mapping)
                let before = try await Psql.run("SELECT \(digest) FROM t ORDER BY id", on: url).split(separator: "\n")
                // Of the same values under another key it is another.
                #expect(before.count == 2 && before[0] != before[1], "\(image.type)")
                let after = try await Psql.run(
                    "UPDATE t SET x\(index) = \(image.other) WHERE id = 1; SELECT \(digest) FROM t ORDER BY id", on: url
                ).split(separator: "\n")
                #expect(after.count == 2 && after[0] != before[0] && after[1] == before[1], "\(image.type)")
            }
        }
    }

    @Test(
        "images that are not the same are told apart where rows are compared, whatever collation an expression brings")
    func comparedImages() async throws {
        try await withTestDatabase { url in
            try await Psql.run(
                """
                CREATE COLLATION letters (provider = icu, locale = 'und-u-ks-level2', deterministic = false);
                CREATE DOMAIN words AS text COLLATE letters
                """, on: url)
            for (type, value, other) in Self.images + [("text", "'a'", "('A' COLLATE letters)")] {
                let collation = type.contains("COLLATE") ? "letters" : nil
                let name = type.replacing(" COLLATE letters", with: "")
                let column = Column(name: "x", type: name, collation: collation)
                func differs(_ derived: String) -> String {
                    RowImage.differs([column], present: ["x"], derived: ["(\(derived))::\(name)"])
                }
                let found = try await Psql.run(
                    "SELECT \(differs(value)), \(differs(other)), \(differs("NULL")) FROM (SELECT \(value)::\(type)) AS t(x)",
                    on: url)
                #expect(found == "f|t|t", "\(type)")
                let absent = try await Psql.run(
                    "SELECT \(differs("NULL")) FROM (SELECT NULL::\(type)) AS t(x)", on: url)
                #expect(absent == "f", "\(type)")
            }
        }
    }

    @Test(
        "are printed by sluice verify with all that the certificate says, as text and as JSON", .timeLimit(.minutes(1)))
    func command() async throws {
        try await withTestDatabase { url in
            let database = try await EvolvedDatabase.withItems(url, rows: 12_000, chunkDuration: "40ms", by: "Keys")
            try await database.reach("Backfill")
            try await database.sql("UPDATE items SET amount = 7 WHERE id = 11999")
            let text = try await database.verify()
            #expect(text.status == 0)
            for line in [
                "  migration: default/items", "  checksum: sha256:", "  systemIdentifier: ", "  walPosition: ",
            ] {
                #expect(text.standardOutput.contains("\n\(line)"))
            }
            #expect(text.standardOutput.contains("compared again: 12000 rows, mismatches: 0"))
            let ranges = text.standardOutput.split(separator: "\n").filter { $0.hasPrefix("  public.items, ") }
            #expect(ranges.count == 2)
            #expect(ranges.first?.hasSuffix("rows, mismatches: 0, unchanged since") == true)
            #expect(ranges.last?.hasSuffix("rows, mismatches: 0, rows were written since") == true)

            let json = try await runSluice(
                "verify", "-f", "-", "-o", "json", environment: ["SLUICE_DATABASE_URL": url], input: database.manifest)
            let isUnchanged = try await Psql.run(
                """
                SELECT j -> 'holds', jsonb_path_query_array(j, '$.compared.ranges[*].unchanged'),
                    jsonb_array_length(j -> 'certificate' -> 'ranges')
                FROM (SELECT $json$\(json.standardOutput)$json$::jsonb) AS output(j)
                """, on: url)
            #expect(isUnchanged == "true|[true, false]|2")
        }
    }
}
