import Foundation
import MigrationEngine
import SchemaChange
import Synchronization
import TestSupport
import Testing

/// Whoever turns round in the middle of Contract, or of the way back from it, at whatever step, arrives with everything.
@Suite("Turning round at Contract")
struct TurnTests {
    private static let orders = """
        CREATE TABLE orders (id serial PRIMARY KEY, parent int REFERENCES orders ON DELETE SET NULL);
        CREATE TABLE lines (
            order_id int NOT NULL REFERENCES orders ON DELETE CASCADE, place int, PRIMARY KEY (order_id, place));
        CREATE TABLE bills (id int PRIMARY KEY, order_id int REFERENCES orders);
        INSERT INTO orders (parent) VALUES (NULL), (1), (1);
        INSERT INTO lines VALUES (1, 1), (2, 1); INSERT INTO bills VALUES (1, 3);
        """

    private static let spec = EvolvingDatabase.spec(
        [("orders", "id"), ("orders", "parent"), ("lines", "order_id")].map { table, column in
            .alterColumn(AlterColumn(table: table, column: column, type: "bigint"))
        })

    @Test("of a key with the foreign keys that refer to it")
    func key() async throws {
        try await EvolvingDatabase.with(Self.orders) { database in
            let before = try await database.structure()
            for (start, target) in [(Phase.backfill, Phase.contract), (.contract, .backfill)] {
                try await database.walk(Self.spec, to: start)
                let there = try await database.structure()
                var steps = 1
                while try await Self.isStopped(on: database, to: target, after: steps) {
                    try await database.walk(Self.spec, to: start)
                    #expect(try await database.structure() == there, "after \(steps) steps to \(target.rawValue)")
                    steps += TestServers.isSoak ? 1 : 4
                }
                #expect(steps > 12)
            }
            try await database.walk(Self.spec, to: .initial)
            #expect(try await database.structure() == before)
            #expect(try await database.traces() == "")
        }
    }

    @Test("no moment of the way back is without a foreign key")
    func neverUnlinked() async throws {
        try await EvolvingDatabase.with(Self.orders) { database in
            try await database.walk(Self.spec, to: .contract)
            // At every step that is told, an orphan is tried.
            let refused = Mutex(0)
            let accepted = Mutex<[String]>([])
            let tries = AsyncStream.makeStream(of: String.self)
            let url = database.url
            async let tried: Void = {
                for await step in tries.stream {
                    let output = try await Program.run(
                        "psql", ["--no-psqlrc", "--quiet", "--command=INSERT INTO bills VALUES (9, 99)", url])
                    if output.status == 0 {
                        accepted.withLock { $0.append(step) }
                    } else {
                        refused.withLock { $0 += 1 }
                    }
                }
            }()
            let told = Mutex("")
            _ = try await database.engine.run(
                MigrationName(namespace: "shop", name: "a"), uid: nil, spec: Self.spec, to: .backfill,
                guards: EvolvingDatabase.AllowingGuards()
            ) { report in
                let text = "\(report.activity)"
                if told.withLock({ told in
                    defer { told = text }
                    return told != text
                }) {
                    tries.continuation.yield(text)
                }
            }
            tries.continuation.finish()
            try await tried
            #expect(accepted.withLock { $0 } == [])
            #expect(refused.withLock { $0 } > 10)
        }
    }

    /// Stops a walk when it has told of so many things; false when it arrives before.
    private static func isStopped(on database: EvolvingDatabase, to target: Phase, after steps: Int) async throws
        -> Bool
    {
        let told = Mutex(0)
        let walk = Mutex<Task<MigrationReport, any Error>?>(nil)
        let task = Task {
            try await database.engine.run(
                MigrationName(namespace: "shop", name: "a"), uid: nil, spec: spec, to: target,
                guards: EvolvingDatabase.AllowingGuards()
            ) { _ in
                let count = told.withLock { told in
                    told += 1
                    return told
                }
                if count >= steps { walk.withLock { $0?.cancel() } }
            }
        }
        walk.withLock { $0 = task }
        if told.withLock({ $0 >= steps }) { task.cancel() }
        do {
            _ = try await task.value
            return false
        } catch is CancellationError {
            return true
        }
    }
}
