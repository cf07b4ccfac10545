import Foundation
import MigrationEngine
import SchemaChange
import TestSupport
import Testing

/// Each kind of change goes forwards to Contract and back to Initial on a real server, with both versions writing.
@Suite("kinds of change")
struct ChangeKindTests {
    static func add(
        _ column: NewColumn,
        to table: String = "items",
        default value: String? = nil,
        forward: String? = nil
    ) -> Change {
        .addColumn(AddColumn(table: table, column: column, default: value, forward: forward))
    }

    static func alter(
        _ column: String,
        of table: String = "items",
        nullable: Bool? = nil,
        default value: String? = nil,
        dropDefault: Bool? = nil
    ) -> Change {
        .alterColumn(
            AlterColumn(table: table, column: column, nullable: nullable, default: value, dropDefault: dropDefault)
        )
    }

    /// Makes the stops, then goes back to Initial: the tables are as they were, and what `left` asks answers its text.
    ///
    /// - Parameter cleanUp: run before that, for what the stops have made themselves.
    func roundTrip(
        _ setUp: String, _ changes: [Change], _ stops: [Stop], left: (String, String),
        on version: PostgresVersion = .installed, cleanUp: String? = nil
    ) async throws {
        try await EvolvingDatabase.with(setUp, on: version) { database in
            try await roundTrip(database, changes, stops, left: left, cleanUp: cleanUp)
        }
    }

    private func roundTrip(
        _ database: EvolvingDatabase, _ changes: [Change], _ stops: [Stop], left: (String, String), cleanUp: String?
    ) async throws {
        let before = try await database.structure()
        let spec = EvolvingDatabase.spec(changes)
        for (index, stop) in stops.enumerated() {
            try await database.walk(spec, to: stop.phase)
            let answer = try await database.sql(stop.script)
            #expect(answer == stop.answer, "stop \(index + 1), \(stop.phase.rawValue)")
        }
        try await database.walk(spec, to: .initial)
        if let cleanUp { try await database.sql(cleanUp) }
        #expect(try await database.structure() == before)
        #expect(try await database.traces() == "")
        #expect(try await database.sql(left.0) == left.1)
    }

    static let items = """
        CREATE TABLE items (id int PRIMARY KEY, a text, price numeric NOT NULL DEFAULT 0);
        INSERT INTO items VALUES (1, 'x', 1), (2, 'y', 2);
        """

    // MARK: The end of the way back

    @Test("once keepFor is over the archive is gone, and with it the way back")
    func purge() async throws {
        try await EvolvingDatabase.with(Self.people + Self.items) { database in
            let spec = EvolvingDatabase.spec(
                [Self.split, .dropColumn(DropColumn(table: "items", column: "a", backward: "'?'"))],
                keepFor: .zero
            )
            try await database.walk(spec, to: .contract)
            #expect(try await database.traces() != "")
            try await database.walk(spec, to: .contract)
            #expect(try await database.traces() == "")
            #expect(try await database.sql("SELECT * FROM people WHERE id = 1") == "1|Ada|Lovelace")
            #expect(try await database.sql("SELECT * FROM items WHERE id = 1") == "1|1")
            for target in [Phase.backfill, .initial] {
                #expect(try await database.obstacle(spec, to: target).hasPrefix("NotReversible: "))
            }
            try await database.walk(spec, to: .contract)
        }
    }
}
