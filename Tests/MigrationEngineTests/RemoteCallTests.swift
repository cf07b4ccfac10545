import Backfill
import DurablePromises
import Foundation
import MigrationEngine
import SchemaChange
import Synchronization
import TestSupport
import Testing

/// What is left of the rows that a worker was asked about, when nobody needs it any more: nothing.
@Suite("The calls of a remote step", .serialized)
struct RemoteCallTests {
    private static let spec = EvolvingDatabase.spec([
        .replaceColumns(
            ReplaceColumns(
                table: "customers",
                from: ["full_name"],
                to: [NewColumn(name: "first_name", type: "text"), NewColumn(name: "last_name", type: "text")],
                forwardBy: RemoteForward(target: "poll://any@names", function: "split_name"),
                backward: ["full_name": "first_name || coalesce(' ' || last_name, '')"]
            )
        )
    ])

    private static func customers(_ rows: Int) -> String {
        """
        CREATE TABLE customers (id bigint PRIMARY KEY, full_name text);
        INSERT INTO customers SELECT i, 'Ada' || i || ' van der Berg' FROM generate_series(1, \(rows)) i;
        ANALYZE customers;
        """
    }

    /// How many promises have values of the rows in them, as a worker was sent them or sent them back.
    private static let withRows = """
        SELECT count(*) FROM sluice.promise p
        WHERE concat(convert_from(decode(p.param ->> 'data', 'base64'), 'UTF8'),
            convert_from(decode(p.value ->> 'data', 'base64'), 'UTF8')) LIKE '%Ada%'
        """

    /// What else was kept of calls.
    private static let attachments = """
        SELECT id FROM sluice.task WHERE id LIKE '%:%'
        UNION ALL SELECT id FROM sluice.timer WHERE id LIKE '%:%'
        UNION ALL SELECT key FROM sluice.message WHERE key LIKE '%:%'
        """

    private static func expectNothing(_ database: EvolvingDatabase, _ when: Comment) async throws {
        #expect(try await database.sql(withRows) == "0", when)
        #expect(try await database.sql(attachments) == "", when)
    }

    /// As long as it is there, a process seems to be killed just before it would have removed a call.
    private static let keeping = """
        CREATE FUNCTION keep() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NULL; END $$;
        CREATE TRIGGER keep BEFORE DELETE ON sluice.promise FOR EACH ROW EXECUTE FUNCTION keep();
        """
    private static let notKeeping = "DROP TRIGGER keep ON sluice.promise; DROP FUNCTION keep"

    @Test("are gone as soon as their answers are applied, and the proof needs none of them")
    func applied() async throws {
        try await EvolvingDatabase.with(Self.customers(2500)) { database in
            let kept = Mutex<[String]>([])
            try await RemoteWorker.serving(database.url) { rows, call in
                let settled = try await database.sql("\(Self.withRows) AND p.state <> 'pending'")
                kept.withLock { $0.append(settled) }
                return .rows(RemoteWorker.split(rows))
            } while: {
                try await database.walk(Self.spec, to: .backfill)
                try await Self.expectNothing(database, "when it is proven")
                try await database.sql("UPDATE customers SET full_name = 'Ada Byron' WHERE id < 4")
                try await database.walk(Self.spec, to: .backfill)
                try await Self.expectNothing(database, "when rows were written since")
            }
            let counts = kept.withLock { $0 }
            #expect(counts.count > 6 && counts.allSatisfy { $0 == "0" }, "\(counts)")
            let name = MigrationName(namespace: "shop", name: "a")
            guard case .holds(let certificate) = try await database.engine.checkProof(name) else {
                throw TestFailure("the proof is to hold")
            }
            #expect(certificate.rowsCompared == 2500)
            let compared = try await database.engine.compareRows(name)
            #expect(compared?.tally.rows == 2500 && compared?.tally.mismatches == 0)
        }
    }

    @Test("that an engine left which was killed behind a chunk are gone at the end, and nobody is asked again")
    func left() async throws {
        try await EvolvingDatabase.with(Self.customers(600)) { database in
            let halt = Halt()
            let times = Mutex<[String: Int]>([:])
            try await RemoteWorker.serving(database.url, lease: 60_000) { rows, call in
                times.withLock { times in
                    for row in rows { times[row.key, default: 0] += 1 }
                }
                if call == 2 {
                    await halt.stop()
                }
                return .rows(RemoteWorker.split(rows))
            } while: {
                try await database.walk(Self.spec, to: .dualWrite)
                try await database.sql(Self.keeping)
                let run = Task { try await database.run(Self.spec, to: .backfill) }
                await halt.reached()
                run.cancel()
                _ = await run.result
                #expect(try await database.sql("\(Self.withRows) AND p.state <> 'pending'") == "1")
                #expect(try await database.sql("\(Self.withRows) AND p.state = 'pending'") == "1")
                try await database.sql(Self.notKeeping)
                halt.release()
                try await database.walk(Self.spec, to: .backfill)
                try await Self.expectNothing(database, "when it is proven")
            }
            #expect(times.withLock { $0 }.count == 600 && times.withLock { $0 }.allSatisfy { $0.value == 2 })
        }
    }

    @Test("that are settled and not applied are kept, for the engine that comes next")
    func unapplied() async throws {
        try await EvolvingDatabase.with(Self.customers(300)) { database in
            let halt = Halt()
            let calls = Atomic(0)
            try await RemoteWorker.serving(database.url, lease: 60_000) { rows, call in
                calls.add(1, ordering: .relaxed)
                if call == 1 {
                    await halt.stop()
                }
                return .rows(RemoteWorker.split(rows))
            } while: {
                let run = Task { try await database.run(Self.spec, to: .backfill) }
                await halt.reached()
                run.cancel()
                _ = await run.result
                halt.release()
                try await eventually("it is answered") {
                    try await database.sql("\(Self.withRows) AND p.state = 'resolved'") == "1"
                }
                // From the checkpoint on it is asked for again.
                await #expect(throws: (any Error).self) {
                    try await database.engine.forget(MigrationName(namespace: "shop", name: "a"))
                }
                #expect(try await database.sql("\(Self.withRows) AND p.state = 'resolved'") == "1")
                let before = calls.load(ordering: .relaxed)
                try await database.walk(Self.spec, to: .backfill)
                #expect(before == 1)
                try await Self.expectNothing(database, "when it is proven")
            }
            let rows = try await database.sql("SELECT sum(rows) FROM sluice.checkpoint")
            #expect(rows == "600", "each filled once and compared once")
        }
    }

    @Test("of a walk that is given up, pending or left, go with the walk that leads back, or with the Migration")
    func abandoned() async throws {
        try await EvolvingDatabase.with(Self.customers(300)) { database in
            try await RemoteWorker.serving(database.url) { rows, call in
                call == 1 ? .rows(RemoteWorker.split(rows)) : .nothing
            } while: {
                try await database.walk(Self.spec, to: .dualWrite)
                try await database.sql(Self.keeping)
                let run = Task { try await database.run(Self.spec, to: .backfill) }
                try await eventually("one is answered and one is not", within: .seconds(20)) {
                    let pending = try await database.sql("\(Self.withRows) AND p.state = 'pending'")
                    let settled = try await database.sql("\(Self.withRows) AND p.state <> 'pending'")
                    return pending == "1" && settled == "1"
                }
                run.cancel()
                _ = await run.result
                // What the walk back cannot remove goes with the Migration.
                try await database.walk(Self.spec, to: .initial)
                #expect(try await database.sql(Self.withRows) == "2")
                try await database.sql(Self.notKeeping)
                try await database.engine.forget(MigrationName(namespace: "shop", name: "a"))
                try await Self.expectNothing(database, "when it is forgotten")

                let again = Task { try await database.run(Self.spec, to: .backfill) }
                try await eventually("one is pending", within: .seconds(20)) {
                    try await database.sql("\(Self.withRows) AND p.state = 'pending'") == "1"
                }
                again.cancel()
                _ = await again.result
                try await database.walk(Self.spec, to: .initial)
                try await Self.expectNothing(database, "when it is undone")
            }
        }
    }

    /// Does something in the transaction that applies the first answer: as soon as it is over, another engine is there.
    private static func afterFirstAnswer(_ statement: String) -> String {
        """
        CREATE FUNCTION take_over() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN \(statement); RETURN NULL; END $$;
        CREATE TRIGGER take_over AFTER UPDATE ON sluice.checkpoint FOR EACH ROW WHEN (NEW.calls = 1)
            EXECUTE FUNCTION take_over();
        """
    }

    @Test("are not removed by an engine that was taken over from")
    func fencedRemoval() async throws {
        try await EvolvingDatabase.with(Self.customers(300)) { database in
            try await RemoteWorker.serving(database.url) {
                try await database.walk(Self.spec, to: .dualWrite)
                try await database.sql(Self.afterFirstAnswer("UPDATE sluice.migration SET fence = fence + 1"))
                #expect(try await database.obstacle(Self.spec, to: .backfill).hasPrefix("HeldByAnotherWorker: "))
                #expect(try await database.sql("\(Self.withRows) AND p.id LIKE '%.0.0'") == "1", "the first one")
                try await database.sql("DROP TRIGGER take_over ON sluice.checkpoint")
                try await database.walk(Self.spec, to: .backfill)
                try await Self.expectNothing(database, "when it is proven")
            }
        }
    }

    @Test("are not made by an engine that was taken over from, which would ask again about what is done")
    func fencedCall() async throws {
        try await EvolvingDatabase.with(Self.customers(300)) { database in
            let calls = Atomic(0)
            try await RemoteWorker.serving(database.url) { rows, _ in
                calls.add(1, ordering: .relaxed)
                return .rows(RemoteWorker.split(rows))
            } while: {
                try await database.walk(Self.spec, to: .dualWrite)
                try await database.sql(
                    Self.afterFirstAnswer(
                        "UPDATE sluice.task SET version = version + 1 WHERE id NOT LIKE '%:%' AND state = 'acquired'"))
                #expect(try await database.obstacle(Self.spec, to: .backfill).hasPrefix("HeldByAnotherWorker: "))
                #expect(calls.load(ordering: .relaxed) == 1)
                #expect(try await database.sql(Self.withRows) == "0")
            }
        }
    }
}
