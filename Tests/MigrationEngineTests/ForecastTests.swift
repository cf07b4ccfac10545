import Backfill
import Foundation
import MigrationEngine
import SchemaChange
import Synchronization
import TestSupport
import Testing

/// At an even speed, which a machine that does much else keeps up with.
@Suite("The forecast of a backfill", .serialized)
struct ForecastTests {
    private static let rows = 30_000

    /// What was said of the fill.
    private final class Listener: Sendable {
        private struct State {
            /// When enough was done to tell, and when all was going to be.
            var forecast: (at: Date, completion: Date)?
            /// The last that was heard.
            var end: Date?
            var rowsDone: Int64 = 0
        }

        private let state = Mutex(State())
        private let enough: Int64

        /// - Parameter enough: rows after which it is to be right.
        init(after enough: Int) {
            self.enough = Int64(enough)
        }

        func hear(_ report: MigrationReport) {
            guard report.step == "Backfilling", let progress = report.progress, progress.rowsDone > 0 else { return }
            state.withLock { state in
                state.end = Date()
                state.rowsDone = progress.rowsDone
                if state.forecast == nil, progress.rowsDone >= enough, let completion = progress.estimatedCompletion {
                    state.forecast = (Date(), completion)
                }
            }
        }

        var rowsDone: Int64 { state.withLock { $0.rowsDone } }

        func expectRight(within part: Double) throws {
            let (forecast, end) = try state.withLock { (try #require($0.forecast), try #require($0.end)) }
            let said = forecast.completion.timeIntervalSince(forecast.at)
            let was = end.timeIntervalSince(forecast.at)
            #expect(was > 1, "too short to tell")
            #expect(abs(said / was - 1) < part, "it said \(said) s, it was \(was) s")
        }
    }

    private func withItems(
        by method: WalkMethod, _ body: (_ run: @escaping @Sendable (Listener) async throws -> Void) async throws -> Void
    ) async throws {
        try await EvolvingDatabase.with(
            """
            CREATE TABLE items (id bigint PRIMARY KEY, a integer NOT NULL, filler text);
            INSERT INTO items SELECT i, i, repeat('x', 200) FROM generate_series(1, \(Self.rows)) i; ANALYZE items;
            """
        ) { database in
            var spec = EvolvingDatabase.spec([
                .alterColumn(
                    AlterColumn(
                        table: "items", column: "a", to: NewColumn(name: "b", type: "bigint"), forward: "a::bigint",
                        backward: "b::integer"))
            ])
            var throttle = ThrottleSettings()
            throttle.maxRowsPerSecond = 5000
            // Other tests' are none of its business.
            throttle.serverWorkers = 1000
            // A chunk is paid for when it is done: a large one would be a good part of a tenth.
            spec.backfill = BackfillSettings(
                chunkDuration: SpecDuration(.milliseconds(5)), workers: 1, by: method, throttle: throttle)
            let final = spec
            try await body { listener in
                _ = try await database.engine.run(
                    MigrationName(namespace: "shop", name: "a"), uid: nil, spec: final, to: .backfill,
                    guards: EvolvingDatabase.AllowingGuards(), report: { listener.hear($0) })
            }
        }
    }

    @Test("is right within a fifth once a tenth is done", arguments: [WalkMethod.pages, .keys])
    func right(by method: WalkMethod) async throws {
        try await withItems(by: method) { run in
            let listener = Listener(after: Self.rows / 10)
            try await run(listener)
            try listener.expectRight(within: 0.2)
        }
    }

    /// The table has become longer by what is done.
    @Test("is right when the half was done by somebody who was interrupted")
    func resumed() async throws {
        try await withItems(by: .pages) { run in
            let first = Listener(after: Self.rows)
            let work = Task { try await run(first) }
            try await eventually("half of it is done", within: .seconds(30)) { first.rowsDone >= Self.rows / 2 }
            work.cancel()
            _ = await work.result

            let next = Listener(after: Self.rows * 11 / 20)
            try await run(next)
            // A second of what is left is not much.
            try next.expectRight(within: 0.35)
            #expect(abs(next.rowsDone - Int64(Self.rows)) < Self.rows / 20, "\(next.rowsDone)")
        }
    }
}
