import MigrationEngine
import SchemaChange
import TestSupport
import Testing

/// What somebody else changes of the catalog between two phases is found before anything is done about it.
@Suite("drift")
struct DriftTests {
    private static let table = """
        CREATE TABLE t (id bigint PRIMARY KEY, a varchar(20), n int);
        INSERT INTO t SELECT i, 'v' || i, i FROM generate_series(1, 50) i;
        """
    private static let spec = EvolvingDatabase.spec([
        .replaceColumns(
            ReplaceColumns(
                table: "t", from: ["a"], to: [NewColumn(name: "b", type: "text", nullable: false)],
                forward: ["b": "coalesce(a, '') || ''"], backward: ["a": "b"])),
        .createIndex(CreateIndex(table: "t", name: "t_b", columns: [.init(column: "n")])),
    ])

    @Test(
        "is Stalled, and names what differs; put back, it goes on",
        arguments: [
            (
                .expand, "ALTER TABLE t DROP COLUMN b", "column b of public.t is missing",
                "ALTER TABLE t ADD COLUMN b text"
            ),
            (
                .expand, "ALTER TABLE t RENAME COLUMN b TO c", "column b of public.t is missing",
                "ALTER TABLE t RENAME COLUMN c TO b"
            ),
            (
                .expand, "ALTER TABLE t ALTER COLUMN b TYPE varchar(3)",
                "column b of public.t is character varying(3), not text",
                "ALTER TABLE t ALTER COLUMN b TYPE text"
            ),
            (
                .expand, "ALTER TABLE t ALTER COLUMN a TYPE varchar(9)",
                "column a of public.t is character varying(9), not character varying(20)",
                "ALTER TABLE t ALTER COLUMN a TYPE varchar(20)"
            ),
            (
                .backfill, "DROP INDEX t_b", "index t_b of public.t is missing", "CREATE INDEX t_b ON t (n)"
            ),
        ] as [(Phase, String, String, String)]
    )
    func stalled(at phase: Phase, harm: String, message: String, mend: String) async throws {
        try await EvolvingDatabase.with(Self.table) { database in
            try await database.walk(Self.spec, to: phase)
            try await database.sql(harm)
            let obstacle = try await database.obstacle(Self.spec, to: phase.next!)
            #expect(obstacle.hasPrefix("Drift: ") && obstacle.contains(message), "\(obstacle)")
            #expect(obstacle.contains("Put it back"))
            try await database.sql(mend)
            try await database.walk(Self.spec, to: .contract)
        }
    }

    @Test("a proof at rest does not hold over it, and says why")
    func proof() async throws {
        try await EvolvingDatabase.with(Self.table) { database in
            try await database.walk(Self.spec, to: .backfill)
            let name = MigrationName(namespace: "shop", name: "a")
            guard case .holds = try await database.engine.checkProof(name) else {
                throw TestFailure("there is a proof")
            }
            try await database.sql("ALTER TABLE t ALTER COLUMN n TYPE bigint")
            guard case .holds = try await database.engine.checkProof(name) else { throw TestFailure("n is nobody's") }
            try await database.sql("DROP INDEX t_b")
            guard case .broken(let reason) = try await database.engine.checkProof(name) else {
                throw TestFailure("the index is gone")
            }
            #expect(reason.hasPrefix("Drift: ") && reason.contains("index t_b"))
            let report = try await database.run(Self.spec, to: .backfill)
            #expect(report.proofFailure?.contains("index t_b") == true)
        }
    }

    @Test("the way back needs only what was there before")
    func wayBack() async throws {
        try await EvolvingDatabase.with(Self.table) { database in
            let before = try await database.structure()
            try await database.walk(Self.spec, to: .expand)
            try await database.sql("ALTER TABLE t DROP COLUMN b")
            try await database.walk(Self.spec, to: .initial)
            #expect(try await database.structure() == before)
            try await database.walk(Self.spec, to: .expand, name: "again")
            try await database.sql("ALTER TABLE t RENAME COLUMN a TO z")
            let obstacle = try await database.obstacle(Self.spec, to: .initial, name: "again")
            #expect(obstacle.hasPrefix("Drift: ") && obstacle.contains("column a of public.t is missing"))
        }
    }

    private static let name = MigrationName(namespace: "shop", name: "a")

    /// What `verify` says against the proof.
    private static func flaw(_ database: EvolvingDatabase) async throws -> String {
        guard case .broken(let reason) = try await database.engine.checkProof(name) else {
            throw TestFailure("the proof was not to hold")
        }
        return reason
    }

    private static func requireProof(_ database: EvolvingDatabase, _ name: MigrationName = name) async throws {
        let check = try await database.engine.checkProof(name)
        guard case .holds = check else { throw TestFailure("the proof was to hold: \(check)") }
    }

    /// The statements that a message gives.
    private static func mend(_ message: String) throws -> String {
        String(try #require(message.firstMatch(of: #/Put it back \((.*), if it was dropped\)/#)).1)
    }

    @Test(
        "a view of the new version is missing: the proof does not hold, and the message says how it comes back",
        arguments: ["DROP VIEW public_a.t", "DROP SCHEMA public_a CASCADE", "ALTER VIEW public_a.t RENAME TO u"])
    func versionView(harm: String) async throws {
        try await EvolvingDatabase.with(Self.table) { database in
            var spec = Self.spec
            spec.views = true
            try await database.walk(spec, to: .backfill)
            let before = try await database.structure()
            try await Self.requireProof(database)
            try await database.sql(harm)
            let flaw = try await Self.flaw(database)
            #expect(flaw.hasPrefix("Drift: ") && flaw.contains("view public_a.t is missing"), "\(flaw)")
            let report = try await database.run(spec, to: .backfill)
            #expect(report.proofFailure?.contains("view public_a.t") == true)
            #expect(try await database.obstacle(spec, to: .contract).hasPrefix("Drift: "))
            try await database.sql("DROP VIEW IF EXISTS public_a.u; " + Self.mend(flaw))
            try await Self.requireProof(database)
            #expect(try await database.structure() == before)
            try await database.walk(spec, to: .contract)
            // The table has the new shape itself.
            try await database.sql("DROP VIEW public_a.t")
            try await Self.requireProof(database)
            try await database.walk(spec, to: .initial)
        }
    }

    @Test("the view of a table's new name is missing, at each phase", arguments: [Phase.expand, .backfill])
    func renamedTable(at phase: Phase) async throws {
        try await EvolvingDatabase.with(Self.table) { database in
            let spec = EvolvingDatabase.spec([.renameTable(RenameTable(table: "t", to: "u"))])
            try await database.walk(spec, to: phase)
            let before = try await database.structure()
            try await database.sql("DROP VIEW u")
            let obstacle = try await database.obstacle(spec, to: phase)
            #expect(obstacle.hasPrefix("Drift: ") && obstacle.contains("view public.u is missing"), "\(obstacle)")
            if phase == .backfill { #expect(try await Self.flaw(database).contains("view public.u is missing")) }
            #expect(try await database.obstacle(spec, to: .contract).hasPrefix("Drift: "))
            try await database.sql(Self.mend(obstacle))
            #expect(try await database.structure() == before)
            try await database.walk(spec, to: .contract)
        }
    }

    @Test(
        "what Contract will call otherwise, or drop, is missing",
        arguments: [
            ("DROP INDEX t_n", "index t_n of public.t is missing", "CREATE INDEX t_n ON t (n)"),
            (
                "ALTER TABLE t DROP CONSTRAINT positive", "constraint positive of public.t is missing",
                "ALTER TABLE t ADD CONSTRAINT positive CHECK (n > 0)"
            ),
            ("DROP TABLE old", "table public.old is missing", "CREATE TABLE old (id int PRIMARY KEY)"),
            ("ALTER TABLE t DROP gone", "column gone of public.t is missing", "ALTER TABLE t ADD gone int"),
        ])
    func carried(harm: String, message: String, mend: String) async throws {
        let table =
            Self.table + "CREATE INDEX t_n ON t (n); ALTER TABLE t ADD CONSTRAINT positive CHECK (n > 0), ADD gone int;"
            + "CREATE TABLE old (id int PRIMARY KEY);"
        try await EvolvingDatabase.with(table) { database in
            let spec = EvolvingDatabase.spec([
                .alterColumn(AlterColumn(table: "t", column: "n", type: "bigint")),
                .dropColumn(DropColumn(table: "t", column: "gone")), .dropTable(DropTable(table: "old")),
            ])
            try await database.walk(spec, to: .backfill)
            try await Self.requireProof(database)
            try await database.sql(harm)
            let flaw = try await Self.flaw(database)
            #expect(flaw.hasPrefix("Drift: ") && flaw.contains(message) && flaw.contains("phase: Initial"), "\(flaw)")
            #expect(try await database.obstacle(spec, to: .contract).contains(message))
            // Nothing of it is needed on the way back, and nothing there takes it for gone.
            try await database.walk(spec, to: .initial)
            try await database.sql(mend)
            for phase in [Phase.contract, .initial, .contract] {
                try await database.walk(spec, to: phase)
                if phase == .contract { try await Self.requireProof(database) }
            }
        }
    }

    @Test("an archive that is a table: told at Contract, and passed over on the way to Initial")
    func archivedTable() async throws {
        try await EvolvingDatabase.with(Self.table) { database in
            let spec = EvolvingDatabase.spec([.dropTable(DropTable(table: "t"))])
            try await database.walk(spec, to: .contract)
            let archive = try await database.sql("SELECT relname FROM pg_class WHERE relname LIKE 'sluice_archive%'")
            try await Self.requireProof(database)
            try await database.sql("DROP TABLE \(archive)")
            #expect(try await Self.flaw(database).contains("or set phase: Initial"))
            for phase in [Phase.contract, .backfill] {
                let obstacle = try await database.obstacle(spec, to: phase)
                #expect(
                    obstacle.hasPrefix("Drift: ") && obstacle.contains("table public.\(archive) is missing"),
                    "\(obstacle)")
            }
            try await database.walk(spec, to: .initial)
        }
    }

    @Test(
        "after Contract the proof does not hold without what is kept, or was made",
        arguments: [
            "ALTER TABLE t DROP c CASCADE", "ALTER TABLE t DROP CONSTRAINT small",
            "DO $$ BEGIN EXECUTE (SELECT 'ALTER TABLE t DROP ' || attname || ' CASCADE' FROM pg_attribute "
                + "WHERE attrelid = 't'::regclass AND attname LIKE 'sluice_archive%'); END $$",
        ])
    func afterContract(harm: String) async throws {
        try await EvolvingDatabase.with(Self.table) { database in
            var spec = Self.spec
            spec.changes += [
                ChangeKindTests.add(NewColumn(name: "c", type: "int"), to: "t"),
                .addConstraint(AddConstraint(table: "t", NewConstraint(name: "small", check: "n < 1000"))),
            ]
            try await database.walk(spec, to: .contract)
            try await Self.requireProof(database)
            try await database.sql(harm)
            let flaw = try await Self.flaw(database)
            #expect(flaw.hasPrefix("Drift: "), "\(flaw)")
            #expect(try await database.obstacle(spec, to: .contract) == flaw)
        }
    }

    @Test("a column that went with its triggers is told, not the triggers")
    func columnBeforeTriggers() async throws {
        try await EvolvingDatabase.with(Self.table) { database in
            try await database.walk(Self.spec, to: .backfill)
            try await database.sql("ALTER TABLE t DROP COLUMN b CASCADE")
            let flaw = try await Self.flaw(database)
            #expect(flaw.hasPrefix("Drift: ") && flaw.contains("column b of public.t is missing"), "\(flaw)")
            #expect(flaw == (try await database.obstacle(Self.spec, to: .backfill)))
        }
    }

    @Test("what a later migration takes away, or calls otherwise, is none")
    func laterMigration() async throws {
        try await EvolvingDatabase.with(Self.table) { database in
            var first = Self.spec
            first.views = true
            first.changes += [
                .addConstraint(AddConstraint(table: "t", NewConstraint(name: "small", check: "n < 1000"))),
                .addConstraint(AddConstraint(table: "t", NewConstraint(name: "large", check: "n > 0"))),
            ]
            try await database.walk(first, to: .contract)
            var second = EvolvingDatabase.spec([
                .dropIndex(DropIndex(table: "t", name: "t_b")),
                .dropConstraint(DropConstraint(table: "t", name: "small")),
                .renameConstraint(RenameConstraint(table: "t", from: "large", to: "positive")),
                ChangeKindTests.add(NewColumn(name: "c", type: "int"), to: "t"),
            ])
            second.views = true
            try await database.walk(second, to: .contract, name: "later")
            try await database.walk(first, to: .contract)
            try await Self.requireProof(database)
            try await database.sql("ALTER TABLE t DROP CONSTRAINT positive")
            #expect(try await Self.flaw(database).contains("constraint positive of public.t is missing"))
        }
    }

    @Test("a view that a later migration has dropped is none")
    func laterView() async throws {
        try await EvolvingDatabase.with(Self.table) { database in
            var first = Self.spec
            first.views = true
            try await database.walk(first, to: .backfill)
            var second = EvolvingDatabase.spec([ChangeKindTests.add(NewColumn(name: "c", type: "int"), to: "t")])
            second.views = true
            try await database.walk(second, to: .contract, name: "later")
            #expect(try await database.sql("SELECT to_regclass('public_a.t')") == "")
            try await database.walk(first, to: .backfill)
            try await Self.requireProof(database)
        }
    }
}
