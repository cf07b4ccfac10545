import Foundation
import Testing

@testable import SchemaChange

@Suite("kinds of change without two sides")
struct OneSidedChangeTests {
    private static let reference = References(
        table: "u", columns: ["id"], onDelete: .setNull, onUpdate: .noAction, deferrable: .deferred)
    private static let exclusion = NewConstraint.Exclusion(
        elements: [.init(column: "a", with: "&&")], where: "a IS NOT NULL")

    @Test(
        "every kind reads as it was written, and has no flaws",
        arguments: [
            .createTable(
                CreateTable(
                    table: "t",
                    columns: [
                        TableColumn(
                            name: "a", type: "int", nullable: false, unique: true, check: "a > 0",
                            references: reference, comment: "c"),
                        TableColumn(name: "b", type: "int", generated: .init(identity: .always)),
                    ], primaryKey: ["a"],
                    constraints: [NewConstraint(name: "c", exclusion: exclusion)], comment: "t")),
            .dropTable(DropTable(table: "t")), .renameTable(RenameTable(table: "t", to: "u")),
            .createIndex(
                CreateIndex(
                    table: "t", name: "i",
                    columns: [
                        .init(expression: "a + 1", order: .descending, nulls: .first, opclass: "o", collation: "C")
                    ],
                    unique: true, method: "gin", include: ["b"], where: "a > 0", with: ["fillfactor": "9"])),
            .dropIndex(DropIndex(table: "t", name: "i")),
            .addConstraint(AddConstraint(table: "t", NewConstraint(name: "c", check: "a > 0"), enforce: .expand)),
            .addConstraint(
                AddConstraint(table: "t", NewConstraint(name: "c", exclusion: exclusion), lockTable: true)),
            .addConstraint(
                AddConstraint(
                    table: "t", NewConstraint(name: "c", foreignKey: .init(columns: ["a"], references: reference)))),
            .addConstraint(AddConstraint(table: "t", NewConstraint(notNull: .init(column: "a")))),
            .dropConstraint(DropConstraint(table: "t", name: "c", lockTable: true)),
            .renameConstraint(RenameConstraint(table: "t", from: "a", to: "b")),
            .setReplicaIdentity(SetReplicaIdentity(table: "t", index: "i")),
            .addEnumValue(AddEnumValue(type: "e", value: "v", before: "w")),
            .setComment(SetComment(table: "t", column: "a", comment: "")),
            .moveToTable(
                MoveToTable(
                    table: "t", columns: [.init(name: "a"), .init(name: "b", to: "c")], to: "u", key: ["id": "t"])),
        ] as [Change])
    func roundTrip(change: Change) throws {
        #expect(try JSONDecoder().decode(Change.self, from: JSONEncoder().encode(change)) == change)
        #expect(PlanBuilder.flaws(in: [change]) == [])
    }

    @Test(
        "what is wrong without a database is said, and where",
        arguments: [
            (
                #"{"createTable": {"table": "t", "columns": [{"name": "a", "type": "int); DROP TABLE x"}]}}"#,
                "columns[0].type"
            ),
            (
                #"{"createTable": {"table": "t", "columns": [{"name": "a", "type": "int", "default": "("}]}}"#,
                "columns[0].default"
            ),
            (
                #"{"createTable": {"table": "t", "columns": [{"name": "a", "type": "int", "generated": {}}]}}"#,
                "columns[0].generated"
            ),
            (#"{"createTable": {"table": "sluice_t", "columns": []}}"#, "table"),
            (#"{"createTable": {"table": "t", "columns": [], "primaryKey": ["x"]}}"#, "primaryKey[0]"),
            (
                #"{"createTable": {"table": "t", "columns": [], "constraints": [{"name": "c", "unique": {"columns": ["x"]}}]}}"#,
                "constraints[0]"
            ),
            (
                #"{"createTable": {"table": "t", "columns": [{"name": "a", "type": "int"}, {"name": "a", "type": "int"}]}}"#,
                "columns[1].name"
            ),
            (#"{"renameTable": {"table": "t", "to": ""}}"#, "to"),
            (#"{"createIndex": {"table": "t", "columns": []}}"#, "columns"),
            (#"{"createIndex": {"table": "t", "columns": [{"column": "a", "expression": "b"}]}}"#, "columns[0]"),
            (
                #"{"createIndex": {"table": "t", "columns": [{"column": "a", "opclass": "o) --"}]}}"#,
                "columns[0].opclass"
            ),
            (#"{"createIndex": {"table": "t", "columns": [{"column": "a"}], "where": "a;"}}"#, "where"),
            (#"{"addConstraint": {"table": "t", "name": "c"}}"#, ""),
            (#"{"addConstraint": {"table": "t", "check": "a > 0"}}"#, "name"),
            (#"{"addConstraint": {"table": "t", "name": "c", "check": "a > 0", "lockTable": true}}"#, "lockTable"),
            (
                #"{"addConstraint": {"table": "t", "name": "c", "exclusion": {"elements": [{"column": "a", "with": "= OR"}]}}}"#,
                "exclusion.elements[0].with"
            ),
            (
                #"{"addConstraint": {"table": "t", "name": "c", "foreignKey": {"columns": ["a"], "references": {"table": "u", "columns": ["a", "b"]}}}}"#,
                "foreignKey.references.columns"
            ),
            (#"{"setReplicaIdentity": {"table": "t"}}"#, ""),
            (#"{"addEnumValue": {"type": "e", "value": "v", "before": "a", "after": "b"}}"#, ""),
            (
                #"{"moveToTable": {"table": "t", "columns": [{"name": "a"}], "to": "t", "key": {"id": "id"}}}"#, "to"
            ),
            (#"{"moveToTable": {"table": "t", "columns": [], "to": "u", "key": {"id": "id"}}}"#, "columns"),
            (#"{"moveToTable": {"table": "t", "columns": [{"name": "a"}], "to": "u", "key": {}}}"#, "key"),
            (
                #"{"moveToTable": {"table": "t", "columns": [{"name": "a"}], "to": "u", "key": {"i": "k", "j": "k"}}}"#,
                "key"
            ),
            (
                #"{"moveToTable": {"table": "t", "columns": [{"name": "a"}], "to": "u", "key": {"a": "k"}}}"#,
                "columns[0].name"
            ),
            (
                #"{"moveToTable": {"table": "t", "columns": [{"name": "a"}, {"name": "b", "to": "a"}], "to": "u", "key": {"i": "k"}}}"#,
                "columns[1].to"
            ),
            (#"{"addColumn": {"table": "t", "column": {"name": "a", "type": "int"}, "check": "a >"}}"#, nil),
            (#"{"addColumn": {"table": "t", "column": {"name": "a", "type": "int"}, "check": "a --"}}"#, "check"),
            (
                #"{"addColumn": {"table": "t", "column": {"name": "a", "type": "int"}, "default": "1", "generated": {"identity": "Always"}}}"#,
                ""
            ),
        ] as [(String, String?)])
    func flaws(json: String, field: String?) throws {
        let change = try Planning.decode(json)
        let flaws = PlanBuilder.flaws(in: [change])
        guard let field else { return #expect(flaws == [], "PostgreSQL is asked") }
        let path = "changes[0].\(change.key)" + (field.isEmpty ? "" : ".\(field)")
        #expect(flaws.contains { $0.path == path }, "\(flaws)")
    }

    @Test("names that are made are as PostgreSQL's, and no longer than a name may be")
    func names() {
        #expect(["t", "a_b", "idx"].asObjectName == "t_a_b_idx")
        let long = [String(repeating: "ü", count: 40), "a", "key"].asObjectName
        #expect(long.utf8.count <= 63 && long.hasSuffix("ü_a_key"))
    }

    @Test("a plan of before there were such kinds still reads")
    func oldPlan() throws {
        let json = """
            {"id": "backfill/0/unfilled", "phase": "Backfill", "title": "t", "lock": "SHARE UPDATE EXCLUSIVE",
             "action": {"concurrently": {"apply": ["CREATE INDEX CONCURRENTLY i ON t (a)"], "revert": []}}}
            """
        let step = try JSONDecoder().decode(Step.self, from: Data(json.utf8))
        #expect(step.action == .concurrently(apply: ["CREATE INDEX CONCURRENTLY i ON t (a)"], revert: []))
    }

    @Test("no two steps of a plan have the same id, and each kind of Contract that takes an index away is two of them")
    func steps() throws {
        let key = TableDescription.Index(
            name: "i", isUnique: true, definition: "USING btree (total)", columns: ["total"])
        var table = Planning.table()
        table.indexes = [key]
        let plan = try Planning.plan(
            [
                .dropIndex(DropIndex(table: "customers", name: "i")),
                .createIndex(CreateIndex(table: "customers", columns: [.init(column: "total")], unique: true)),
                .addConstraint(
                    AddConstraint(table: "customers", NewConstraint(name: "c", primaryKey: .init(columns: ["total"])))),
            ], tables: [table])
        #expect(Set(plan.steps.map(\.id)).count == plan.steps.count)
        #expect(plan.steps(of: .contract).map(\.id).prefix(2) == ["contract/0/index", "contract/0/index-unfinished"])
        let backfill = plan.steps(of: .backfill).map(\.id)
        let proof = try #require(backfill.firstIndex(of: "backfill/verify"))
        #expect(backfill[..<proof].isEmpty && backfill[proof...].contains("backfill/1/index"))
    }

    @Test("no index or constraint is put on a column that another change of the migration takes away")
    func takenAway() {
        let gone = Planning.drop("note")
        for change in [
            Change.createIndex(CreateIndex(table: "customers", columns: [.init(column: "note")])),
            .addConstraint(
                AddConstraint(table: "customers", NewConstraint(name: "c", unique: .init(columns: ["note"])))),
        ] {
            #expect(Planning.refusal([change]) == nil)
            #expect(Planning.refusal([gone, change])?.message.contains("takes away") == true)
        }
    }
}
