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
}
