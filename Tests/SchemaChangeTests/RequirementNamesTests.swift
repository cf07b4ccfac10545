import Testing

@testable import SchemaChange

@Suite("What NOT NULL is called")
struct RequirementNamesTests {
    @Test("is what PostgreSQL itself would call it, cut where names are too long and never within a character")
    func standard() {
        let long = String(repeating: "x", count: 60)
        #expect(RequirementNames.standard("orders", "id") == "orders_id_not_null")
        // Asked of PostgreSQL 18.
        #expect(RequirementNames.standard(long, "id") == String(repeating: "x", count: 51) + "_id_not_null")
        #expect(
            RequirementNames.standard(long, long)
                == String(repeating: "x", count: 27) + "_" + String(repeating: "x", count: 26) + "_not_null")
        #expect(
            RequirementNames.standard("t", String(repeating: "ä", count: 31))
                == "t_" + String(repeating: "ä", count: 26) + "_not_null")
    }
}
