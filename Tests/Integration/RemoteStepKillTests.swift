import Foundation
import TestSupport
import Testing

/// `sluice run`, `sluice server` and a worker in Python, each a process of its own.
@Suite("A remote step, when a process is killed", .serialized)
struct RemoteStepKillTests {
    private static let rows = 1500

    private static let manifest = """
        apiVersion: sluice.dev/v1alpha1
        kind: Migration
        metadata: {name: names, namespace: shop}
        spec:
          backfill: {workers: 1}
          changes:
        \(NamesWorker.changes)
        """

    @Test(
        "loses no answer with the engine: each row is asked about once to fill it and once to prove it, and nothing is kept"
    )
    func engine() async throws {
        try await Self.prepared { database, names in
            let worker = try names.start()
            for kill in 1...3 {
                let asked = names.asked.count
                try await Self.running(database) { process in
                    try await eventually("a call is under way", within: .seconds(30), every: .milliseconds(5)) {
                        names.asked.count > asked && names.asked.count > names.answered.count
                    }
                    try await process.kill()
                    let filled = try await Psql.run(
                        "SELECT count(*) FROM customers WHERE first_name <> ''", on: database)
                    #expect(Int(filled)! < Self.rows, "kill \(kill) came too late")
                }
                #expect(try await Psql.run(Self.withNames, on: database) != "0", "it is kept for the next one")
            }
            // And in the middle of the proof, which goes on behind what it has compared.
            try await Self.running(database) { process in
                try await eventually("the proof is under way", within: .seconds(60), every: .milliseconds(5)) {
                    names.answered.joined().count > Self.rows + 200 && names.asked.count > names.answered.count
                }
                try await process.kill()
            }
            try await Self.finish(database)
            #expect(try await Psql.run(Self.withNames, on: database) == "0")
            let times = Dictionary(names.asked.joined().map { ($0, 1) }, uniquingKeysWith: +)
            #expect(times.count == Self.rows)
            #expect(times.values.allSatisfy { $0 == 2 }, "\(names.asked.map(\.count))")
            _ = worker
        }
    }

    @Test("loses no row with the worker: another one answers what that had in its hands")
    func worker() async throws {
        try await Self.prepared { database, names in
            try await Self.running(database) { process in
                for _ in 1...2 {
                    let worker = try names.start()
                    let asked = names.asked.count
                    try await eventually("a call is under way", within: .seconds(30), every: .milliseconds(5)) {
                        names.asked.count > asked && names.asked.count > names.answered.count
                    }
                    worker.send(SIGKILL)
                    try await worker.waitForExit()
                }
                #expect(names.asked.count == names.answered.count + 2)
                let worker = try names.start()
                #expect(try await process.waitForExit(within: .seconds(90)) == 0)
                #expect(process.standardOutput.contains("verified: \(Self.rows) rows compared"))
                _ = worker
            }
            let times = Dictionary(names.answered.joined().map { ($0, 1) }, uniquingKeysWith: +)
            #expect(times.count == Self.rows && times.values.allSatisfy { $0 == 2 })
            #expect(try await Psql.run(NamesWorker.wrong, on: database) == "0")
        }
    }

    /// How many promises have names in them, as the worker was sent them or sent them back.
    private static let withNames = """
        SELECT count(*) FROM sluice.promise p
        WHERE concat(convert_from(decode(p.param ->> 'data', 'base64'), 'UTF8'),
            convert_from(decode(p.value ->> 'data', 'base64'), 'UTF8')) LIKE '%Ada%'
        """

    private static func prepared(_ body: (_ database: String, NamesWorker) async throws -> Void) async throws {
        try await withTestDatabase { database in
            try await Psql.run(
                """
                CREATE TABLE customers (id bigint PRIMARY KEY, full_name text);
                INSERT INTO customers SELECT i, 'Ada' || i || CASE WHEN i % 3 = 0 THEN '' ELSE ' van der Berg' END
                    FROM generate_series(1, \(rows)) i;
                ANALYZE customers;
                """, on: database)
            try await withSluiceServer(on: database) { server in
                try await body(database, try await NamesWorker(at: server))
            }
        }
    }

    private static func running(_ database: String, _ body: (SluiceProcess) async throws -> Void) async throws {
        try await withSluice(
            "run", "-f", "-", "--lease-seconds", "2", environment: ["SLUICE_DATABASE_URL": database], input: manifest,
            body)
    }

    /// Runs it to its end; every row is filled, and right.
    private static func finish(_ database: String) async throws {
        try await running(database) { process in
            let status = try await process.waitForExit(within: .seconds(90))
            #expect(status == 0 && process.standardOutput.contains("verified: \(rows) rows compared"))
        }
        #expect(try await Psql.run(NamesWorker.wrong, on: database) == "0")
    }
}
