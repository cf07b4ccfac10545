import Backfill
import Foundation
import PostgreSQL
import SchemaChange
import TestSupport
import Testing

@testable import MigrationEngine

/// An index takes its time, and may meet with anything meanwhile.
@Suite("An index that is built while others write")
struct IndexLifeTests {
    private static let items = "CREATE TABLE items (id int PRIMARY KEY, a text); INSERT INTO items VALUES (1, 'x');"
    private static let spec = EvolvingDatabase.spec([
        .createIndex(CreateIndex(table: "items", columns: [.init(column: "a")]))
    ])

    /// Every index that is not the key's: its name, its object's number, whether it is valid.
    private static let indexes = """
        SELECT relname, oid, indisvalid FROM pg_index JOIN pg_class ON oid = indexrelid
        WHERE indrelid = 'items'::regclass AND NOT indisprimary ORDER BY 1
        """
    private static let builds = """
        SELECT pid FROM pg_stat_activity
        WHERE datname = current_database() AND pid <> pg_backend_pid() AND query ~ '^(CREATE|DROP) (UNIQUE )?INDEX CONCURRENTLY'
            AND state = 'active'
        """

    /// A transaction that writes the table and does not end, so that no index can be built meanwhile.
    private func whileWritten(
        _ database: EvolvingDatabase, _ body: (PostgresConnection) async throws -> Void
    ) async throws {
        try await withConnection(database.url, name: "nightly-load") { writer in
            try await writer.query("BEGIN")
            try await writer.query("UPDATE items SET a = 'w' WHERE id = 1")
            try await body(writer)
        }
    }

    @Test("waits for transactions that began before, without an end and with nobody behind it, and names them")
    func waits() async throws {
        try await EvolvingDatabase.with(Self.items) { database in
            let told = Told()
            try await whileWritten(database) { writer in
                async let report = database.run(Self.spec, to: .backfill, telling: told)
                let name = "pid \(writer.processID) (nightly-load, user postgres, idle in transaction for "
                try await eventually("it names who it waits for") {
                    told.text.contains("waiting for writers before build") && told.text.contains("waits for \(name)")
                }
                let begun = try await database.sql(Self.indexes)
                // Longer than any of our sessions that lock would wait.
                try await eventually("two seconds and more", within: .seconds(20)) {
                    told.text.contains(/idle in transaction for [3-9] s/)
                }
                try await database.sql("INSERT INTO items VALUES (2, 'y'); UPDATE items SET a = 'z' WHERE id = 2")
                #expect(try await database.sql(Self.indexes) == begun, "the same build")
                try await writer.query("COMMIT")
                #expect(try await report.activity == .reached)
            }
            #expect(try await database.sql(Self.indexes).hasPrefix("items_a_idx|"))
            #expect(!told.text.contains("attempt"))
        }
    }

    @Test("is ended with its worker by whoever takes over, who clears away what is left of it and builds it again")
    func takeover() async throws {
        try await EvolvingDatabase.with(Self.items) { database in
            let evolved = EvolvedDatabase(
                database.url, changes: "- createIndex: {table: items, columns: [{column: a}]}")
            try await evolved.reach("DualWrite")
            try await whileWritten(database) { writer in
                let first = try await evolved.running { process in
                    let first = try await eventually("it builds", { try await database.sql(Self.builds) }) { $0 != "" }
                    try await process.kill()
                    return first
                }
                #expect(try await database.sql(Self.builds) == first, "it goes on without its worker")
                let left = try await database.sql(Self.indexes)
                #expect(left.hasPrefix("sluice_index_") && left.hasSuffix("|f"))
                try await evolved.running { process in
                    try await eventually("another one works on it") {
                        let now = try await database.sql(Self.builds)
                        return now != "" && now != first && !now.contains("\n")
                    }
                    try await writer.query("COMMIT")
                    #expect(try await process.waitForExit() == 0)
                }
                let built = try await database.sql(Self.indexes)
                #expect(built.hasPrefix("items_a_idx|") && built.hasSuffix("|t") && !built.contains("\n"))
            }
        }
    }

    @Test(
        "leaves nothing when its worker is killed and the way turns round",
        arguments: [
            ("createIndex: {table: items, columns: [{column: a}]}", "DualWrite", "Backfill", "Initial"),
            ("dropIndex: {table: items, name: there}", "Contract", "Backfill", "Contract"),
            ("dropConstraint: {table: items, name: one}", "Backfill", "Initial", "Backfill"),
        ])
    func turnsRound(change: String, start: String, way: String, wayBack: String) async throws {
        let setUp = "CREATE INDEX there ON items (a); ALTER TABLE items ADD CONSTRAINT one UNIQUE (a);"
        try await EvolvingDatabase.with(Self.items + setUp) { database in
            let before = try await database.structure()
            let evolved = EvolvedDatabase(
                database.url, fields: "contract: {soak: 0s, withoutRollouts: true}", changes: "- \(change)")
            try await evolved.reach(start)
            let atStart = try await database.structure()
            try await whileWritten(database) { writer in
                try await evolved.running(to: way) { process in
                    try await eventually("it builds") { try await database.sql(Self.builds) != "" }
                    try await process.kill()
                }
                #expect(try await database.sql(Self.indexes).contains("sluice_index_"))
                try await writer.query("COMMIT")
                try await evolved.reach(wayBack)
            }
            // A dump does not show one that is not valid.
            #expect(try await !database.sql(Self.indexes).contains("sluice_index_"))
            #expect(try await database.structure() == atStart)
            try await evolved.reach("Initial")
            #expect(try await database.structure() == before)
        }
    }

    @Test("gets its name when that is free, and is not built again for it")
    func nameTaken() async throws {
        try await EvolvingDatabase.with(Self.items) { database in
            try await database.walk(Self.spec, to: .dualWrite)
            try await database.sql("CREATE INDEX items_a_idx ON items (id, a)")
            #expect(try await database.obstacle(Self.spec, to: .backfill).hasPrefix("NameTaken: "))
            let built =
                "SELECT oid FROM pg_class WHERE relname ~ '^sluice_index_|items_a_idx' ORDER BY relname DESC LIMIT 1"
            let number = try await database.sql(built)
            try await database.sql("DROP INDEX items_a_idx")
            try await database.walk(Self.spec, to: .backfill)
            #expect(try await database.sql(built) == number)
        }
    }

    @Test("is begun by nobody who connected just when another one took over")
    func lateSession() async throws {
        try await EvolvingDatabase.with(Self.items) { database in
            try await database.walk(Self.spec, to: .dualWrite)
            let name = MigrationName(namespace: "shop", name: "a")
            let ledger = Ledger(name: name)
            try await withConnection(database.url, name: "holder") { holder in
                try await holder.query("BEGIN")
                try await holder.query("SELECT 1 FROM sluice.migration FOR SHARE")
                try await withConnection(database.url, name: "taker") { taker in
                    let record = try await ledger.read(taker)
                    let walk = record?.walk ?? 0
                    let fence = Task { try await ledger.mintFence(walk: walk, on: taker) }
                    // Whoever was there is ended by now; the next is not there yet.
                    try await eventually("it waits for the fence") {
                        try await database.sql(
                            "SELECT count(*) FROM pg_locks WHERE NOT granted AND pid = \(taker.processID)") == "1"
                    }
                    try await withConnection(database.url, name: WorkerName.of(ledger.id, epoch: 1)) { late in
                        try await holder.query("COMMIT")
                        _ = try await fence.value
                        try await eventually("it is ended") {
                            try await database.sql(
                                "SELECT count(*) FROM pg_stat_activity WHERE pid = \(late.processID)") == "0"
                        }
                    }
                }
            }
        }
    }

    @Test("is built by nobody whom another one has taken over from, though the session is a new one")
    func staleWorker() async throws {
        try await EvolvingDatabase.with(Self.items) { database in
            try await database.walk(Self.spec, to: .dualWrite)
            let ledger = Ledger(name: MigrationName(namespace: "shop", name: "a"))
            try await withConnection(database.url) { connection in
                let record = try await ledger.read(connection)
                let pool = PostgresPool(connection.configuration, maximum: 1)
                let old = try await ledger.mintFence(walk: record?.walk ?? 0, on: connection)
                let new = try await ledger.mintFence(walk: record?.walk ?? 0, on: connection)
                await #expect(throws: FenceLost.self) {
                    try await IndexSession(pool: pool, fence: old).run { _ in
                        Issue.record("it works")
                    } beside: { _ in
                    }
                }
                try await IndexSession(pool: pool, fence: new).run { session in
                    let limit = try await session.query("SHOW lock_timeout").row()
                    #expect(limit[0] == "0")
                } beside: { _ in
                }
                await pool.close()
            }
        }
    }

    @Test("is dropped, and built for a constraint, only once the old version is gone; nothing is begun before")
    func guarded() async throws {
        struct Refusing: MigrationGuards {
            func mayContract() async throws -> GuardVerdict { .waiting(reason: "OldVersionRuns", message: "it runs") }
            func mayGoBack(to phase: Phase) async throws -> GuardVerdict { .allowed }
        }
        for change in [
            Change.dropIndex(DropIndex(table: "items", name: "there")),
            .addConstraint(AddConstraint(table: "items", NewConstraint(name: "c", unique: .init(columns: ["a"])))),
        ] {
            try await EvolvingDatabase.with(Self.items + "CREATE INDEX there ON items (a);") { database in
                let spec = EvolvingDatabase.spec([change])
                try await database.walk(spec, to: .backfill)
                let before = try await database.structure()
                let report = try await database.run(spec, to: .contract, guards: Refusing())
                #expect(report.activity == .waiting(reason: "OldVersionRuns", message: "it runs"))
                #expect(try await database.structure() == before)
                #expect(try await database.sql("SELECT count(*) FROM sluice.step WHERE step LIKE 'contract/%'") == "0")
            }
        }
    }
}
