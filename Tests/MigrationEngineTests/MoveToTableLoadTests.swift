import Backfill
import Foundation
import MigrationEngine
import PostgreSQL
import SchemaChange
import Synchronization
import TestSupport
import Testing

/// Both versions write the same rows, each at the table that it knows, in whatever order locks are had, while the rows are
/// filled; each says in a third table, in the same transaction, what the row is from then on.
@Suite("Columns that go to another table, under load")
struct MoveToTableLoadTests {
    private static let rows = 6000
    /// Few enough that two writers meet.
    private static let hot = 8

    @Test("the last write of each column is what both tables hold, and no row is filled with what it held before")
    func lastWriteStays() async throws {
        let setUp = """
            CREATE TABLE people (id int PRIMARY KEY, name text, street text, city text);
            CREATE TABLE addresses (
                person int PRIMARY KEY REFERENCES people (id) ON DELETE CASCADE, note text NOT NULL DEFAULT 'none');
            INSERT INTO people SELECT i, 'p' || i, 's' || i, CASE WHEN i % 3 > 0 THEN 'c' || i END
                FROM generate_series(1, \(Self.rows)) i;
            INSERT INTO addresses SELECT i FROM generate_series(1, \(Self.rows), 2) i;
            CREATE TABLE meant AS SELECT id, street, city FROM people; ALTER TABLE meant ADD PRIMARY KEY (id); ANALYZE;
            """
        try await EvolvingDatabase.with(setUp) { database in
            var spec = EvolvingDatabase.spec([ChangeKindTests.moveAddress])
            spec.backfill = BackfillSettings(chunkDuration: SpecDuration(.milliseconds(4)), workers: 2)
            let walked = spec
            try await database.walk(walked, to: .dualWrite)
            let load = Load(url: database.url)
            try await withThrowingTaskGroup(of: Void.self) { group in
                for seed in 0..<UInt64(4) { group.addTask { try await load.write(seed: seed, isNew: seed % 2 == 1) } }
                do {
                    try await load.writes(150)
                    try await database.walk(walked, to: .backfill)
                    try await load.writes(150)
                } catch {
                    load.end()
                    throw error
                }
                load.end()
                try await group.waitForAll()
            }
            let lost = try await database.sql(
                """
                SELECT m.id, m.street, m.city, p.street, p.city, a.street, a.town
                FROM meant m JOIN people p USING (id) LEFT JOIN addresses a ON a.person = m.id
                WHERE record_image_ne(ROW(p.street, p.city, a.street, a.town), ROW(m.street, m.city, m.street, m.city))
                """)
            #expect(lost == "")
            let compared = try await database.engine.compareRows(MigrationName(namespace: "shop", name: "a"))
            #expect(compared?.tally.mismatches == 0)
            print("moveToTable under load: \(load.summary)")
        }
    }

    /// Sessions of both versions.
    private final class Load: Sendable {
        private struct State {
            var isOver = false
            var writes = 0
            var deadlocks = 0
        }

        private let url: String
        private let state = Mutex(State())

        init(url: String) { self.url = url }

        var summary: String {
            state.withLock { "\($0.writes) writes, \($0.deadlocks) of them ended by deadlock_timeout and done again" }
        }

        func end() { state.withLock { $0.isOver = true } }

        func writes(_ count: Int) async throws {
            let goal = state.withLock { $0.writes + count }
            try await eventually("\(count) writes", within: .seconds(60)) {
                state.withLock { $0.isOver || $0.writes >= goal }
            }
        }

        func write(seed: UInt64, isNew: Bool) async throws {
            var random = SplitMix(seed: seed)
            try await withConnection(url, name: isNew ? "new-version" : "old-version") { session in
                var number = 0
                while !state.withLock({ $0.isOver }) {
                    number += 1
                    let isHot = Bool.random(using: &random)
                    let id = Int.random(in: 1...(isHot ? hot : rows), using: &random)
                    let value = "'\(isNew ? "n" : "o")\(seed)-\(number)'"
                    let (statement, meant) = isNew ? Self.new(id, value, &random) : Self.old(id, value, &random)
                    // A deadlock is the application's to try again, as ever.
                    while true {
                        do {
                            try await session.transaction { session in
                                guard try await session.query(statement).affectedRows > 0 else { return }
                                _ = try await session.query("UPDATE meant SET \(meant) WHERE id = \(id)")
                            }
                            break
                        } catch let error as PostgresError where error.sqlState == "40P01" {
                            state.withLock { $0.deadlocks += 1 }
                        } catch {
                            end()
                            throw error
                        }
                    }
                    state.withLock { $0.writes += 1 }
                }
            }
        }

        private static func old(_ id: Int, _ value: String, _ random: inout SplitMix) -> (String, String) {
            let set = [
                "street = \(value)", "city = \(value)", "street = NULL", "street = \(value), city = NULL",
            ].randomElement(using: &random)!
            return ("UPDATE people SET \(set) WHERE id = \(id)", set)
        }

        private static func new(_ id: Int, _ value: String, _ random: inout SplitMix) -> (String, String) {
            func update(_ street: String?, _ town: String?) -> (String, String) {
                let theirs = [street.map { "street = \($0)" }, town.map { "town = \($0)" }].compactMap(\.self)
                let set = theirs.joined(separator: ", ")
                return (
                    "UPDATE addresses SET \(set) WHERE person = \(id)", set.replacing("town", with: "city")
                )
            }
            switch Int.random(in: 0..<7, using: &random) {
            case 0: return update(value, nil)
            case 1: return update(nil, value)
            case 2: return update("NULL", nil)
            case 3: return update(value, "NULL")
            case 4: return ("DELETE FROM addresses WHERE person = \(id)", "street = NULL, city = NULL")
            default:
                return (
                    """
                    INSERT INTO addresses (person, street, town) VALUES (\(id), \(value), \(value))
                    ON CONFLICT (person) DO UPDATE SET street = excluded.street, town = excluded.town
                    """, "street = \(value), city = \(value)"
                )
            }
        }
    }
}
