import DurablePromises
import PostgreSQL
import SchemaChange
import TestSupport
import Testing

@testable import MigrationEngine

private let setUp = """
    CREATE TABLE t (id bigint PRIMARY KEY, a integer NOT NULL);
    INSERT INTO t SELECT i, i FROM generate_series(1, 100) i;
    """

private func widening() -> MigrationSpec {
    EvolvingDatabase.spec([
        .alterColumn(
            AlterColumn(
                table: "t", column: "a", to: NewColumn(name: "b", type: "bigint"), forward: "a::bigint",
                backward: "b::integer"))
    ])
}

/// Says what it is told to, and lets everything else be done.
private struct Answering: MigrationGuards {
    var answers: [GuardQuestion: GuardAnswer] = [:]

    func mayContract() async throws -> GuardVerdict { .allowed }
    func mayGoBack(to phase: Phase) async throws -> GuardVerdict { .allowed }
    func answer(to question: GuardQuestion) async throws -> GuardAnswer? { answers[question] }
}

@Suite("What the database cannot know")
struct OutsideTests {
    @Test("is asked of the guards while nobody has settled its promise; their yes settles it, and is kept")
    func answers() async throws {
        try await EvolvingDatabase.with(setUp) { database in
            var spec = widening()
            spec.approval = .required
            let plan = try #require(try await database.walk(spec, to: .backfill).planHash)
            let question = GuardQuestion.approval(planHash: plan)
            let waiting = try await database.run(
                spec, to: .contract, guards: Answering(answers: [question: .notYet(message: "create the thing")]))
            guard case .waiting("WaitingForApproval", let message) = waiting.activity else {
                throw TestFailure("it was to wait: \(waiting.activity)")
            }
            #expect(message.contains("create the thing; or sluice promise settle "))
            // An answer for another plan is none.
            let other = try await database.run(
                spec, to: .contract, guards: Answering(answers: [.approval(planHash: "sha256:0"): .yes(who: "x")]))
            #expect(other.phase == .backfill)
            let promise = try await database.openQuestion()
            let done = try await database.run(
                spec, to: .contract, guards: Answering(answers: [question: .yes(who: #"Migration"Approval" ok"#)]))
            #expect(done.phase == .contract)
            #expect(try await database.end(of: promise) == #"resolved "Migration\"Approval\" ok""#)
        }
    }

    @Test("a refusal stands, whatever the guards say")
    func refused() async throws {
        try await EvolvingDatabase.with(setUp) { database in
            var spec = widening()
            spec.approval = .required
            let plan = try #require(try await database.walk(spec, to: .backfill).planHash)
            _ = try await database.run(spec, to: .contract)
            try await database.settle(try await database.openQuestion(), .rejected, "no")
            let refused = try await database.run(
                spec, to: .contract, guards: Answering(answers: [.approval(planHash: plan): .yes(who: "x")]))
            guard case .stalled("NotApproved", _) = refused.activity else {
                throw TestFailure("it was refused: \(refused.activity)")
            }
        }
    }

    @Test("a session of a role that only the old version connects as keeps Contract away, one of the new the way back")
    func roles() async throws {
        let role = uniqueName("role").replacing("-", with: "_")
        try await EvolvingDatabase.with(setUp + "CREATE ROLE \(role) LOGIN PASSWORD 'x';") { database in
            var spec = widening()
            spec.contract?.oldRoles = [role]
            spec.contract?.newRoles = [role]
            try await database.walk(spec, to: .backfill)
            let url = database.url.replacing("postgres:sluice@", with: "\(role):x@")
            try await withSession(of: url) {
                let old = try await database.obstacle(spec, to: .contract)
                #expect(old.hasPrefix("WaitingForSessions: sessions of the old"), "\(old)")
                let new = try await database.obstacle(spec, to: .expand)
                #expect(new.hasPrefix("WaitingForSessions: sessions of the new"), "\(new)")
            }
            try await database.walk(spec, to: .backfill)
            try await database.walk(spec, to: .contract)
        }
    }

    /// Keeps a session open meanwhile.
    private func withSession(of url: String, _ body: () async throws -> Void) async throws {
        let session = try await PostgresConnection.connect(
            try PostgresConfiguration(url: url, origin: .operatorOwned, applicationName: "anything"))
        do {
            try await body()
            await session.close()
        } catch {
            await session.close()
            throw error
        }
    }

    @Test("a standby that has not replayed the proof is waited for by name, and a gate opens when it has")
    func standbys() async throws {
        try await withPrivatePostgres { primary in
            try await EvolvingDatabase.on(primary.url, setUp) { database in
                try await primary.withStandby("reader") { standby in
                    try await Psql.run("SELECT pg_wal_replay_pause()", on: standby.url)
                    let waits = try await database.obstacle(widening(), to: .backfill)
                    #expect(waits.hasPrefix("WaitingForStandbys: ") && waits.contains("reader (at 0/"), "\(waits)")
                    #expect(try await database.sql("SELECT phase FROM sluice.migration") == "DualWrite")
                    try await Psql.run("SELECT pg_wal_replay_resume()", on: standby.url)
                    try await eventually("the standby has caught up") {
                        let report = try await database.run(widening(), to: .backfill)
                        return report.activity == .reached && report.phase == .backfill
                    }
                    #expect(try await Psql.run("SELECT count(b) FROM t", on: standby.url).hasPrefix("100"))
                }
            }
        }
    }
}
