import SchemaChange
import Testing

@testable import Backfill

@Suite("walking by key")
struct KeysetTests {
    private func keyset(_ key: [Column]) -> Keyset {
        Keyset(
            Mapping(
                table: TableName(schema: "public", name: "Order"),
                token: "01234567",
                old: [],
                new: [Column(name: "c", type: "text")],
                forward: ["c": "'x'"],
                backward: [:],
                named: [],
                notNull: [],
                key: key
            )
        )
    }

    private var composite: Keyset {
        keyset([Column(name: "a", type: "uuid"), Column(name: "B c", type: "character varying(5)")])
    }

    @Test("a chunk lies between two keys by row comparison, whose values go by their text")
    func between() {
        let (condition, values) = composite.between(["1", "x"], ["2", "y"], parametersFrom: 9)
        #expect(
            condition == """
                ("a", "B c") > ($9::text::uuid, $10::text::character varying(5)) \
                AND ("a", "B c") <= ($11::text::uuid, $12::text::character varying(5))
                """
        )
        #expect(values == ["1", "x", "2", "y"])
    }

    @Test("an open end has no condition")
    func open() {
        let one = keyset([Column(name: "id", type: "bigint")])
        #expect(one.between(nil, nil, parametersFrom: 1).condition == "true")
        #expect(one.between(nil, ["5"], parametersFrom: 1).condition == "(\"id\") <= ($1::text::bigint)")
        #expect(one.between(["5"], nil, parametersFrom: 3).condition == "(\"id\") > ($3::text::bigint)")
    }

    @Test("the end of a chunk is found by the key's order, not by that of its text")
    func boundary() {
        let (sql, values) = keyset([Column(name: "id", type: "bigint")]).boundary(["7"], nil)
        #expect(
            sql == """
                SELECT "id"::text AS sluice_key_1 FROM "public"."Order" WHERE ("id") > ($2::text::bigint) \
                ORDER BY "id" OFFSET $1::bigint - 1 LIMIT 1
                """
        )
        #expect(values == ["7"])
    }
}
