import DurablePromises
import MigrationEngine
import SchemaChange
import TestSupport
import Testing

/// A release that writes both sides itself, on a real server: what it may rely on, and which of its mistakes are found.
@Suite("dualWrite.by: Application", .serialized)
struct ApplicationWritesTests {
    private static let split = Change.replaceColumns(
        ReplaceColumns(
            table: "customers",
            from: ["full_name"],
            to: [NewColumn(name: "first_name", type: "text"), NewColumn(name: "last_name", type: "text")],
            forward: [
                "first_name": "split_part(full_name, ' ', 1)",
                "last_name": "substr(full_name, strpos(full_name || ' ', ' ') + 1)",
            ],
            backward: ["full_name": "first_name || ' ' || last_name"]
        )
    )

    private static let spec = EvolvingDatabase.spec([split], writer: .application)

    private static func customers(_ rows: Int) -> String {
        """
        CREATE TABLE customers (id bigint PRIMARY KEY, full_name text NOT NULL, note text);
        INSERT INTO customers SELECT i, 'Ada Nr' || i FROM generate_series(1, \(rows)) i;
        ANALYZE customers;
        """
    }

    /// The three versions of the application, as statements.
    private static func old(_ id: Int, _ name: String) -> String {
        "UPDATE customers SET full_name = '\(name)' WHERE id = \(id);"
    }
    private static func both(_ id: Int, _ first: String, _ last: String) -> String {
        """
        UPDATE customers SET full_name = '\(first) \(last)', first_name = '\(first)', last_name = '\(last)'
        WHERE id = \(id);
        """
    }
    private static func new(_ id: Int, _ first: String) -> String {
        "UPDATE customers SET first_name = '\(first)' WHERE id = \(id);"
    }

    private static func names(_ ids: String) -> String {
        "SELECT id, full_name, first_name, last_name FROM customers WHERE id IN (\(ids)) ORDER BY id"
    }

    /// Walks until it waits for the declaration, settles that, and walks to DualWrite.
    private static func declare(_ database: EvolvingDatabase, _ spec: MigrationSpec = spec) async throws {
        _ = try await database.obstacle(spec, to: .dualWrite)
        try await database.settle(try await database.openQuestion())
        try await database.walk(spec, to: .dualWrite)
    }

    @Test("nothing is filled until it is declared that every writer writes both sides; the answer holds until Expand")
    func declaration() async throws {
        try await EvolvingDatabase.with(Self.customers(50)) { database in
            let waiting = try await database.obstacle(Self.spec, to: .backfill)
            let first = try await database.openQuestion()
            #expect(first.hasPrefix("migration/shop/a/") && first.hasSuffix("/w1:dual-writes"))
            #expect(waiting.hasPrefix("WaitingForDualWrite: "))
            #expect(waiting.contains("sluice promise settle \(first) --state resolved"))
            // Another worker of the same walk asks the same question.
            #expect(try await database.obstacle(Self.spec, to: .backfill) == waiting)
            #expect(try await database.openQuestion() == first)
            #expect(try await database.sql("SELECT count(first_name) FROM customers") == "0")

            try await database.settle(first, .rejected, "the nightly job does not")
            let refused = try await database.obstacle(Self.spec, to: .backfill)
            #expect(
                refused.contains(#"both sides: "the nightly job does not"; to be asked again go to Expand"#),
                "\(refused)")
            #expect(refused.contains("sluice run --phase Expand, then --phase Backfill; in Kubernetes set spec.phase"))
            // Which is where it is, and is another walk all the same.
            #expect(try await database.sql("SELECT phase FROM sluice.migration") == "Expand")
            #expect(refused.hasPrefix("NotDualWriting: ") && refused.contains("promise \(first) is rejected"))
            #expect(try await database.sql("SELECT count(first_name) FROM customers") == "0")
            try await database.walk(Self.spec, to: .expand)
            _ = try await database.obstacle(Self.spec, to: .backfill)
            try await database.settle(try await database.openQuestion())
            let report = try await database.walk(Self.spec, to: .backfill)
            #expect(report.certificate?.rowsCompared == 50 && report.certificate?.mismatches == 0)
            // Walks that stay above Expand do not ask again.
            try await database.walk(Self.spec, to: .contract)
            try await database.walk(Self.spec, to: .dualWrite)
            try await database.walk(Self.spec, to: .backfill)
            try await database.walk(Self.spec, to: .expand)
            #expect(try await database.obstacle(Self.spec, to: .dualWrite).hasPrefix("WaitingForDualWrite: "))
        }
    }

    @Test("what a release wrote to both sides the backfill does not touch, and what the old one wrote it fills")
    func rollout() async throws {
        try await EvolvingDatabase.with(Self.customers(300)) { database in
            try await database.walk(Self.spec, to: .expand)
            // The release may begin once the columns are there. `forward` would make 'Mary' and 'Ann Smith' of it.
            try await database.sql(
                Self.both(1, "Mary Ann", "Smith") + Self.both(2, "Jean Paul", "Sartre") + Self.old(2, "Simone Weil"))
            _ = try await database.obstacle(Self.spec, to: .backfill)
            try await database.sql(
                """
                \(Self.both(3, "Billy Jean", "King"))
                \(Self.both(4, "Mary Ann", "Evans"))
                UPDATE customers SET note = 'x' WHERE id IN (3, 5);
                UPDATE customers SET full_name = 'Ada King', last_name = 'King' WHERE id = 6;
                INSERT INTO customers (id, full_name) VALUES (400, 'Cher ');
                INSERT INTO customers (id, full_name, first_name, last_name) VALUES (401, 'Anna Lena X', 'Anna Lena', 'X');
                """)
            #expect(try await database.sql(Self.names("2, 400")) == "2|Simone Weil|Jean Paul|Sartre\n400|Cher ||")
            try await database.settle(try await database.openQuestion())
            let report = try await database.walk(Self.spec, to: .backfill)
            #expect(report.certificate?.rowsCompared == 302 && report.certificate?.newSide == 5)
            #expect(
                try await database.sql(Self.names("1, 2, 3, 4, 5, 6, 400, 401")) == """
                    1|Mary Ann Smith|Mary Ann|Smith
                    2|Simone Weil|Simone|Weil
                    3|Billy Jean King|Billy Jean|King
                    4|Mary Ann Evans|Mary Ann|Evans
                    5|Ada Nr5|Ada|Nr5
                    6|Ada King|Ada|King
                    400|Cher |Cher|
                    401|Anna Lena X|Anna Lena|X
                    """)
        }
    }

    @Test("a write of the old side alone is found by the proof, whenever it came after the declaration")
    func missing() async throws {
        try await EvolvingDatabase.with(Self.customers(300)) { database in
            try await Self.declare(database)
            // Before the backfill came by: it is not filled over, for that would hide who wrote it.
            try await database.sql(
                Self.old(7, "Mei Lin") + "INSERT INTO customers (id, full_name) VALUES (301, 'Bo Li');")
            let found = try await database.obstacle(Self.spec, to: .backfill)
            #expect(found.hasPrefix("DualWriteMissing: ") && found.contains("keys (7), (301);"), "\(found)")
            #expect(try await database.sql(Self.names("7")) == "7|Mei Lin||")
            try await database.sql(Self.both(7, "Mei", "Lin") + Self.both(301, "Bo", "Li"))
            try await database.walk(Self.spec, to: .backfill)

            try await database.sql(Self.old(8, "Aiko Zhang"))
            let broken = try await database.obstacle(Self.spec, to: .backfill)
            #expect(broken.hasPrefix("DualWriteMissing: ") && broken.contains("keys (8);"), "\(broken)")
            let proof = try await database.engine.checkProof(MigrationName(namespace: "shop", name: "a"))
            guard case .broken(let reason) = proof else { throw TestFailure("the proof was to be broken: \(proof)") }
            #expect(reason.contains("keys (8);"))
            #expect(try await database.obstacle(Self.spec, to: .contract).hasPrefix("DualWriteMissing: "))
            #expect(try await database.sql("SELECT count(full_name) FROM customers") == "301")

            // Many such rows are mended by coming again.
            try await database.walk(Self.spec, to: .expand)
            try await Self.declare(database)
            try await database.walk(Self.spec, to: .backfill)
            #expect(try await database.sql(Self.names("7, 8")) == "7|Mei Lin|Mei|Lin\n8|Aiko Zhang|Aiko|Zhang")
        }
    }

    @Test("a write of both sides that do not agree is let through, named, and overwritten by nobody")
    func disagreeing() async throws {
        try await EvolvingDatabase.with(Self.customers(20)) { database in
            try await Self.declare(database)
            try await database.sql(
                """
                UPDATE customers SET full_name = 'A B', first_name = 'C', last_name = 'D' WHERE id = 3;
                UPDATE customers SET full_name = full_name, first_name = 'Eve', last_name = 'X' WHERE id = 4;
                INSERT INTO customers VALUES (21, 'E F', NULL, 'G', 'H');
                """)
            let found = try await database.obstacle(Self.spec, to: .backfill)
            #expect(found.hasPrefix("Mismatch: ") && found.contains("keys (3), (4), (21);"), "\(found)")
            #expect(try await database.sql(Self.names("3, 4, 21")) == "3|A B|C|D\n4|Ada Nr4|Eve|X\n21|E F|G|H")
            try await database.sql(Self.both(3, "C", "D") + Self.both(4, "Eve", "X") + Self.both(21, "G", "H"))
            try await database.walk(Self.spec, to: .backfill)
        }
    }

    @Test("the version that comes after writes new columns alone: the old side follows, before Contract and behind it")
    func successor() async throws {
        try await EvolvingDatabase.with(Self.customers(20)) { database in
            let before = try await database.structure()
            try await Self.declare(database)
            try await database.walk(Self.spec, to: .backfill)
            try await database.sql(
                Self.new(1, "Eve")
                    + "INSERT INTO customers (id, first_name, last_name) VALUES (30, 'Cy', 'Young');")
            #expect(try await database.sql(Self.names("1, 30")) == "1|Eve Nr1|Eve|Nr1\n30|Cy Young|Cy|Young")
            try await database.walk(Self.spec, to: .contract)
            try await database.sql(Self.new(2, "Zoe"))
            try await database.walk(Self.spec, to: .backfill)
            #expect(try await database.sql(Self.names("1, 2")) == "1|Eve Nr1|Eve|Nr1\n2|Zoe Nr2|Zoe|Nr2")
            try await database.sql(Self.old(3, "Mei Lin"))
            #expect(try await database.obstacle(Self.spec, to: .backfill).hasPrefix("DualWriteMissing: "))
            try await database.walk(Self.spec, to: .initial)
            #expect(try await database.structure() == before)
            #expect(try await database.traces() == "")
        }
    }

    @Test("a trigger of the user's sees a whole row, and what it makes of the new side the old one follows")
    func triggerBetween() async throws {
        let trigger = """
            CREATE FUNCTION shout() RETURNS trigger LANGUAGE plpgsql AS
                $$ BEGIN NEW.note := NEW.full_name; NEW.first_name := upper(NEW.first_name); RETURN NEW; END $$;
            """
        try await EvolvingDatabase.with(Self.customers(5) + trigger) { database in
            try await Self.declare(database)
            try await database.walk(Self.spec, to: .backfill)
            try await database.sql(
                """
                CREATE TRIGGER shout BEFORE UPDATE ON customers FOR EACH ROW EXECUTE FUNCTION shout();
                \(Self.new(1, "Eve"))
                """)
            #expect(try await database.sql(Self.names("1")) == "1|EVE Nr1|EVE|Nr1")
            #expect(try await database.sql("SELECT note FROM customers WHERE id = 1") == "Eve Nr1")
            try await database.walk(Self.spec, to: .backfill)
        }
    }

    @Test("a write of the old side alone that comes with the last look before Contract stops it")
    func lastMoment() async throws {
        try await EvolvingDatabase.with(Self.customers(20)) { database in
            try await Self.declare(database)
            try await database.walk(Self.spec, to: .backfill)
            struct LateWriter: MigrationGuards {
                let database: EvolvingDatabase
                func mayContract() async throws -> GuardVerdict {
                    try await database.sql(ApplicationWritesTests.old(5, "Mei Lin"))
                    return .allowed
                }
                func mayGoBack(to phase: Phase) async throws -> GuardVerdict { .allowed }
            }
            let report = try await database.run(Self.spec, to: .contract, guards: LateWriter(database: database))
            guard case .stalled("DualWriteMissing", let message) = report.activity else {
                throw TestFailure("it was to stall: \(report.activity)")
            }
            #expect(message.contains("keys (5);"))
            #expect(try await database.sql("SELECT full_name FROM customers WHERE id = 5") == "Mei Lin")
        }
    }

    @Test("a write of the old side alone is found though its row had been compared, and the proof was on its way")
    func whileProving() async throws {
        // It takes a second to compare the second table.
        let setUp = """
            CREATE TABLE t (id bigint PRIMARY KEY, a integer); INSERT INTO t SELECT i, i FROM generate_series(1, 9) i;
            CREATE TABLE u (id bigint PRIMARY KEY, a integer); INSERT INTO u SELECT i, i FROM generate_series(1, 9) i;
            CREATE FUNCTION slow(integer) RETURNS integer IMMUTABLE LANGUAGE plpgsql
                AS $$ BEGIN PERFORM pg_sleep(0.1); RETURN $1; END $$;
            """
        try await EvolvingDatabase.with(setUp) { database in
            func change(_ table: String, _ forward: String) -> Change {
                .alterColumn(
                    AlterColumn(
                        table: table, column: "a", to: NewColumn(name: "b", type: "integer"), forward: forward,
                        backward: "b + 1"))
            }
            let spec = EvolvingDatabase.spec([change("t", "a"), change("u", "slow(a)")], writer: .application)
            try await Self.declare(database, spec)
            async let proving = database.obstacle(spec, to: .backfill)
            let compared = "SELECT count(*) FROM sluice.checkpoint WHERE step = 'backfill/verify/0' AND done"
            try await eventually("the first table is compared", within: .seconds(20), every: .milliseconds(5)) {
                try await database.sql(compared) == "1"
            }
            try await database.sql("UPDATE t SET a = 100 WHERE id = 3")
            let found = try await proving
            #expect(found.hasPrefix("DualWriteMissing: ") && found.contains("public.t and not the new ones"))
            #expect(found.contains("keys (3);"))
            #expect(try await database.sql("SELECT certificate IS NULL FROM sluice.migration") == "t")
        }
    }

    @Test("rows that were written past the triggers are found by what they hold")
    func pastTriggers() async throws {
        try await EvolvingDatabase.with(Self.customers(20)) { database in
            try await Self.declare(database)
            try await database.walk(Self.spec, to: .backfill)
            try await database.walk(Self.spec, to: .dualWrite)
            try await database.sql(
                """
                ALTER TABLE customers DISABLE TRIGGER USER;
                \(Self.old(4, "Mei Lin"))
                \(Self.both(5, "Mary Ann", "Lee"))
                ALTER TABLE customers ENABLE TRIGGER USER;
                """)
            try await database.walk(Self.spec, to: .dualWrite)
            let found = try await database.obstacle(Self.spec, to: .backfill)
            #expect(found.hasPrefix("Mismatch: 1 of 20 rows") && found.contains("keys (4);"), "\(found)")
        }
    }

    @Test("a write is let through though an expression fails on it, and is named")
    func failing() async throws {
        let setUp =
            "CREATE TABLE t (id bigint PRIMARY KEY, a integer); INSERT INTO t SELECT i, i FROM generate_series(1, 9) i;"
        try await EvolvingDatabase.with(setUp) { database in
            let change = Change.alterColumn(
                AlterColumn(
                    table: "t", column: "a", to: NewColumn(name: "b", type: "integer"), forward: "100 / a",
                    backward: "100 / b"))
            let spec = EvolvingDatabase.spec([change], writer: .application)
            try await database.walk(spec, to: .expand)
            try await database.sql("UPDATE t SET a = 0, b = 0 WHERE id = 1; UPDATE t SET a = 0 WHERE id = 2")
            #expect(try await database.sql("SELECT id FROM t WHERE a = 0 ORDER BY id") == "1\n2")
            _ = try await database.obstacle(spec, to: .backfill)
            try await database.settle(try await database.openQuestion())
            // What cannot be computed has a key, as ever.
            let failed = try await database.obstacle(spec, to: .backfill)
            #expect(failed.hasPrefix("RowFailed: ") && failed.contains("(id) = (2)"), "\(failed)")
        }
    }

    @Test("loses no write of a release while the backfill runs")
    func underLoad() async throws {
        try await EvolvingDatabase.with(
            Self.customers(30_000)
                + "ALTER TABLE customers ADD meant text; UPDATE customers SET meant = full_name || '|';"
        ) { database in
            var spec = Self.spec
            spec.backfill = BackfillSettings(chunkDuration: SpecDuration(.milliseconds(1)), workers: 1)
            try await Self.declare(database)
            try await withThrowingTaskGroup(of: Void.self) { group in
                for writer in 0..<3 {
                    group.addTask {
                        var random = SplitMix(seed: UInt64(writer))
                        while !Task.isCancelled {
                            let id = Int.random(in: 1...30_000, using: &random)
                            let first = "N N\(Int.random(in: 0...999, using: &random))"
                            try await database.sql(
                                """
                                UPDATE customers SET full_name = '\(first) Z', first_name = '\(first)', last_name = 'Z',
                                    meant = '\(first) Z|\(first)' WHERE id = \(id)
                                """)
                        }
                    }
                }
                try await database.walk(spec, to: .backfill)
                group.cancelAll()
                while let result = await group.nextResult() { _ = result }
            }
            try await database.walk(Self.spec, to: .backfill)
            let lost = """
                SELECT count(*) FROM customers WHERE meant IS DISTINCT FROM
                    full_name || '|' || CASE WHEN meant LIKE 'N N%' THEN first_name ELSE '' END
                """
            #expect(try await database.sql(lost) == "0")
            #expect(try await database.sql("SELECT count(*) > 20 FROM customers WHERE meant LIKE 'N N%'") == "t")
        }
    }

    @Test("sluice plan shows the wait; sluice run waits with the command, and asks the same after a crash")
    func commandLine() async throws {
        try await withTestDatabase { url in
            let database = EvolvedDatabase(
                url, fields: "dualWrite: {by: Application}", changes: EvolvedDatabase.amountToCents)
            try await database.sql(
                "CREATE TABLE items (id bigint PRIMARY KEY, amount integer); INSERT INTO items VALUES (1, 7)")
            let plan = try await runSluice(
                "plan", "-f", "-", environment: ["SLUICE_DATABASE_URL": url], input: database.manifest)
            #expect(plan.standardOutput.contains("waiting until it is declared that every writer writes both sides"))
            #expect(plan.standardOutput.contains("sluice promise settle <promise of the walk>:dual-writes"))

            func command(_ process: SluiceProcess) async throws -> String {
                try await eventually("it says what it waits for", within: .seconds(30)) {
                    process.standardError.split(separator: "\n").first { $0.contains("waiting (WaitingForDualWrite)") }
                        .flatMap { line in line.split(separator: ": sluice ").last.map(String.init) }
                }
            }
            let first = try await database.running { process in
                let first = try await command(process)
                try await process.kill()
                return first
            }
            try await database.running { process in
                let again = try await command(process)
                #expect(again == first)
                let settled = try await Program.run(
                    TestServers.sluice, again.split(separator: " ").map(String.init),
                    environment: ["SLUICE_DATABASE_URL": url])
                #expect(settled.status == 0, "\(again): \(settled.standardError)")
                #expect(try await process.waitForExit(within: .seconds(30)) == 0)
            }
            #expect(try await database.sql("SELECT cents FROM items") == "700")
        }
    }

    @Test("a column without another side keeps its triggers, and who writes is part of the plan")
    func mixed() async throws {
        try await EvolvingDatabase.with(Self.customers(20)) { database in
            let letters = Change.addColumn(
                AddColumn(
                    table: "customers", column: NewColumn(name: "letters", type: "integer"),
                    forward: "length(note)"))
            let mixed = EvolvingDatabase.spec([letters, Self.split], writer: .application)
            try await Self.declare(database, mixed)
            try await database.walk(mixed, to: .backfill)
            try await database.sql(Self.both(1, "Mei", "Lin") + "UPDATE customers SET note = 'abc' WHERE id = 1")
            #expect(try await database.sql("SELECT letters, first_name FROM customers WHERE id = 1") == "3|Mei")
            let changed = EvolvingDatabase.spec([letters, Self.split])
            #expect(try await database.obstacle(changed, to: .backfill).hasPrefix("PlanChanged: "))
        }
    }
}
