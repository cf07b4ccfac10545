import Foundation
import KubernetesClient
import MigrationOperator
import TestSupport
import Testing

@Suite("The operator is killed")
struct KillTests {
    /// Five in `make test`, twenty in `make soak`.
    @Test("at random moments, and the Migration ends proven all the same", .timeLimit(.minutes(10)))
    func killed() async throws {
        try await withStage { stage in
            try await stage.makeCustomers(40_000)
            // Small chunks, so that there is a middle to be killed in.
            try await stage.apply(stage.splitManifest(fields: "backfill: {chunkDuration: 2ms, workers: 2}"))
            for _ in 0..<(TestServers.isSoak ? 20 : 5) {
                try await stage.withOperator { process in
                    let before = try await Self.rowsDone(stage)
                    try await eventually("it goes on", within: .seconds(60), every: .milliseconds(20)) {
                        let done = try await Self.rowsDone(stage)
                        let isVerified = try await Self.isVerified(stage)
                        return done > before || isVerified
                    }
                    try await Task.sleep(for: .milliseconds(Int.random(in: 0...400)))
                    try await process.kill()
                }
            }
            try await stage.withOperator { _ in
                try await stage.waitFor(.verified)
            }
            #expect(try await stage.wrongRows() == "0")
            #expect(try await stage.migration().status?.verification?.rowsCompared == 40_000)
        }
    }

    @Test("SIGTERM ends it within ten seconds, and the next one goes on at once")
    func terminated() async throws {
        try await withStage { stage in
            try await stage.makeCustomers(40_000)
            try await stage.apply(stage.splitManifest(fields: "backfill: {chunkDuration: 2ms}"))
            try await stage.withOperator { process in
                try await stage.waitForBackfill()
                process.terminate()
                #expect(try await process.waitForExit(within: .seconds(10)) == 0)
            }
            let leases = try await stage.psql("SELECT count(*) FROM sluice.task WHERE state = 'acquired'")
            #expect(leases == "0", "a lease was not given back")
            try await stage.withOperator { _ in
                try await stage.waitFor(.verified)
            }
        }
    }

    private static func rowsDone(_ stage: Stage) async throws -> Int64 {
        let done = try await stage.psql(
            """
            SELECT CASE WHEN to_regclass('sluice.checkpoint') IS NULL THEN '0' ELSE (
                xpath('//row/n/text()', query_to_xml('SELECT coalesce(sum(rows), 0) AS n FROM sluice.checkpoint',
                    false, false, '')))[1]::text END
            """
        )
        return Int64(done) ?? 0
    }

    private static func isVerified(_ stage: Stage) async throws -> Bool {
        try await stage.migration().status?.condition(.verified)?.status == .yes
    }
}
