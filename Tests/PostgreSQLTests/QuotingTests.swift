import PostgreSQL
import TestSupport
import Testing

@Suite("quoting")
struct QuotingTests {
    static let texts = ["plain", "it's", "a \"b\"", #"back\slash"#, #"\'; DROP"#, "", "é\u{301}'\u{301}", "𝒳"]

    @Test("a literal reads as the text, under either setting of standard_conforming_strings", arguments: texts)
    func literal(text: String) async throws {
        try await withConnection(TestServers.databaseURL) { connection in
            for setting in ["on", "off"] {
                try await connection.execute("SET standard_conforming_strings = \(setting)")
                let row = try await connection.query("SELECT \(quoteLiteral(text)) AS text").row()
                #expect(row["text"] == text)
            }
        }
    }

    @Test("an identifier names what it says", arguments: texts.filter { !$0.isEmpty })
    func identifier(text: String) async throws {
        try await withConnection(TestServers.databaseURL) { connection in
            let result = try await connection.query("SELECT 1 AS \(quoteIdentifier(text))")
            #expect(result.columns == [text])
        }
    }
}
