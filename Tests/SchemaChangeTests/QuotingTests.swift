import SchemaChange
import Testing

@Suite("quoting")
struct QuotingTests {
    @Test(
        "a name is quoted whatever it holds",
        arguments: [
            ("plain", #""plain""#), ("Order", #""Order""#), (#"a"b"#, #""a""b""#), ("", #""""#),
            ("naïve Größe", #""naïve Größe""#),
            ("\"\u{301}", "\"\"\"\u{301}\""),
        ]
    )
    func identifier(name: String, quoted: String) {
        #expect(Array(name.quotedIdentifier.unicodeScalars) == Array(quoted.unicodeScalars))
    }

    @Test(
        "a text is quoted for either setting of standard_conforming_strings",
        arguments: [
            ("plain", "'plain'"), ("it's", "'it''s'"), (#"a\b"#, #"E'a\\b'"#), (#"\'"#, #"E'\\'''"#), ("", "''"),
            ("'\u{301}", "'''\u{301}'"), ("\\\u{301}", "E'\\\\\u{301}'"),
        ]
    )
    func literal(text: String, quoted: String) {
        #expect(Array(text.quotedLiteral.unicodeScalars) == Array(quoted.unicodeScalars))
    }

    @Test("a table is named with its schema")
    func table() {
        let name = TableName(schema: "my schema", name: "Order")
        #expect(name.quoted == #""my schema"."Order""#)
        #expect(name.description == "my schema.Order")
    }

    @Test("names are looked up in the migration's schema, then public, then among temporary ones")
    func searchPath() {
        #expect(SearchPath.of("public") == #""public", "pg_temp""#.replacing(#""pg_temp""#, with: "pg_temp"))
        #expect(SearchPath.of("Shop") == #""Shop", "public", pg_temp"#)
    }
}
