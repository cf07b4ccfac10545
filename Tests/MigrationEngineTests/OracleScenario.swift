import Foundation
import PostgreSQL
import Synchronization
import TestSupport

/// Writers of both versions at a table while it is evolved, and what became of what they meant.
struct OracleScenario: Sendable {
    let database: EvolvedDatabase
    let rows: Int
    let seed: UInt64
    /// Whether the server may go away under the writers. They come back then, and what they were told nothing of is written
    /// with its meaning, or neither is.
    let hasOutages: Bool
    /// How long each writer rests after a statement.
    let rest: Duration
    private let tally = WriterTally()

    /// Makes the tables, filled.
    init(
        _ url: String, rows: Int, seed: UInt64, by: String = "Pages", hasOutages: Bool = false, rest: Duration = .zero
    ) async throws {
        database = EvolvedDatabase(url, name: "customers", chunkDuration: "2ms", by: by, changes: Self.changes)
        self.rows = rows
        self.seed = seed
        self.hasOutages = hasOutages
        self.rest = rest
        try await database.sql(Self.tables(rows: rows))
    }

    private static let changes = """
        - replaceColumns:
            table: customers
            from: [full_name]
            to: [{name: first_name, type: text}, {name: last_name, type: text}]
            forward:
              first_name: "\(Intent.first(of: "full_name"))"
              last_name: "\(Intent.last(of: "full_name"))"
            backward: {full_name: "first_name || ' ' || last_name"}
        - replaceColumns:
            table: customers
            from: [amount]
            to: [{name: cents, type: bigint}]
            forward: {cents: "amount::bigint * 100"}
            backward: {amount: "(cents / 100)::integer"}
        - replaceColumns:
            table: customers
            from: [region]
            to: [{name: area, type: text}]
            forward: {area: "upper(region)"}
            backward: {region: "lower(area)"}
        """

    /// A region that is renamed cascades to what its customers have, and in the same statement to what they mean.
    private static func tables(rows: Int) -> String {
        """
        CREATE TABLE regions (id int PRIMARY KEY, code text, meant text, UNIQUE (code, meant));
        INSERT INTO regions SELECT i, 'r' || i, 'r' || i FROM generate_series(1, \(ApplicationVersion.regions)) i;
        CREATE TABLE customers (
            id bigint PRIMARY KEY, full_name text, amount integer, region text, note text,
            s_name_side text NOT NULL DEFAULT 'o', s_full text, s_first text, s_last text,
            s_amount_side text NOT NULL DEFAULT 'o', s_amount integer, s_cents bigint, s_region text,
            FOREIGN KEY (region, s_region) REFERENCES regions (code, meant) ON UPDATE CASCADE
        );
        CREATE INDEX ON customers (region);
        INSERT INTO customers (id, full_name, s_full, amount, s_amount, region, s_region)
        SELECT i, name, name, amount, amount, region, region
        FROM (SELECT i, CASE i % 5 WHEN 0 THEN 'Cher' WHEN 1 THEN NULL ELSE 'Ann Bo ' || i END AS name,
            CASE WHEN i % 7 > 0 THEN i % 100 END AS amount, 'r' || (1 + i % \(ApplicationVersion.regions)) AS region
            FROM generate_series(1, \(rows)) i) given;
        ANALYZE customers;
        """
    }

    /// Runs `body` while two writers of the old version are at it. They, and those that it starts, have come to their end
    /// when this returns.
    func underLoad(_ body: (_ start: (ApplicationVersion) -> Void) async throws -> Void) async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            func start(_ version: ApplicationVersion) {
                for writer in 0..<2 { group.addTask { try await write(version, writer: writer) } }
            }
            start(.old)
            do {
                try await body(start)
            } catch {
                tally.stop()
                throw error
            }
            tally.stop()
            try await group.waitForAll()
        }
    }

    /// Waits until a version has written so many times more.
    func writes(_ count: Int, by version: ApplicationVersion) async throws {
        let goal = tally.count(of: version) + count
        try await eventually("\(count) writes of the \(version) version", within: .seconds(60)) {
            tally.count(of: version) >= goal
        }
    }

    /// Writes until it is told to stop, in one session while there are no outages.
    private func write(_ version: ApplicationVersion, writer: Int) async throws {
        let number = writer + (version == .new ? 2 : 0)
        var random = SplitMix(seed: seed &* 31 &+ UInt64(number))
        var newID = rows + 1 + number
        while !tally.isStopped {
            do {
                try await withConnection(database.url, name: "\(version)-version") { session in
                    while !tally.isStopped {
                        let statement = version.statement(ids: rows, newID: newID, &random)
                        newID += 4
                        try await write(statement, of: version, in: session)
                        if rest > .zero { try await Task.sleep(for: rest) }
                    }
                }
            } catch let error as PostgresError where hasOutages && error.isOutage {
                try await Task.sleep(for: .milliseconds(50))
            }
        }
    }

    private func write(_ statement: String, of version: ApplicationVersion, in session: PostgresConnection) async throws
    {
        do {
            try await session.query(statement)
            tally.wrote(version)
        } catch  where ["40P01", "23503"].contains(error.sqlState) {
            // A deadlock's victim, or a region that was renamed meanwhile: then nothing was meant.
        } catch  where hasOutages && error.isOutage {
            throw error
        } catch {
            throw TestFailure("\(version) version: \(error) in \(statement)")
        }
    }

    /// What the shadow columns say.
    struct Audit: Sendable, CustomStringConvertible {
        let rows: Int64
        /// Rows whose last writer's values are not on its side.
        let lost: Int64
        /// Rows that are, of either side, not what follows from what was meant last.
        let wrong: Int64
        /// Rows of which the new side was meant last by some writer.
        let newSide: Int64

        var description: String { "\(rows) rows, \(newSide) of the new side, \(lost) lost, \(wrong) wrong" }
    }

    func audit() async throws -> Audit {
        try await withConnection(database.url) { session in
            let row = try await session.query(Intent.audit).row()
            return Audit(
                rows: try row.integer("rows"),
                lost: try row.integer("lost"),
                wrong: try row.integer("wrong"),
                newSide: try row.integer("new_side")
            )
        }
    }
}

extension PostgresError {
    /// Whether the server is away, or the session.
    fileprivate var isOutage: Bool { sqlState == nil || isTransient && !isLostRace }
}

/// How often each version has written, and whether it is to stop.
private final class WriterTally: Sendable {
    private struct State {
        var written: [ApplicationVersion: Int] = [:]
        var isStopped = false
    }

    private let state = Mutex(State())

    var isStopped: Bool { state.withLock { $0.isStopped } }

    func count(of version: ApplicationVersion) -> Int { state.withLock { $0.written[version, default: 0] } }

    func wrote(_ version: ApplicationVersion) { state.withLock { $0.written[version, default: 0] += 1 } }

    func stop() { state.withLock { $0.isStopped = true } }
}
