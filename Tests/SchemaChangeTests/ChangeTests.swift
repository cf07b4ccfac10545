import Foundation
import Testing

@testable import SchemaChange

@Suite("changes")
struct ChangeTests {
    @Test(
        "an entry has exactly one key, and is told what the kinds are",
        arguments: [
            "{}",
            #"{"dropColumn": {"table": "t", "column": "a"}, "sql": {"expand": ["SELECT 1"]}}"#,
            #"{"renameDatabase": {"table": "t"}}"#,
        ]
    )
    func oneKey(json: String) throws {
        do {
            _ = try Planning.decode(json)
            Issue.record("\(json) was accepted")
        } catch DecodingError.dataCorrupted(let context) {
            #expect(context.debugDescription.contains("exactly one key"))
            #expect(context.debugDescription.contains("one of addColumn, alterColumn, replaceColumns, "))
        }
    }

    @Test(
        "every kind reads as it was written",
        arguments: [
            Planning.split, Planning.cents, Planning.add("c", forward: "note", default: "''", nullable: false),
            Planning.drop("note", backward: "full_name"), Planning.remote, Planning.remoteColumn(),
            .sql(SQLChange(tables: ["t"], expand: ["SELECT 1"], rollback: [])),
            .renameColumn(RenameColumn(table: "t", column: "a", to: "b")),
            .alterColumn(
                AlterColumn(
                    table: "t", column: "a", type: "bigint", check: "a > 0", unique: true,
                    references: References(table: "p", columns: ["id"], onDelete: .setNull, onUpdate: .cascade),
                    constraintNames: ConstraintNames(check: "c", unique: "u", references: "f"),
                    dropConstraints: ["d"], comment: "x")),
        ]
    )
    func roundTrip(change: Change) throws {
        #expect(try JSONDecoder().decode(Change.self, from: JSONEncoder().encode(change)) == change)
    }

    @Test("statements need name no table")
    func statementsWithoutTables() throws {
        let change = try Planning.decode(#"{"sql": {"contract": ["SELECT 1"]}}"#)
        #expect(change.tables.isEmpty && change.key == "sql")
    }

    private static func replace(from: [String], to: [String], forward: [String: String], backward: [String: String])
        -> Change
    {
        .replaceColumns(
            ReplaceColumns(
                table: "t",
                from: from,
                to: to.map { NewColumn(name: $0, type: "text") },
                forward: forward,
                backward: backward
            )
        )
    }

    @Test("a change in which nothing is wrong has no flaws")
    func flawless() {
        let changes = [
            Planning.split, Planning.cents, Planning.add("c"), Planning.drop("note"), Planning.remoteColumn(),
        ]
        #expect(PlanBuilder.flaws(in: changes) == [])
    }

    @Test(
        "what is wrong without a database is said, and where",
        arguments: [
            (Planning.add("c", nullable: false), "addColumn.column.nullable", "give default or forward"),
            (Planning.add("c", default: "1;"), "addColumn.default", "semicolon"),
            (Planning.add("c", forward: "f("), "addColumn.forward", "not closed"),
            (Planning.drop("c", backward: ""), "dropColumn.backward", "empty"),
            (Planning.remoteColumn(from: nil), "addColumn.from", "name the columns"),
            (Planning.remoteColumn(from: []), "addColumn.from", "name the columns"),
            (Planning.remoteColumn(forward: "note"), "addColumn", "exclude each other"),
            (Planning.remoteColumn(target: "names"), "addColumn.forwardBy.target", "poll://any@names"),
            (Planning.remoteColumn(forward: "note", target: nil), "addColumn.from", "leave it out"),
            (.alterColumn(AlterColumn(table: "t", column: "a")), "alterColumn", "changes nothing"),
            (
                .alterColumn(AlterColumn(table: "t", column: "a", default: "1", dropDefault: true)), "alterColumn",
                "exclude each other"
            ),
            (
                .alterColumn(AlterColumn(table: "t", column: "a", forward: "a")), "alterColumn",
                "forward (or forwardBy) and backward go together"
            ),
            (
                .alterColumn(
                    AlterColumn(table: "t", column: "a", to: NewColumn(name: "b", type: "int"), backward: "b")),
                "alterColumn", "to needs forward"
            ),
            (
                .alterColumn(AlterColumn(table: "t", column: "a", dropConstraints: ["u"])), "alterColumn",
                "use dropConstraint"
            ),
            (
                .alterColumn(
                    AlterColumn(
                        table: "t", column: "a", check: "a >", forward: "a)",
                        backward: "a")), "alterColumn.forward", "never opened"
            ),
            (.renameColumn(RenameColumn(table: "t", column: "a", to: "a")), "renameColumn.to", "give another"),
            (
                .alterColumn(
                    AlterColumn(
                        table: "t", column: "a", check: "a > 0", constraintNames: ConstraintNames(unique: "u"))),
                "alterColumn.constraintNames.unique", "no unique that it would name"
            ),
            (
                .alterColumn(
                    AlterColumn(
                        table: "t", column: "a", type: "bigint",
                        references: References(table: "p", columns: ["a", "b"]))),
                "alterColumn.references.columns", "one column"
            ),
            (
                .alterColumn(
                    AlterColumn(
                        table: "t",
                        column: "a",
                        default: "0",
                        to: NewColumn(name: "b", type: "bigint"),
                        forward: "a",
                        backward: "b"
                    )
                ), "alterColumn", "goes alone"
            ),
            (.sql(SQLChange(expand: [], rollback: ["SELECT 1"])), "sql", "no statements"),
            (
                replace(from: ["a"], to: ["b"], forward: [:], backward: ["a": "b"]), "replaceColumns.forward",
                "\"b\"; add one"
            ),
            (
                replace(from: ["a"], to: ["b"], forward: ["b": "a"], backward: [:]), "replaceColumns.backward",
                "\"a\"; add one"
            ),
            (
                replace(from: ["a"], to: ["b"], forward: ["b": "a", "c": "a"], backward: ["a": "b"]),
                "replaceColumns.forward.c",
                "not one of the new columns"
            ),
            (replace(from: [], to: ["b"], forward: ["b": "1"], backward: [:]), "replaceColumns", "at least one column"),
        ] as [(Change, String, String)]
    )
    func flaws(change: Change, path: String, message: String) throws {
        let flaws = PlanBuilder.flaws(in: [change])
        let flaw = try #require(flaws.first { $0.path == "changes[0].\(path)" }, "\(flaws)")
        #expect(flaw.message.contains(message))
    }

    @Test(
        "an application that writes both sides needs two of them, and SQL that checks",
        arguments: [
            ([Planning.add("c", forward: "note"), Planning.drop("note")], "dualWrite.by", "there is none"),
            ([Planning.cents, Planning.remote], "changes[1].replaceColumns.forwardBy", "give forward"),
        ] as [([Change], String, String)])
    func applicationWrites(changes: [Change], path: String, message: String) throws {
        #expect(PlanBuilder.flaws(in: changes) == [])
        let flaws = PlanBuilder.flaws(in: changes, writer: .application)
        #expect(flaws.map(\.path) == [path] && flaws[0].message.contains(message), "\(flaws)")
        #expect(PlanBuilder.flaws(in: [Planning.split, Planning.add("c")], writer: .application) == [])
    }

    @Test("a migration without changes is refused")
    func noChanges() {
        #expect(PlanBuilder.flaws(in: []).map(\.path) == ["changes"])
    }
}
