import Foundation
import TestSupport
import Testing

/// `sluice run`, killed with SIGKILL again and again in the middle of its calls.
@Suite("The calls of a remote step, when the engine is killed", .serialized)
struct RemoteCallKillTests {
    private static let manifest = """
        apiVersion: sluice.dev/v1alpha1
        kind: Migration
        metadata: {name: names, namespace: shop}
        spec:
          backfill: {workers: 1}
          changes:
        \(NamesWorker.changes)
        """

    /// How many promises have names in them, as the worker was sent them or sent them back.
    private static let withNames = """
        SELECT count(*) FROM sluice.promise p
        WHERE concat(convert_from(decode(p.param ->> 'data', 'base64'), 'UTF8'),
            convert_from(decode(p.value ->> 'data', 'base64'), 'UTF8')) LIKE '%Ada%'
        """

    @Test("none is left of what was kept for the engine that went on")
    func none() async throws {
        try await withTestDatabase { database in
            try await Psql.run(
                """
                CREATE TABLE customers (id bigint PRIMARY KEY, full_name text);
                INSERT INTO customers SELECT i, 'Ada' || i || ' van der Berg' FROM generate_series(1, 1500) i;
                ANALYZE customers;
                """, on: database)
            try await withSluiceServer(on: database) { server in
                let names = try await NamesWorker(at: server)
                let worker = try names.start()
                for _ in 1...3 {
                    let asked = names.asked.count
                    try await Self.running(database) { process in
                        try await eventually("a call is under way", within: .seconds(60), every: .milliseconds(5)) {
                            names.asked.count > asked && names.asked.count > names.answered.count
                        }
                        try await process.kill()
                    }
                    #expect(try await Psql.run(Self.withNames, on: database) != "0", "it is kept for the next one")
                }
                try await Self.running(database) { process in
                    let status = try await process.waitForExit(within: .seconds(90))
                    #expect(status == 0 && process.standardOutput.contains("verified: 1500 rows compared"))
                }
                #expect(try await Psql.run(Self.withNames, on: database) == "0")
                let times = Dictionary(names.asked.joined().map { ($0, 1) }, uniquingKeysWith: +)
                #expect(times.count == 1500 && times.values.allSatisfy { $0 == 2 }, "\(names.asked.map(\.count))")
                _ = worker
            }
        }
    }

    private static func running(_ database: String, _ body: (SluiceProcess) async throws -> Void) async throws {
        try await withSluice(
            "run", "-f", "-", "--lease-seconds", "2", environment: ["SLUICE_DATABASE_URL": database], input: manifest,
            body)
    }
}
