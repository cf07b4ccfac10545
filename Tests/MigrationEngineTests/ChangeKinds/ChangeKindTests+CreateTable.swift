import Foundation
import MigrationEngine
import PostgreSQL
import SchemaChange
import TestSupport
import Testing

extension ChangeKindTests {
    private static let orders = Change.createTable(
        CreateTable(
            table: "Order \"ü\"",
            columns: [
                TableColumn(name: "id", type: "bigint", generated: .init(identity: .byDefault)),
                TableColumn(name: "number", type: "serial"),
                TableColumn(
                    name: "item", type: "int", nullable: false,
                    references: References(table: "items", columns: ["id"], onDelete: .cascade, deferrable: .deferred)),
                TableColumn(name: "select", type: "text", default: "'new'", unique: true, check: "\"select\" <> ''"),
                TableColumn(name: "tags", type: "citext[]", comment: "it's \\ odd"),
                TableColumn(name: "twice", type: "int", generated: .init(expression: "item * 2")),
                TableColumn(name: "mood", type: "mood"),
                TableColumn(name: "parent", type: "bigint"),
            ],
            primaryKey: ["id"],
            constraints: [
                NewConstraint(name: "one \"mood\"", unique: .init(columns: ["item", "mood"])),
                NewConstraint(
                    name: "tree",
                    foreignKey: .init(columns: ["parent"], references: References(table: "Order \"ü\""))),
                NewConstraint(
                    name: "apart", exclusion: .init(method: "btree", elements: [.init(column: "number", with: "=")])),
            ],
            comment: "orders"
        ))

    @Test("a table is made, with all that a column or a table may have, and dropped again")
    func createTable() async throws {
        let setUp = """
            CREATE EXTENSION citext; CREATE TYPE mood AS ENUM ('good', 'bad');
            """
        let insert = #"INSERT INTO "Order ""ü""" (item, "select", tags, mood)"#
        try await roundTrip(
            setUp + Self.items,
            [Self.orders],
            [
                Stop(
                    .expand,
                    #"""
                    \#(insert) VALUES (1, DEFAULT, '{A}', 'bad'), (2, 'x', NULL, 'good');
                    SELECT id, number, item, "select", tags = '{a}', twice FROM "Order ""ü""" ORDER BY id;
                    SELECT obj_description('"Order ""ü"""'::regclass), col_description('"Order ""ü"""'::regclass, 5)
                    """#,
                    "1|1|1|new|t|2\n2|2|2|x||4\norders|it's \\ odd"
                ),
                Stop(.backfill, #"DELETE FROM items WHERE id = 2; SELECT count(*) FROM "Order ""ü"""; "#, "1"),
                Stop(.contract, "INSERT INTO items VALUES (2, 'y', 2); SELECT count(*) FROM items", "2"),
            ],
            left: ("SELECT * FROM items ORDER BY id", "1|x|1\n2|y|2")
        )
    }

    @Test("a table that PostgreSQL would not make, or whose name is taken, is refused before anything is done")
    func createTableRefused() async throws {
        try await EvolvingDatabase.with(Self.items) { database in
            func table(_ name: String, _ column: TableColumn) -> MigrationSpec {
                EvolvingDatabase.spec([.createTable(CreateTable(table: name, columns: [column]))])
            }
            let id = TableColumn(name: "id", type: "int")
            #expect(try await database.obstacle(table("items", id), to: .expand).hasPrefix("NameTaken: "))
            #expect(try await database.obstacle(table("items_pkey", id), to: .expand).hasPrefix("NameTaken: "))
            let unknown = TableColumn(name: "id", type: "integre")
            #expect(try await database.obstacle(table("t", unknown), to: .expand).contains("integre"))
            let two = TableColumn(name: "id", type: "int, b int")
            #expect(try await database.obstacle(table("t", two), to: .expand).contains("columns[0].type"))
            let wrong = TableColumn(name: "id", type: "text", references: References(table: "items"))
            let obstacle = try await database.obstacle(table("t", wrong), to: .expand)
            #expect(obstacle.contains("changes[0].createTable.columns[0].references: "))
            #expect(obstacle.contains("42804"))
        }
    }

    @Test("it waits for a lock on the table that it refers to without holding anybody up, and says who has it")
    func createTableLocked() async throws {
        try await EvolvingDatabase.with(Self.items) { database in
            let spec = EvolvingDatabase.spec([
                .createTable(
                    CreateTable(
                        table: "t",
                        columns: [TableColumn(name: "id", type: "int", references: References(table: "items"))]))
            ])
            try await withConnection(database.url, name: "writer") { writer in
                try await writer.query("BEGIN")
                try await writer.query("UPDATE items SET a = 'z' WHERE id = 1")
                let told = Told()
                async let report = database.run(spec, to: .expand, telling: told)
                try await eventually("it says so") { told.text.contains("locked by pid \(writer.processID) (writer") }
                try await database.sql("UPDATE items SET a = 'w' WHERE id = 2")
                try await writer.query("COMMIT")
                #expect(try await report.activity == .reached)
            }
        }
    }
}
