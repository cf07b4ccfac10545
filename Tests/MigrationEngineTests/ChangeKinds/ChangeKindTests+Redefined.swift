import MigrationEngine
import SchemaChange
import TestSupport
import Testing

/// What somebody changes, or drops, behind the plan of what goes over to another column.
extension ChangeKindTests {
    /// What is done to it, what it is called, and what makes it again.
    private static let redefinitions: [(change: String, name: String, mend: String)] = [
        (
            "CREATE OR REPLACE VIEW short WITH (security_barrier = true) AS SELECT id, code AS shown FROM reviews",
            "view short",
            """
            CREATE OR REPLACE VIEW short WITH (security_barrier = true) AS SELECT id, code AS shown FROM reviews
            WHERE length(code) < 9
            """
        ),
        // It does not even read the column any more.
        (
            "CREATE OR REPLACE VIEW short WITH (security_barrier = true) AS SELECT id, 'x'::varchar(20) AS shown FROM reviews",
            "view short",
            """
            CREATE OR REPLACE VIEW short WITH (security_barrier = true) AS SELECT id, code AS shown FROM reviews
            WHERE length(code) < 9
            """
        ),
        (
            "ALTER VIEW short RESET (security_barrier)", "view short", "ALTER VIEW short SET (security_barrier = true)"
        ),
        (
            "ALTER POLICY own ON reviews USING (code <> 'public')", "policy own ON reviews",
            "ALTER POLICY own ON reviews USING (code <> 'secret')"
        ),
        (
            "ALTER TABLE reviews DISABLE TRIGGER loud", "trigger loud ON reviews",
            "ALTER TABLE reviews ENABLE ALWAYS TRIGGER loud"
        ),
        (
            """
            DROP STATISTICS review_statistics;
            CREATE STATISTICS review_statistics (ndistinct) ON code, user_id FROM reviews
            """, "statistics public.review_statistics",
            """
            DROP STATISTICS review_statistics;
            CREATE STATISTICS review_statistics (dependencies) ON code, user_id FROM reviews
            """
        ),
    ]

    @Test("what would be made again as it was, and is another by now, keeps the columns from changing places, by name")
    func redefined() async throws {
        try await EvolvingDatabase.with(Self.ratings()) { database in
            let before = try await database.structure()
            let spec = EvolvingDatabase.spec([
                .alterColumn(AlterColumn(table: "reviews", column: "code", forward: "code", backward: "code"))
            ])
            for (from, to) in [(Phase.backfill, Phase.contract), (.contract, .backfill)] {
                try await database.walk(spec, to: from)
                for (change, name, mend) in Self.redefinitions {
                    try await database.sql(change)
                    let changed = try await database.structure()
                    let obstacle = try await database.obstacle(spec, to: to)
                    #expect(
                        obstacle.hasPrefix("Dependents: ") && obstacle.contains(": \(name);"), "\(change): \(obstacle)")
                    #expect(try await database.structure() == changed)
                    try await database.sql(mend)
                }
            }
            try await database.walk(spec, to: .initial)
            #expect(try await database.structure() == before)
        }
    }

    @Test("an index that came over to the new column and is gone is missed")
    func lostIndexes() async throws {
        try await EvolvingDatabase.with(Self.ratings()) { database in
            let spec = EvolvingDatabase.spec([
                .alterColumn(AlterColumn(table: "reviews", column: "code", forward: "code", backward: "code"))
            ])
            try await database.walk(spec, to: .contract)
            for (drop, what, mend) in [
                (
                    #"DROP INDEX "By Code""#, "index By Code of public.reviews is missing",
                    #"CREATE INDEX "By Code" ON reviews (lower(code) text_pattern_ops DESC, id) WHERE code <> 'none'"#
                ),
                (
                    #"ALTER TABLE reviews DROP CONSTRAINT "the code""#,
                    "constraint the code of public.reviews is missing",
                    #"ALTER TABLE reviews ADD CONSTRAINT "the code" UNIQUE (code) DEFERRABLE"#
                ),
            ] {
                try await database.sql(drop)
                let obstacle = try await database.obstacle(spec, to: .contract)
                #expect(obstacle.hasPrefix("Drift: ") && obstacle.contains(what), "\(obstacle)")
                try await database.sql(mend)
                try await database.walk(spec, to: .contract)
            }
        }
    }
}
