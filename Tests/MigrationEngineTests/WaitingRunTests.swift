import DurablePromises
import PostgreSQL
import TestSupport
import Testing

@Suite("sluice run, while it waits")
struct WaitingRunTests {
    private static func withRun(
        _ fields: String, _ body: (EvolvedDatabase, SluiceProcess) async throws -> Void
    ) async throws {
        try await withTestDatabase { url in
            let database = EvolvedDatabase(url, fields: fields, changes: EvolvedDatabase.amountToCents)
            try await database.sql(
                "CREATE TABLE items (id bigint PRIMARY KEY, amount integer); INSERT INTO items VALUES (1, 1)")
            try await database.running(to: "Contract") { try await body(database, $0) }
        }
    }

    /// What is for people; its log is there as well.
    private static func shown(by run: SluiceProcess) -> [Substring] {
        run.standardError.split(separator: "\n").filter { $0.hasPrefix("default/items  ") }
    }

    /// Waits until it has looked so many times whether it may go on.
    private static func looks(_ count: Int, by run: SluiceProcess) async throws {
        try await eventually("\(count) looks", within: .seconds(30)) {
            run.standardError.split(separator: "\n").filter { $0.contains("decided") && $0.contains("travel") }.count
                >= count
        }
    }

    @Test("says each line once where its output is no terminal")
    func soaking() async throws {
        try await Self.withRun("contract: {withoutRollouts: true}") { _, run in
            try await Self.looks(6, by: run)
            let lines = Self.shown(by: run)
            #expect(lines.filter { $0.contains("waiting (Soaking): contract waits until ") }.count == 1)
            #expect(lines.filter { $0.contains("looking whether the old version is gone") }.count == 1)
            #expect(Set(lines).count == lines.count, "\(lines)")
            run.terminate()
            #expect(try await run.waitForExit() == 128 + 15)
        }
    }

    @Test("says something again when it waits for something else, and what it does when it goes on")
    func approval() async throws {
        let fields = """
            approval: Required
              contract: {soak: 0s, withoutRollouts: true, oldSessions: [the-old-version]}
            """
        try await Self.withRun(fields) { database, run in
            try await Self.looks(4, by: run)
            let asking = Self.shown(by: run)
            #expect(asking.last?.contains("waiting (WaitingForApproval): ") == true)
            #expect(Set(asking).count == asking.count, "\(asking)")
            let root = try await database.sql(
                "SELECT id FROM sluice.promise WHERE id LIKE '%:approval' AND state = 'pending'")
            try await withConnection(database.url, name: "the-old-version") { connection in
                let pool = PostgresPool(
                    try PostgresConfiguration(url: database.url, origin: .operatorOwned, applicationName: "somebody"),
                    maximum: 1)
                let store = PromiseStore(pool: pool, settings: .init(lanes: 1))
                _ = try await store.settlePromise(id: root, state: .resolved)
                store.close()
                await pool.close()
                try await Self.looks(8, by: run)
                let more = Self.shown(by: run).dropFirst(asking.count)
                #expect(more.count == 1 && more.first?.contains("waiting (WaitingForSessions): ") == true, "\(more)")
            }
            #expect(try await run.waitForExit() == 0)
            #expect(Self.shown(by: run).last == "default/items  Contract")
        }
    }
}
