import DurablePromises
import Foundation
import PostgreSQL
import SchemaChange
import TestSupport
import Testing

@testable import MigrationEngine

@Suite("The promises of a walk that another one took the place of", .serialized)
struct AbandonedWalksTests {
    private static let table = """
        CREATE TABLE t (id bigint PRIMARY KEY, a integer NOT NULL);
        INSERT INTO t SELECT i, i FROM generate_series(1, 100) i;
        """

    private static func spec(_ forward: String = "a::bigint", writer: DualWriter? = nil) -> MigrationSpec {
        let change = AlterColumn(
            table: "t", column: "a", to: NewColumn(name: "b", type: "bigint"), forward: forward,
            backward: "b::integer")
        var spec = EvolvingDatabase.spec([.alterColumn(change)], writer: writer)
        spec.approval = .required
        return spec
    }

    /// What is said of a promise of an earlier walk.
    private static func cancelled(_ why: String) -> String {
        #"rejected_canceled {"__type":"error","message":"\#(why)","name":"WalkEnded"}"#
    }

    @Test("are cancelled when it turns while it waits for approval; whoever waits is told, and no answer counts")
    func approval() async throws {
        try await EvolvingDatabase.with(Self.table) { database in
            let spec = Self.spec()
            try await database.walk(spec, to: .backfill)
            _ = try await database.obstacle(spec, to: .contract)
            let question = try await database.openQuestion()
            let root = String(question.dropLast(":approval".count))
            #expect(root.hasSuffix("/w2"))
            try await database.promises {
                _ = try await $0.registerListener(on: question, address: "poll://any@people")
            }
            // Whoever goes on with the walk settles nothing of it.
            let before = try await database.pending()
            #expect(before.hasPrefix("w2\nw2:approval\nw2:"))
            _ = try await database.obstacle(spec, to: .contract)
            #expect(try await database.pending() == before)

            // There is nothing to do on the way back, so nobody claims it.
            try await database.walk(spec, to: .backfill)
            #expect(try await database.pending() == "")
            let end = Self.cancelled("the walk \(root.dropLast())3 took its place")
            #expect(try await database.end(of: question) == end)
            #expect(try await database.end(of: root) == end)
            #expect(
                try await database.sql("SELECT promise FROM sluice.message WHERE address LIKE '%people'") == question)
            try await database.settle(question)
            #expect(try await database.end(of: question) == end)

            #expect(try await database.obstacle(spec, to: .contract).hasPrefix("WaitingForApproval: "))
            try await database.settle(try await database.openQuestion())
            try await database.walk(spec, to: .contract)
            #expect(try await database.pending() == "")
        }
    }

    @Test("are cancelled when somebody settles the root by mistake")
    func settledRoot() async throws {
        try await EvolvingDatabase.with(Self.table) { database in
            let spec = Self.spec()
            try await database.walk(spec, to: .backfill)
            _ = try await database.obstacle(spec, to: .contract)
            let first = try await database.openQuestion()
            try await database.settle(String(first.dropLast(":approval".count)))
            _ = try await database.obstacle(spec, to: .contract)
            let second = try await database.openQuestion()
            #expect(first.hasSuffix("/w2:approval") && second.hasSuffix("/w3:approval"))
            #expect(try await database.end(of: first).hasPrefix("rejected_canceled "))
        }
    }

    @Test("are cancelled when it turns while it waits for the declaration that everybody writes both sides")
    func declaration() async throws {
        try await EvolvingDatabase.with(Self.table) { database in
            let spec = Self.spec(writer: .application)
            _ = try await database.obstacle(spec, to: .backfill)
            let first = try await database.openQuestion()
            try await database.walk(spec, to: .expand)
            #expect(try await database.pending() == "")
            #expect(try await database.end(of: first).hasPrefix("rejected_canceled "))
            _ = try await database.obstacle(spec, to: .backfill)
            let second = try await database.openQuestion()
            #expect(second != first)
            try await database.walk(spec, to: .initial)
            #expect(try await database.end(of: second).hasPrefix("rejected_canceled "))
            #expect(try await database.pending() == "")
        }
    }

    @Test("are cancelled when it turns in the middle, another plan's as well, and those of other migrations stay")
    func middle() async throws {
        let other = "CREATE TABLE u (id bigint PRIMARY KEY, a integer NOT NULL); INSERT INTO u VALUES (1, 1);"
        try await EvolvingDatabase.with(Self.table + other) { database in
            // One of a name that begins alike.
            var neighbour = EvolvingDatabase.spec([
                .alterColumn(
                    AlterColumn(
                        table: "u", column: "a", to: NewColumn(name: "b", type: "bigint"), forward: "1 / (a - 1)",
                        backward: "b::integer"))
            ])
            neighbour.approval = .required
            #expect(try await database.obstacle(neighbour, to: .backfill, name: "ab").hasPrefix("RowFailed: "))
            let kept = try await database.pending()
            #expect(kept.hasPrefix("w1\nw1:backfill/"))
            try await database.promises { store in
                for id in ["migration/shop/a/notes", "migration/shop/a/7f3a/w0x", "migration/shop/a0"] {
                    _ = try await store.createPromise(id: id, timeoutAt: 4_102_444_800_000)
                }
            }

            let failing = Self.spec("1 / (a - 50)")
            #expect(try await database.obstacle(failing, to: .backfill).hasPrefix("RowFailed: "))
            let found = "SELECT id FROM sluice.promise WHERE state = 'pending' AND id LIKE 'migration/shop/a/%/w1%'"
            let left = try await database.sql(found).split(separator: "\n").map(String.init)
            #expect(left.count == 2 && left[1].contains("/w1:backfill/"))
            // Nobody depends on that plan, so it is undone, by a walk of its own, and another one is pinned.
            try await database.walk(Self.spec(), to: .backfill)
            for id in left {
                #expect(
                    try await database.end(of: id) == Self.cancelled("the walk \(left[0].dropLast())2 took its place"))
            }
            let pending =
                "SELECT id FROM sluice.promise WHERE state = 'pending' AND id LIKE 'migration/shop/a%' ORDER BY id"
            let stays = try await database.sql(pending).split(separator: "\n")
            #expect(stays.count == 5 && stays[0] == "migration/shop/a/7f3a/w0x" && stays[1] == "migration/shop/a/notes")
            #expect(stays[2] == "migration/shop/a0" && stays[3].hasPrefix("migration/shop/ab/"))
        }
    }

    @Test("are cancelled when the migration is removed, and only then")
    func removed() async throws {
        try await EvolvingDatabase.with(Self.table) { database in
            let name = MigrationName(namespace: "shop", name: "a")
            // Makes Sluice's own tables.
            try await database.walk(Self.spec(), to: .initial)
            try await database.sql(
                """
                CREATE FUNCTION no() RETURNS event_trigger LANGUAGE plpgsql AS $$ BEGIN
                    IF current_setting('application_name') LIKE 'sluice/w/%' THEN RAISE 'no'; END IF;
                END $$;
                CREATE EVENT TRIGGER no ON ddl_command_start WHEN TAG IN ('ALTER TABLE') EXECUTE FUNCTION no();
                """)
            #expect(try await database.obstacle(Self.spec(), to: .expand).hasPrefix("StatementFailed: "))
            let left = try await database.sql("SELECT id FROM sluice.promise WHERE state = 'pending' ORDER BY id")
            let ids = left.split(separator: "\n").map(String.init)
            #expect(ids.count == 2 && ids[0].hasSuffix("/w1"))
            try await database.engine.forget(name)
            for id in ids {
                #expect(try await database.end(of: id) == Self.cancelled("the migration shop/a was removed"))
            }
            try await database.engine.forget(name)

            // One of the same name has to do with nothing of it.
            try await database.sql("DROP EVENT TRIGGER no")
            try await database.walk(Self.spec(), to: .backfill)
            _ = try await database.obstacle(Self.spec(), to: .contract)
            let question = try await database.openQuestion()
            await #expect(throws: (any Error).self) { try await database.engine.forget(name) }
            #expect(try await database.openQuestion() == question)
        }
    }

    @Test("are cancelled by whoever goes on, when the worker that turned was killed before it did so")
    func killed() async throws {
        try await withTestDatabase { url in
            let database = EvolvedDatabase(
                url, fields: "approval: Required\n  contract: {soak: 0s, withoutRollouts: true}",
                changes: EvolvedDatabase.amountToCents)
            try await database.sql(
                "CREATE TABLE items (id bigint PRIMARY KEY, amount integer); INSERT INTO items VALUES (1, 1)")
            try await database.reach("Backfill")
            let asked = "SELECT id FROM sluice.promise WHERE id LIKE '%:approval' AND state = 'pending'"
            let question = try await database.running(to: "Contract") { process in
                let id = try await eventually("it asks", within: .seconds(30)) { () -> String? in
                    let found = try await database.sql(asked)
                    return found.isEmpty ? nil : found
                }
                process.terminate()
                try await process.waitForExit()
                return id
            }
            try await withConnection(url) { connection in
                // Nobody can settle it meanwhile.
                try await connection.execute("BEGIN")
                _ = try await connection.query("SELECT FROM sluice.promise WHERE id = $1 FOR UPDATE", [.text(question)])
                try await database.running(to: "Backfill") { process in
                    try await eventually("it turns", within: .seconds(30), every: .milliseconds(5)) {
                        try await database.sql("SELECT walk, target FROM sluice.migration") == "3|Backfill"
                    }
                    try await process.kill()
                }
                // The server would go on with what it was sent.
                try await eventually("its sessions are gone", within: .seconds(30)) {
                    try await database.sql(
                        """
                        SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity
                        WHERE datname = current_database() AND application_name LIKE 'sluice/%'
                        """) == "0"
                }
                try await connection.execute("ROLLBACK")
            }
            #expect(try await database.sql(asked) == question)
            try await database.reach("Backfill")
            #expect(try await database.sql(asked) == "")
            #expect(try await database.sql("SELECT walk FROM sluice.migration") == "3")
            let end = "SELECT state FROM sluice.promise WHERE id = '\(question)'"
            #expect(try await database.sql(end) == "rejected_canceled")
        }
    }

    @Test("are cancelled though a worker that is late believes to hold them: it changes nothing more")
    func late() async throws {
        try await withTestDatabase { url in
            let database = try await EvolvedDatabase.withItems(url, rows: 40_000)
            try await database.reach("DualWrite")
            try await database.running { late in
                try await late.chunksLogged(4)
                late.send(SIGSTOP)
                let attempts = ChunkAttempt.all(in: late.standardError).count
                try await eventually("its lease is over", within: .seconds(30)) {
                    try await database.run(to: "Expand", within: .seconds(30)).status == 0
                }
                let pending = "SELECT count(*) FROM sluice.promise WHERE state = 'pending' AND id LIKE 'migration/%'"
                #expect(try await database.sql(pending) == "0")
                let root = "SELECT state FROM sluice.promise WHERE id LIKE '%/w2'"
                #expect(try await database.sql(root) == "rejected_canceled")

                // It was told to go to Backfill, so it turns again, as a walk of its own.
                late.send(SIGCONT)
                #expect(try await late.waitForExit(within: .seconds(60)) == 0)
                let old = ChunkAttempt.all(in: late.standardError).filter { $0.epoch == 2 }
                #expect(old.count <= attempts + 2)
                #expect(try await database.sql("SELECT walk FROM sluice.migration") == "4")
                #expect(try await database.sql(pending) == "0")
                #expect(try await database.sql(root) == "rejected_canceled")
            }
            #expect(try await database.verify().status == 0)
        }
    }

    @Test("are told from others by their ids")
    func ids() {
        func number(_ id: String) -> Int64? { WalkID.number(id, of: "shop/a") }
        #expect(WalkID.of("shop/a", planHash: "sha256:7f3a99", walk: 3) == "migration/shop/a/7f3a/w3")
        #expect(number("migration/shop/a/7f3a/w3") == 3)
        #expect(number("migration/shop/a/7f3a/w12:backfill/0/fill") == 12)
        #expect(number("migration/shop/a/7f3a/w3-purge") == 3)
        #expect(number("migration/shop/a/7f3a/w3-purge:purge/0") == 3)
        for other in [
            "migration/shop/ab/7f3a/w3", "migration/shop/a/b/7f3a/w3", "migration/shop/a/notes",
            "migration/shop/a/7f3a/w",
            "migration/shop/a/7f3a/w3x", "migration/shop/a/7f3a/w3-purges", "migration/shop/a/7f3a/x3", "",
        ] {
            #expect(number(other) == nil)
        }
    }
}
