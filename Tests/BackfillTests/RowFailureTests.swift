import PostgreSQL
import Testing

@testable import Backfill

@Suite("a row that fails")
struct RowFailureTests {
    @Test(
        "an error of the data is told without the values that it quotes",
        arguments: [
            (#"invalid input syntax for type integer: "secret""#, #"invalid input syntax for type integer: "…""#),
            (#"value "a"b"c" is bad"#, #"value "…" is bad"#),
            ("bad: \"\u{301}secret\" here", "bad: \"…\" here"),
            ("integer out of range", "integer out of range"),
        ]
    )
    func values(message: String, told: String) {
        #expect(PostgresError(.server, message, sqlState: "22P02").messageWithoutValues == told)
    }

    @Test("an error of the statement keeps the names that it quotes")
    func names() {
        let error = PostgresError(.server, #"column "a" does not exist"#, sqlState: "42703")
        #expect(error.messageWithoutValues == error.message)
        #expect(!error.isOfData)
    }

    @Test(
        "what is the data's fault, and what a lost race",
        arguments: [
            ("22012", true, false), ("23514", true, false), ("P0001", true, false), ("44000", true, false),
            ("40P01", false, true), ("55P03", false, true), ("40001", false, true), ("42703", false, false),
        ]
    )
    func kinds(sqlState: String, isOfData: Bool, isLostRace: Bool) {
        let error = PostgresError(.server, "?", sqlState: sqlState)
        #expect(error.isOfData == isOfData && error.isLostRace == isLostRace)
    }
}
