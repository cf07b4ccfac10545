import TestSupport
import Testing

/// Each writer also says in columns of its own what it means; afterwards the data must say the same.
@Suite("While both versions write, through all phases", .serialized)
struct OracleTests {
    static let seeds: [UInt64] = TestServers.isSoak ? Array(1...20) : [1, 2, 3]

    @Test("no last write is lost and no other side is wrong, though the backfill is killed", arguments: seeds)
    func nothingIsLost(seed: UInt64) async throws {
        try await withTestDatabase { url in
            let scenario = try await OracleScenario(url, rows: 12_000, seed: seed)
            let database = scenario.database
            try await scenario.underLoad { start in
                try await database.reach("Expand")
                try await database.reach("DualWrite")
                start(.new)
                try await scenario.writes(300, by: .new)
                try await database.running { process in
                    try await process.chunksLogged(Int(5 + seed % 20), of: "backfill/")
                    try await process.kill()
                }
                #expect(try await database.sql("SELECT certificate IS NULL FROM sluice.migration") == "t")
                try await scenario.writes(100, by: .new)
                #expect(try await database.reach("Backfill").contains("mismatches: 0"))
                try await scenario.writes(300, by: .old)
                try await scenario.writes(300, by: .new)
            }
            let audit = try await scenario.audit()
            #expect(audit.lost == 0)
            #expect(audit.wrong == 0)
            #expect(audit.newSide > 500)
            let verified = try await database.verify()
            #expect(verified.status == 0)
            #expect(verified.standardOutput.contains("compared again: \(audit.rows * 3) rows, mismatches: 0"))
            print("seed \(seed): \(audit)")
        }
    }

    /// Ways to know less of a write than the triggers do, each of which somebody might take for good enough.
    enum Weakening: String, CaseIterable, Sendable {
        case notesNothing = "nothing is noted"
        case comparesValues = "a new column counts as written when its value is another"
        case trustsNewSide = "an old column is not noted"

        /// When the function that notes a column in the marker does not.
        var condition: String {
            switch self {
            case .notesNothing: "true"
            case .comparesValues:
                """
                TG_ARGV[0] LIKE '+%' AND ROW(NEW.first_name, NEW.last_name, NEW.cents, NEW.area)
                    IS NOT DISTINCT FROM ROW(OLD.first_name, OLD.last_name, OLD.cents, OLD.area)
                """
            case .trustsNewSide: "TG_ARGV[0] LIKE '-%'"
            }
        }

        /// Replaces the noting function of each mapping.
        var statement: String {
            """
            DO $do$
            DECLARE token text;
            BEGIN
                FOR token IN SELECT substr(proname, 6) FROM pg_proc
                    WHERE pronamespace = 'sluice'::regnamespace AND proname LIKE 'note\\_%'
                LOOP
                    EXECUTE format($format$
                        CREATE OR REPLACE FUNCTION sluice.%I() RETURNS trigger LANGUAGE plpgsql AS $body$
                        BEGIN
                            IF \(condition.replacing("%", with: "%%")) THEN RETURN NEW; END IF;
                            NEW.%I := coalesce(NEW.%I, '') || TG_ARGV[0];
                            RETURN NEW;
                        END $body$ $format$, 'note_' || token, 'sluice_side_' || token, 'sluice_side_' || token);
                END LOOP;
            END $do$
            """
        }
    }

    @Test("the same oracle finds lost writes when the marker's trigger is weakened", arguments: Weakening.allCases)
    func bites(weakening: Weakening) async throws {
        try await withTestDatabase { url in
            let scenario = try await OracleScenario(url, rows: 3000, seed: 7)
            let database = scenario.database
            try await scenario.underLoad { start in
                try await database.reach("DualWrite")
                try await database.sql(weakening.statement)
                start(.new)
                try await scenario.writes(600, by: .new)
                let stalled = try await database.run(to: "Backfill")
                #expect(stalled.status == 1)
                #expect(
                    stalled.standardOutput.contains("stalled (ProofBroken)"), "there is no proof over such a trigger")
                try await scenario.writes(300, by: .new)
            }
            let audit = try await scenario.audit()
            #expect(audit.lost > 0)
            print("\(weakening.rawValue): \(audit)")
        }
    }
}
