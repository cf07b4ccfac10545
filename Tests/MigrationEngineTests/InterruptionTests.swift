import Foundation
import PostgreSQL
import TestSupport
import Testing

@testable import MigrationEngine

@Suite("Why a run ends before its phase")
struct InterruptionTests {
    @Test(
        "no connection is DatabaseUnavailable, which is waited for unless the server lets nobody in",
        arguments: [
            (PostgresError(.connection, "Connection refused"), true),
            (PostgresError(.timeout, "no answer within 10 s"), true),
            (PostgresError(.connection, "lost the connection", sqlState: "57P01"), true),
            (PostgresError(.connection, "the database system is starting up", sqlState: "57P03"), true),
            (PostgresError(.connection, "sorry, too many clients already", sqlState: "53300"), true),
            (PostgresError(.refused, "no password supplied"), false),
            (PostgresError(.refused, "password authentication failed", sqlState: "28P01"), false),
            (PostgresError(.refused, "role is not permitted to log in", sqlState: "28000"), false),
            (PostgresError(.refused, "database does not exist", sqlState: "3D000"), false),
            (PostgresError(.refused, "permission denied for database", sqlState: "42501"), false),
        ]
    )
    func connections(_ error: PostgresError, _ isWaitedFor: Bool) {
        let message = "connecting: \(isWaitedFor ? error.message : error.description)"
        #expect(
            Interruption(error, while: "connecting")
                == (isWaitedFor
                    ? .waiting(reason: "DatabaseUnavailable", message: message)
                    : .stalled(reason: "DatabaseUnavailable", message: message)))
    }

    @Test("a statement that the server refuses is StatementFailed, a lock that was not to be had WaitingForLock")
    func statements() {
        let refused = PostgresError(.server, "permission denied for table t", sqlState: "42501")
        #expect(
            Interruption(refused, while: "filling")
                == .stalled(reason: "StatementFailed", message: "filling: permission denied for table t [42501]"))
        let locked = PostgresError(.server, "canceling statement due to lock timeout", sqlState: "55P03")
        #expect(
            Interruption(locked, while: "filling")
                == .waiting(reason: "WaitingForLock", message: "filling: \(locked.message)"))
    }

    @Test(
        "sluice run ends when the server lets nobody in, says why, and nothing of a phase that it cannot know",
        arguments: [
            ("stranger", "word", nil, "PGPASSFILE"),
            ("postgres", "wrong", nil, "28P01"),
            ("postgres", nil, nil, "no password supplied; the password belongs in SLUICE_DATABASE_URL, or in a file"),
            ("postgres", "right", "nothing", "3D000"),
            ("guest", "word", nil, "28000"),
            ("app", "word", nil, "42501"),
        ] as [(String, String?, String?, String)]
    )
    func refused(_ user: String, _ password: String?, _ database: String?, _ word: String) async throws {
        try await withTestDatabase { url in
            let name = uniqueName(user)
            let isMade = ["guest", "app"].contains(user)
            if isMade {
                let database = try #require(URLComponents(string: url)).path.dropFirst()
                try await Psql.run(
                    """
                    CREATE ROLE "\(name)" \(user == "app" ? "LOGIN" : "NOLOGIN") PASSWORD 'word';
                    REVOKE ALL ON DATABASE "\(database)" FROM public;
                    """,
                    on: url
                )
            }
            var parts = try #require(URLComponents(string: url))
            if user != "postgres" { parts.user = name }
            if password != "right" { parts.password = password }
            if let database { parts.path = "/\(database)" }
            let environment = ["SLUICE_DATABASE_URL": try #require(parts.string), "PGPASSFILE": "/dev/null/none"]
            let output = try await runSluice(
                "run", "-f", "-", environment: environment, input: smallManifest, within: .seconds(10))
            #expect(output.status == 1)
            #expect(output.standardOutput.hasPrefix("stalled (DatabaseUnavailable): connecting: "))
            #expect(output.standardOutput.contains(word), "\(output.standardOutput)")
            if isMade { try await Psql.run("DROP ROLE \"\(name)\"", on: url) }
        }
    }
}
