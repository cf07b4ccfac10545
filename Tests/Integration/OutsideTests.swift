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

    @Test(
        "the rollout of a release that provides both sides is the declaration, and a MigrationApproval of the plan the consent"
    )
    func objects() async throws {
        try await withStage { stage in
            try await stage.makeCustomers(1000)
            try await stage.withOperator { _ in
                try await stage.withNodes {
                    try await stage.deploy("api:1")
                    try await stage.waitForRollout(of: "api:1")
                    let rollouts = "rollouts: [{apiVersion: apps/v1, kind: Deployment, name: api}]"
                    try await stage.apply(
                        stage.splitManifest(
                            fields:
                                "dualWrite: {by: Application}\n  \(rollouts)\n  approval: Required\n  contract: {soak: 0s}"
                        ))
                    let waiting = try await stage.waitFor(.dualWriting, .no, reason: "WaitingForDualWrite")
                    #expect(waiting.status?.condition(.dualWriting)?.message?.contains("Deployment api") == true)
                    try await stage.deploy("api:2", requires: "split@Expand", provides: "split")
                    try await stage.waitForRollout(of: "api:2")
                    let verified = try await stage.waitFor(.verified)

                    try await stage.deploy("api:3", requires: "split")
                    try await stage.waitForRollout(of: "api:3")
                    try await stage.kubectl(
                        "patch", "migration", "split", "--type=merge", "-p", #"{"spec":{"phase":"Contract"}}"#)
                    let asking = try await stage.waitFor(.contracted, .no, reason: "WaitingForApproval")
                    let plan = try #require(verified.status?.planHash)
                    #expect(asking.status?.condition(.contracted)?.message?.contains(plan) == true)
                    try await stage.approve("sha256:" + String(repeating: "0", count: 64), as: "other")
                    try await stage.approve(plan, as: "ours")
                    try await stage.waitFor(.contracted)
                    #expect(try await stage.kubectl("get", "migrationapprovals").contains("ours"))
                }
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

extension Stage {
    /// Approves the Contract of `split`.
    fileprivate func approve(_ planHash: String, as name: String) async throws {
        try await apply(
            """
            apiVersion: sluice.dev/v1alpha1
            kind: MigrationApproval
            metadata: {name: \(name)}
            spec: {migration: split, planHash: "\(planHash)"}
            """)
    }
}
