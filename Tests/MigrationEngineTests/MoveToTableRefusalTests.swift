import MigrationEngine
import SchemaChange
import TestSupport
import Testing

/// What cannot be moved so that both versions find everything is refused, by name and with the way to do it.
@Suite("A moveToTable that cannot be")
struct MoveToTableRefusalTests {
    private static let setUp = """
        CREATE TABLE people (
            id int PRIMARY KEY, code text NOT NULL UNIQUE, street text, city text DEFAULT 'Ulm', nick text UNIQUE,
            number int GENERATED ALWAYS AS IDENTITY, loud text GENERATED ALWAYS AS (upper(street)) STORED);
        CREATE TABLE addresses (person int PRIMARY KEY REFERENCES people ON DELETE CASCADE, note text, street text);
        CREATE TABLE lax (person int PRIMARY KEY REFERENCES people);
        CREATE TABLE late (person int PRIMARY KEY REFERENCES people ON DELETE CASCADE DEFERRABLE);
        CREATE TABLE unproven (person int PRIMARY KEY);
        ALTER TABLE unproven ADD FOREIGN KEY (person) REFERENCES people ON DELETE CASCADE NOT VALID;
        CREATE TABLE many (person int NOT NULL REFERENCES people ON DELETE CASCADE);
        CREATE TABLE wide (person bigint PRIMARY KEY REFERENCES people ON DELETE CASCADE);
        CREATE TABLE strict (person int PRIMARY KEY REFERENCES people ON DELETE CASCADE, note text NOT NULL);
        CREATE TABLE parts (person int PRIMARY KEY REFERENCES people ON DELETE CASCADE) PARTITION BY RANGE (person);
        CREATE TABLE fans (nick text REFERENCES people (nick));
        CREATE VIEW shown AS SELECT * FROM addresses;
        """

    private static func move(
        _ columns: [MoveToTable.MovedColumn] = [.init(name: "street", to: "road")], to table: String = "addresses",
        key: [String: String] = ["id": "person"]
    ) -> Change {
        .moveToTable(MoveToTable(table: "people", columns: columns, to: table, key: key))
    }

    private static let make = Change.createTable(
        CreateTable(
            table: "made",
            columns: [
                TableColumn(
                    name: "person", type: "int", references: References(table: "people", onDelete: .cascade))
            ], primaryKey: ["person"]))

    private static let refused: [(changes: [Change], message: String)] = [
        ([move(to: "gone")], "there is no table \"gone\""),
        ([move(to: "shown")], "is not a table but a view"),
        ([move(to: "parts")], "is partitioned"),
        ([move([.init(name: "none")])], "public.people has no column \"none\""),
        ([move([.init(name: "street")])], "public.addresses already has a column \"street\""),
        ([move([.init(name: "city")])], "column \"city\" of public.people has a default"),
        ([move([.init(name: "number")])], "column \"number\" of public.people is generated"),
        ([move([.init(name: "loud")])], "column \"loud\" of public.people is generated"),
        ([move([.init(name: "nick")])], "other tables refer to it"),
        ([move(key: ["number": "person"])], "must be unique and NOT NULL"),
        ([move(to: "many")], "person of public.many must be unique and NOT NULL"),
        ([move(to: "wide")], "id of public.people and person of public.wide are not of one type"),
        ([move(to: "lax")], "ON DELETE CASCADE"),
        ([move(to: "late")], "not deferrable"),
        ([move(to: "unproven")], "validated"),
        ([move(to: "strict")], "column \"note\" of public.strict is NOT NULL and has no default"),
        ([move(to: "made"), make], "changes[1] makes the table; put that before this one"),
        ([move(), .dropTable(DropTable(table: "addresses"))], "changes[1] drops addresses"),
        ([move(), .renameTable(RenameTable(table: "people", to: "folk"))], "people"),
        ([move(), .dropColumn(DropColumn(table: "people", column: "street"))], "is already changed by"),
        (
            [move(), .createIndex(CreateIndex(table: "people", columns: [.init(column: "street")]))],
            "which changes[0].moveToTable takes away"
        ),
    ]

    @Test("is refused, and says why")
    func refused() async throws {
        try await EvolvingDatabase.with(Self.setUp) { database in
            func refusal(_ changes: [Change], _ change: (inout MigrationSpec) -> Void = { _ in }) async throws -> String
            {
                var spec = EvolvingDatabase.spec(changes)
                change(&spec)
                do {
                    _ = try await database.engine.plan(MigrationName(namespace: "shop", name: "a"), spec: spec)
                    return "nothing"
                } catch let error as PlanError {
                    return error.message
                }
            }
            for (changes, message) in Self.refused {
                let found = try await refusal(changes)
                #expect(found.contains(message), "\(changes)")
            }
            let name = MigrationName(namespace: "shop", name: "a")
            try await database.sql(
                "INSERT INTO people (id, code, street) SELECT i, i, CASE WHEN i > 25 THEN 's' END FROM generate_series(1, 100) i"
            )
            let preview = try await database.engine.preview(name, spec: EvolvingDatabase.spec([Self.move()]))
            let estimate = try #require(preview.estimates.first)
            #expect(estimate.columns == ["addresses.road"] && estimate.rows == 100 && estimate.sampledRows == 100)
            // Three quarters of them get a row.
            #expect((75 * 80...75 * 250).contains(estimate.walBytes), "\(estimate)")
            let fill = try #require(preview.phases.flatMap(\.steps).first { $0.id == "backfill/0/fill" })
            #expect(
                fill.statements == ["addresses.road = people.street"] && fill.work == .writesRows && fill.rows == 100)
            #expect(try await refusal([Self.move()]) == "nothing")
            #expect(try await refusal([Self.make, Self.move(to: "made")]) == "nothing")
            #expect(try await refusal([Self.move()]) { $0.views = true }.contains("no versioned views yet"))
            let both = [Self.move(), .replaceColumns(Self.split)]
            #expect(try await refusal(both) { $0.dualWrite = .init(by: .application) }.contains("written by triggers"))
        }
    }

    private static let split = ReplaceColumns(
        table: "people", from: ["code"], to: [NewColumn(name: "word", type: "text")], forward: ["word": "code || ''"],
        backward: ["code": "word"])
}
