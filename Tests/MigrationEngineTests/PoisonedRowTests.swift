import TestSupport
import Testing

@Suite("Rows that cannot be filled")
struct PoisonedRowTests {
    private func poisoned(
        by method: String, amounts: String, _ body: (EvolvedDatabase, Program.Output) async throws -> Void
    ) async throws {
        try await withTestDatabase { url in
            let database = try await EvolvedDatabase.withItems(url, rows: 9000, chunkDuration: "2ms", by: method)
            // A trigger of the application's, which its owner mends.
            func refuse(_ condition: String) -> String {
                """
                CREATE OR REPLACE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
                    IF \(condition) THEN RAISE check_violation; END IF;
                    RETURN NULL;
                END $$;
                """
            }
            try await database.sql(
                refuse("NEW.amount \(amounts)")
                    + "CREATE TRIGGER refuse AFTER UPDATE ON items FOR EACH ROW EXECUTE FUNCTION refuse()")
            let stalled = try await database.run(to: "Backfill")
            #expect(stalled.status == 1)
            #expect(stalled.standardOutput.contains("stalled (RowFailed)"))
            try await body(database, stalled)
            let bad = try await database.sql("SELECT count(*) FROM items WHERE cents IS NULL AND amount \(amounts)")
            let all = try await database.sql("SELECT count(*) FROM items WHERE amount \(amounts)")
            #expect(bad == all)
            // Nobody writes the rows themselves: it has to come back to them.
            try await database.sql(refuse("false"))
            #expect(try await database.reach("Backfill").contains("verified: 9000 rows compared"))
        }
    }

    @Test("are all named by their keys, and all others are filled", arguments: ["Pages", "Keys"])
    func named(by method: String) async throws {
        try await poisoned(by: method, amounts: "IN (999)") { database, stalled in
            for thousand in 0..<9 {
                let row = "row (id) = (\(thousand)999) of public.items".replacing("(0999)", with: "(999)")
                #expect(stalled.standardOutput.contains(row), "\(row): \(stalled.standardOutput)")
            }
            #expect(!stalled.standardOutput.contains("there may be others"))
            let unfilled = try await database.sql("SELECT count(*) FROM items WHERE cents IS NULL")
            #expect(unfilled == "9")
        }
    }

    @Test("are named in part where there are many", arguments: ["Pages", "Keys"])
    func many(by method: String) async throws {
        try await poisoned(by: method, amounts: "> 900") { _, stalled in
            let named = stalled.standardOutput.matches(of: /row \(id\) = \(\d+\) of public\.items/)
            // The lines of progress end with what the last one says.
            let keys = Set(named.map { String($0.output) })
            #expect(keys.count == 10, "\(stalled.standardOutput)")
            #expect(stalled.standardOutput.contains("there may be others"))
        }
    }
}
