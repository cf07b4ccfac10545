import MigrationEngine
import SchemaChange
import TestSupport
import Testing

/// Somebody drops by hand what a migration works on: what it says then is true, and there is a way out.
@Suite("gone by hand")
struct GoneTests {
    private static let spec = EvolvingDatabase.spec([ChangeKindTests.split])
    private static let phases = [Phase.expand, .dualWrite, .backfill, .contract]

    /// What is left of it in the database, the ledger's tables aside.
    private func traces(_ database: EvolvingDatabase) async throws -> String {
        try await database.sql(
            """
            SELECT attrelid::regclass || '.' || attname FROM pg_attribute
                WHERE attname ~ '^sluice_' AND attrelid::regclass::text NOT LIKE 'sluice.%' AND NOT attisdropped
            UNION ALL SELECT oid::regproc::text FROM pg_proc WHERE pronamespace = 'sluice'::regnamespace
                AND proname ~ '^(note|early|side|archive|fill)_'
            """)
    }

    @Test("a table: Initial passes over what is gone, and leaves nothing of the other table either", arguments: phases)
    func table(at phase: Phase) async throws {
        try await EvolvingDatabase.with(ChangeKindTests.people + ChangeKindTests.items) { database in
            let before = try await database.sql("SELECT * FROM items ORDER BY id")
            let spec = EvolvingDatabase.spec([
                ChangeKindTests.split,
                .alterColumn(AlterColumn(table: "items", column: "price", dropDefault: true, type: "bigint")),
                .createIndex(CreateIndex(table: "people", name: "by_last", columns: [.init(column: "last")])),
            ])
            try await database.walk(spec, to: phase)
            try await database.sql("DROP TABLE people")
            let obstacle = try await database.obstacle(spec, to: phase.next ?? phase)
            #expect(obstacle.hasPrefix("Drift: ") && obstacle.contains("table public.people is missing"))
            #expect(obstacle.contains("or set phase: Initial"))
            try await database.walk(spec, to: .initial)
            #expect(try await database.sql("SELECT * FROM items ORDER BY id") == before)
            #expect(try await traces(database) == "")
        }
    }

    @Test(
        "a table that has only another name is not taken for gone: it says how to name it back",
        arguments: phases.dropFirst())
    func renamedTable(at phase: Phase) async throws {
        try await EvolvingDatabase.with("CREATE SCHEMA other;" + ChangeKindTests.people) { database in
            let before = try await database.structure()
            try await database.walk(Self.spec, to: phase)
            for rename in ["ALTER TABLE people RENAME TO folk", "ALTER TABLE people SET SCHEMA other"] {
                try await database.sql(rename)
                for target in [phase, .initial] {
                    let obstacle = try await database.obstacle(Self.spec, to: target)
                    #expect(obstacle.hasPrefix("Drift: ") && obstacle.contains("people is missing"), "\(obstacle)")
                    // That would leave what it has of ours.
                    #expect(!obstacle.contains("phase: Initial"), "\(obstacle)")
                    guard target == .initial else { continue }
                    let statement = try #require(obstacle.firstMatch(of: #/\((ALTER TABLE [^)]*)\)/#)).1
                    try await database.sql(String(statement))
                }
            }
            try await database.walk(Self.spec, to: .initial)
            #expect(try await database.structure() == before)
            #expect(try await traces(database) == "")
        }
    }

    @Test(
        "a table whose name another one has got is not taken for gone either, nor is that one touched",
        arguments: [Phase.initial, .backfill])
    func displacedTable(onTheWayTo target: Phase) async throws {
        try await EvolvingDatabase.with(ChangeKindTests.people) { database in
            let before = try await database.structure()
            try await database.walk(Self.spec, to: .backfill)
            try await database.sql(
                "ALTER TABLE people RENAME TO folk; CREATE TABLE people (id int PRIMARY KEY, name text)")
            let obstacle = try await database.obstacle(Self.spec, to: target)
            #expect(obstacle.hasPrefix("Drift: ") && obstacle.contains("folk has its triggers"), "\(obstacle)")
            #expect(!obstacle.contains("phase: Initial"), "\(obstacle)")
            let statements = try #require(obstacle.firstMatch(of: #/\((ALTER TABLE [^)]*)\)/#)).1
            try await database.sql(String(statements))
            try await database.walk(Self.spec, to: .initial)
            try await database.sql("DROP TABLE people_other")
            #expect(try await database.structure() == before)
        }
    }

    @Test("a table that has only another name when keepFor is over is waited for")
    func renamedInTheArchivesTime() async throws {
        try await EvolvingDatabase.with(ChangeKindTests.people) { database in
            let spec = EvolvingDatabase.spec([ChangeKindTests.split], keepFor: .zero)
            try await database.walk(
                EvolvingDatabase.spec([ChangeKindTests.split], keepFor: .seconds(3600)), to: .contract)
            try await database.sql("ALTER TABLE people RENAME TO folk")
            let obstacle = try await database.obstacle(spec, to: .contract)
            #expect(obstacle.hasPrefix("Drift: ") && obstacle.contains("folk has its triggers"), "\(obstacle)")
            try await database.sql("ALTER TABLE folk RENAME TO people")
        }
    }

    @Test("a table in the archive's time: what is kept goes when keepFor is over")
    func purge() async throws {
        try await EvolvingDatabase.with(ChangeKindTests.people) { database in
            let spec = EvolvingDatabase.spec([ChangeKindTests.split], keepFor: .zero)
            try await database.walk(spec, to: .contract)
            try await database.sql("DROP TABLE people")
            try await database.walk(spec, to: .contract)
            #expect(try await traces(database) == "")
        }
    }

    @Test("an old column: it says how to put it back, from where every way is open again", arguments: phases)
    func oldColumn(at phase: Phase) async throws {
        try await EvolvingDatabase.with(ChangeKindTests.people) { database in
            try await database.walk(Self.spec, to: phase)
            let column = try await database.sql(
                """
                SELECT attname FROM pg_attribute WHERE attrelid = 'people'::regclass
                    AND (attname = 'full_name' OR attname LIKE 'sluice_archive%')
                """)
            try await database.sql("ALTER TABLE people DROP \(column) CASCADE")
            for target in [phase, .initial] {
                let obstacle = try await database.obstacle(Self.spec, to: target)
                #expect(
                    obstacle.hasPrefix("Drift: ") && obstacle.contains("column \(column) of public.people is missing"))
                // That would be a circle.
                #expect(!obstacle.contains("phase: Initial"))
                guard target == .initial else { continue }
                let statement = try #require(obstacle.firstMatch(of: #/\((ALTER TABLE .*), if it was dropped\)/#)).1
                try await database.sql(String(statement))
            }
            if phase >= .dualWrite {
                // What the new version reads writes it again.
                try await database.sql("ALTER TABLE people ALTER \(column) DROP NOT NULL")
                if phase < .contract { try await database.walk(Self.spec, to: .dualWrite) }
                try await database.sql("UPDATE people SET first = 'Ada', last = 'King' WHERE id = 1")
                try await database.sql("UPDATE people SET first = first || '.', last = last || '.' WHERE id <> 1")
                // Whatever was proven before is compared again.
                if phase == .backfill {
                    #expect(
                        try await database.obstacle(Self.spec, to: .initial).hasPrefix("ProofBroken: what would go"))
                    try await database.walk(Self.spec, to: .backfill)
                }
            }
            try await database.walk(Self.spec, to: .initial)
            #expect(try await traces(database) == "")
            let name = try await database.sql("SELECT full_name FROM people WHERE id = 1")
            #expect(name == (phase >= .backfill ? "Ada King" : phase == .dualWrite ? "Ada King" : ""))
        }
    }

    @Test("a new column: Initial is a way out", arguments: phases)
    func newColumn(at phase: Phase) async throws {
        try await EvolvingDatabase.with(ChangeKindTests.people) { database in
            let before = try await database.structure()
            try await database.walk(Self.spec, to: phase)
            try await database.sql("ALTER TABLE people DROP first CASCADE")
            let obstacle = try await database.obstacle(Self.spec, to: phase)
            #expect(
                obstacle.contains("column first of public.people is missing") && obstacle.contains("phase: Initial"))
            try await database.walk(Self.spec, to: .initial)
            #expect(try await database.structure() == before)
            #expect(try await traces(database) == "")
            #expect(try await database.sql("SELECT full_name FROM people WHERE id = 1") == "Ada Lovelace")
        }
    }

    @Test("what somebody has made on a view of ours is named, on either way")
    func onViews() async throws {
        try await EvolvingDatabase.with(ChangeKindTests.people) { database in
            func spec(_ change: Change, keepFor: Duration = .zero) -> MigrationSpec {
                var spec = EvolvingDatabase.spec([change], keepFor: keepFor)
                spec.views = true
                return spec
            }
            let first = spec(ChangeKindTests.split)
            try await database.walk(first, to: .backfill)
            try await database.sql("CREATE VIEW mine AS SELECT first FROM public_a.people")
            let back = try await database.obstacle(first, to: .initial)
            #expect(back.hasPrefix("Dependents: ") && back.contains("view mine depends on view public_a.people"))
            for _ in 0..<2 { try await database.walk(first, to: .contract) }
            let second = spec(.renameColumn(RenameColumn(table: "people", column: "last", to: "family")))
            try await database.walk(second, to: .backfill, name: "b")
            let forth = try await database.obstacle(second, to: .contract, name: "b")
            #expect(forth.hasPrefix("Dependents: ") && forth.contains("view mine depends on view public_a.people"))
            try await database.sql("DROP VIEW mine")
            try await database.walk(second, to: .contract, name: "b")
        }
    }
}
