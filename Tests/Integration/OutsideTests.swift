import Foundation
import KubernetesClient
import MigrationOperator
import SchemaChange
import TestSupport
import Testing

/// What an operator waits for that is known outside of the database only, or that is written behind its back.
@Suite("What comes from outside")
struct OutsideTests {
    @Test("a release that writes both sides is waited for, declared by sluice promise, and watched after the proof")
    func applicationWrites() async throws {
        try await withStage { stage in
            try await stage.makeCustomers(1000)
            try await stage.withOperator(proofSeconds: 1) { _ in
                try await stage.apply(
                    stage.splitManifest(fields: "dualWrite: {by: Application}\n  approval: Required"))
                let waiting = try await stage.waitFor(.dualWriting, .no, reason: "WaitingForDualWrite")
                #expect(waiting.status?.phase == .expand && waiting.status?.step == "WaitingForDualWrite")
                let promise = "\(try #require(waiting.status?.promise)):dual-writes"
                let told = waiting.status?.condition(.dualWriting)?.message ?? ""
                #expect(told.hasSuffix(": sluice promise settle \(promise) --state resolved"), "\(told)")
                // `forward` would cut it elsewhere.
                try await stage.psql(
                    """
                    UPDATE customers SET (full_name, first_name, last_name) = ('Mary Ann Lee', 'Mary Ann', 'Lee')
                    WHERE id = 1
                    """)

                let settled = try await runSluice(
                    "promise", "settle", promise, "--state", "resolved",
                    environment: ["SLUICE_DATABASE_URL": stage.database])
                #expect(settled.status == 0, "\(settled.standardError)")
                try await stage.waitFor(.verified)
                try await stage.waitFor(.dualWriting, reason: "ApplicationWrites")
                #expect(try await stage.psql("SELECT first_name FROM customers WHERE id = 1") == "Mary Ann")
                #expect(try await stage.wrongRows() == "0")

                try await stage.psql("UPDATE customers SET full_name = 'Mei Lin' WHERE id = 2")
                try await stage.waitFor(.gateOpen, .no)
                let missing = try await stage.waitFor(.stalled, reason: "DualWriteMissing")
                #expect(missing.status?.condition(.stalled)?.message?.contains("keys (2);") == true)
                try await stage.psql("UPDATE customers SET first_name = 'Mei', last_name = 'Lin' WHERE id = 2")
                try await stage.waitFor(.gateOpen)
            }
        }
    }

    @Test("what the old version writes after the proof a worker is asked about, by the operator and by itself")
    func refill() async throws {
        try await withStage { stage in
            try await stage.makeCustomers(200)
            try await withSluiceServer(on: stage.database) { server in
                let names = try await NamesWorker(at: server)
                let worker = try names.start()
                try await stage.withOperator(proofSeconds: 1) { _ in
                    try await stage.apply(
                        """
                        apiVersion: sluice.dev/v1alpha1
                        kind: Migration
                        metadata: {name: split}
                        spec:
                          database: {urlFrom: {secretKeyRef: {name: db, key: url}}}
                          changes:
                        \(NamesWorker.changes)
                        """)
                    try await stage.waitFor(.verified)
                    let asked = names.asked.count
                    try await stage.psql(
                        """
                        UPDATE customers SET full_name = 'Mei Lin' WHERE id = 7;
                        INSERT INTO customers (id, full_name) VALUES (900, 'Bo Li');
                        """)
                    try await eventually("the rows are filled", within: .seconds(30)) {
                        try await stage.psql("SELECT count(*) FROM customers WHERE first_name IS NULL") == "0"
                    }
                    #expect(try await stage.psql(NamesWorker.wrong) == "0")
                    #expect(Set(names.asked.dropFirst(asked).joined()) == [7, 900], "no other row was asked about")
                    try await stage.waitFor(.gateOpen)
                }
                worker.send(SIGKILL)
            }
        }
    }
}
