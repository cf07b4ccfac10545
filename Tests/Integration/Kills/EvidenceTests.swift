import DurablePromises
import Foundation
import Journeys
import Logging
import RemotePromises
import TestSupport
import Testing

/// That the evidence convicts: damage that is done to a database on purpose.
@Suite("What is looked for after kills is found")
struct EvidenceTests {
    /// A promise `done`, a task `sleeper` that waits for `sleeper:1`, and a task `offered`.
    private func withPromises(_ body: (_ database: String, _ evidence: Evidence) async throws -> Void) async throws {
        try await withTestDatabase { database in
            try await withSluiceServer(on: database) { server in
                try await server.becomeReady()
                let evidence = Evidence()
                let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
                let client = WitnessClient(HTTPPromiseClient(url: server.url, logger: logger)) { evidence.add($0) }
                let external = [PromiseTag.external: "true"]
                let targeted = [PromiseTag.target: "poll://any@nobody"]
                let later: Int64 = 32_503_680_000_000
                _ = try await client.createPromise(id: "done", timeoutAt: later, tags: external)
                _ = try await client.settlePromise(id: "done", state: .resolved, value: PromiseValue(data: "MQ=="))
                _ = try await client.createPromise(id: "offered", timeoutAt: later, tags: targeted)
                _ = try await client.createPromise(id: "sleeper:1", timeoutAt: later, tags: external)
                let claim = try await client.createTask(
                    id: "sleeper", timeoutAt: later, tags: targeted, processID: "p", ttl: 60_000)
                _ = try await client.suspendTask(claim.reference, until: ["sleeper:1"])
                try await body(database, evidence)
            }
        }
    }

    @Test("nothing, where nothing is wrong")
    func nothing() async throws {
        try await withPromises { database, evidence in
            let snapshot = try await Snapshot.take(database)
            #expect(snapshot.promises.count == 4 && evidence.sightings.keys.sorted() == ["done"])
            #expect(snapshot.flaws == [] && snapshot.contradictions(to: evidence) == [])
            let leftovers = try await Snapshot.leftovers(database)
            #expect(leftovers.contains("task sleeper: suspended") && leftovers.contains("promise offered"))
        }
    }

    @Test(
        "a settled promise that changed",
        arguments: [
            "UPDATE sluice.promise SET value = '{\"data\": \"Mg==\"}' WHERE id = 'done'",
            "UPDATE sluice.promise SET state = 'rejected' WHERE id = 'done'",
            "UPDATE sluice.promise SET settled_at = settled_at + 1 WHERE id = 'done'",
            "UPDATE sluice.promise SET state = 'pending', settled_at = NULL WHERE id = 'done'",
            "DELETE FROM sluice.promise WHERE id = 'done'",
        ]
    )
    func changed(damage: String) async throws {
        try await withPromises { database, evidence in
            try await Psql.run(damage, on: database)
            #expect(try await Snapshot.take(database).contradictions(to: evidence).count == 1)
        }
    }

    @Test(
        "a workflow that would never go on",
        arguments: [
            ("DELETE FROM sluice.callback", "nothing will wake the task sleeper"),
            ("DELETE FROM sluice.timer WHERE kind = 'task'", "nothing will offer the task offered"),
            ("DELETE FROM sluice.timer WHERE id = 'sleeper:1'", "nothing will end the wait for sleeper:1"),
            ("INSERT INTO sluice.callback VALUES ('done', 'sleeper')", "nobody told those who wait for done"),
            ("INSERT INTO sluice.listener VALUES ('done', 'poll://uni@a/b')", "nobody told those who wait for done"),
            (
                "UPDATE sluice.task SET state = 'fulfilled' WHERE id = 'offered'",
                "the task is not as its promise: offered"
            ),
        ]
    )
    func stuck(damage: String, finding: String) async throws {
        try await withPromises { database, _ in
            try await Psql.run(damage, on: database)
            #expect(try await Snapshot.take(database).flaws == [finding])
        }
    }

    @Test("two results of one step")
    func marks() throws {
        let stamps = [Stamp(1), Stamp(2)]
        let promises = try stamps.enumerated().map { number, stamp in
            Snapshot.Promise(
                id: "a:\(number)", origin: "a", state: "resolved",
                data: try JSONEncoder().encode(stamp).base64EncodedString(), settledAt: 1)
        }
        let snapshot = Snapshot(promises: promises, flaws: [])
        #expect(snapshot.marks(of: "a") == stamps.map(\.mark))
        #expect(snapshot.marks(of: "b") == [])
    }
}
