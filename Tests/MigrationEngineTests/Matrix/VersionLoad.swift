import Foundation
import PostgreSQL
import Synchronization
import TestSupport

/// Both versions of an application at the table of a scenario: each writes and reads every few milliseconds, says what it
/// means, and finds what was meant last.
final class VersionLoad: Sendable {
    static let rows = 300
    private static let pause = Duration.milliseconds(5)

    private struct State {
        var allowed: Set<ApplicationVersion> = []
        var busy: Set<ApplicationVersion> = []
        var reads: Set<ApplicationVersion> = []
        var written: [ApplicationVersion: Int] = [:]
        var number = VersionLoad.rows
        var isOver = false
    }

    let stalls = StallLog()
    private let scenario: Scenario
    private let url: String
    private let seed: UInt64
    private let state = Mutex(State())

    init(_ scenario: Scenario, url: String, seed: UInt64) {
        self.scenario = scenario
        self.url = url
        self.seed = seed
    }

    /// Runs the body beside them. All have come to their end when this returns.
    func run(_ body: () async throws -> Void) async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            for version in ApplicationVersion.allCases { group.addTask { try await self.write(version) } }
            group.addTask { try await self.control() }
            group.addTask { try await self.watch() }
            do {
                try await body()
            } catch {
                state.withLock { $0.isOver = true }
                throw error
            }
            state.withLock { $0.isOver = true }
            try await group.waitForAll()
        }
    }

    /// From now on these versions are there, and no other: one that goes has finished what it was at.
    ///
    /// - Parameter reads: those that may read what others wrote, and find it right.
    func allow(_ versions: Set<ApplicationVersion>, reads: Set<ApplicationVersion>) async throws {
        state.withLock { ($0.allowed, $0.reads) = (versions, reads) }
        try await eventually("the others have gone", within: .seconds(30), every: .milliseconds(2)) {
            state.withLock { $0.busy.isSubset(of: $0.allowed) || $0.isOver }
        }
    }

    /// Waits until each version that is there has written so many times more.
    func writes(_ count: Int) async throws {
        let goals = state.withLock { state in state.allowed.map { ($0, state.written[$0, default: 0] + count) } }
        try await eventually("\(count) writes", within: .seconds(30), every: .milliseconds(5)) {
            state.withLock { state in state.isOver || goals.allSatisfy { state.written[$0.0, default: 0] >= $0.1 } }
        }
    }

    // MARK: Sessions

    private var isOver: Bool { state.withLock { $0.isOver } }

    private func name(_ version: ApplicationVersion) -> String { "\(version)-version" }

    private func write(_ version: ApplicationVersion) async throws {
        var random = SplitMix(seed: seed &* 2 &+ (version == .old ? 0 : 1))
        try await withConnection(url, name: name(version)) { session in
            while !isOver {
                let (may, reads, k) = state.withLock { state in
                    let may = state.allowed.contains(version)
                    if may { state.busy.insert(version) }
                    state.number += 1
                    return (may, state.reads.contains(version), state.number)
                }
                if may {
                    defer { state.withLock { _ = $0.busy.remove(version) } }
                    do {
                        try await once(version, k: k, reads: reads, on: session, &random)
                    } catch {
                        state.withLock { $0.isOver = true }
                        throw error
                    }
                    state.withLock { $0.written[version, default: 0] += 1 }
                }
                try await Task.sleep(for: Self.pause)
            }
        }
    }

    private func once(
        _ version: ApplicationVersion, k: Int, reads: Bool, on session: PostgresConnection, _ random: inout SplitMix
    ) async throws {
        let writes = scenario.version(version)
        let id = Int.random(in: 1...Self.rows, using: &random)
        let statement =
            switch Int.random(in: 0..<100, using: &random) {
            case ..<70: writes.update.update(id: id, k: k)
            case ..<90: writes.insert.insert(id: k, k: k)
            default: "DELETE FROM items WHERE id = \(k - 40)"
            }
        let look = scenario.flaws(of: version, id: id)
        do {
            try await stalls.timing(name(version)) { try await write(statement, on: session) }
            guard reads else { return }
            let flaws = try await stalls.timing(name(version)) { try await session.query(look) }.rows
            guard flaws.isEmpty else { throw TestFailure("\(version) version read \(Self.text(flaws))") }
        } catch let error as PostgresError {
            throw TestFailure("\(version) version: \(error) in \(statement); \(look)")
        }
    }

    /// Of two versions that move a row to another partition at once, PostgreSQL has one try again.
    private func write(_ statement: String, on session: PostgresConnection) async throws {
        for attempt in 1... {
            do {
                _ = try await session.query(statement)
                return
            } catch {
                guard error.sqlState == "40001", attempt < 10 else { throw error }
            }
        }
    }

    static func text(_ rows: [PostgresRow]) -> String {
        rows.map { "id \($0["id"] ?? "?"): \($0["found"] ?? "NULL"), meant \($0["meant"] ?? "NULL")" }
            .joined(separator: "; ")
    }

    /// Writes to a table that nobody else touches.
    private func control() async throws {
        try await withConnection(url, name: StallLog.control) { session in
            _ = try await session.query("CREATE UNLOGGED TABLE sluice.untouched (id int, n int)")
            _ = try await session.query("INSERT INTO sluice.untouched VALUES (1, 0)")
            while !isOver {
                try await stalls.timing(StallLog.control) {
                    _ = try await session.query("UPDATE sluice.untouched SET n = n + 1")
                }
                try await Task.sleep(for: Self.pause)
            }
        }
    }

    /// Looks who waits for whom.
    private func watch() async throws {
        try await withConnection(url, name: "watch") { session in
            while !isOver {
                let rows = try await session.query(
                    """
                    SELECT w.application_name AS waiting, b.application_name || ': ' || left(b.query, 70) AS blocker
                    FROM pg_stat_activity w CROSS JOIN LATERAL unnest(pg_blocking_pids(w.pid)) AS p(pid)
                    JOIN pg_stat_activity b ON b.pid = p.pid
                    WHERE w.datname = current_database() AND w.wait_event_type = 'Lock'
                        AND w.application_name LIKE '%-version' AND b.application_name LIKE 'sluice/%'
                    """
                ).rows
                for row in rows {
                    stalls.saw(try row.text("waiting"), blockedBy: try row.text("blocker"))
                }
                try await Task.sleep(for: .milliseconds(15))
            }
        }
    }
}
