import Foundation
import KubernetesClient
import MigrationOperator
import TestSupport
import Testing

@Suite("A throttled backfill, with kubectl")
struct ThrottledMigrationTests {

    @Test("tells what holds it and since when; what is changed acts within a second, and so does suspend")
    func story() async throws {
        try await withStage { stage in
            try await stage.makeCustomers(200_000)
            // By the server's clock.
            let hour = Int(try await stage.psql("SELECT extract(hour FROM now() AT TIME ZONE 'UTC')::int")) ?? 0
            let later = { (hours: Int) in String(format: "%02d:00", (hour + hours) % 24) }
            let window = #"[{"from":"\#(later(3))","to":"\#(later(5))"}]"#
            try await stage.withOperator { _ in
                try await stage.apply(
                    stage.splitManifest(fields: "backfill: {throttle: {maxRowsPerSecond: 2000, windows: \(window)}}"))
                let held = try await stage.waitFor(.throttled, .yes, reason: "OutsideWindow")
                let condition = try #require(held.status?.condition(.throttled))
                #expect(condition.message?.contains("it works \(later(3))–\(later(5)) UTC only") == true)
                #expect(condition.lastTransitionTime != nil)
                #expect(try await filled(stage) == 0)
                let described = try await stage.kubectl("describe", "migration", "split")
                #expect(described.contains("Throttled") && described.contains("OutsideWindow: it works "))

                try await patch(stage, #"{"backfill":{"throttle":{"windows":null}}}"#)
                try await within("rows are filled") { try await filled(stage) > 0 }
                try await stage.waitFor(.throttled, .no)

                try await patch(stage, #"{"suspend":true}"#)
                try await within("nothing is filled any more") { try await !isMoving(stage) }
                try await patch(stage, #"{"suspend":false}"#)
                try await within("it is filled again") { try await isMoving(stage) }

                // A limit that is raised while it works.
                try await patch(stage, #"{"backfill":{"throttle":{"maxRowsPerSecond":null}}}"#)
                try await stage.waitFor(.verified)
                #expect(try await stage.wrongRows() == "0")
            }
        }
    }

    private func patch(_ stage: Stage, _ spec: String) async throws {
        try await stage.kubectl("patch", "migration", "split", "--type=merge", "-p", "{\"spec\":\(spec)}")
    }

    private func filled(_ stage: Stage) async throws -> Int {
        Int(try await stage.psql("SELECT count(first_name) FROM customers")) ?? 0
    }

    private func isMoving(_ stage: Stage) async throws -> Bool {
        let before = try await filled(stage)
        try await Task.sleep(for: .milliseconds(300))
        return try await filled(stage) > before
    }

    /// A second, on a machine that does nothing else.
    private func within(_ what: String, _ condition: @escaping @Sendable () async throws -> Bool) async throws {
        let began = ContinuousClock.now
        try await eventually(what, within: .seconds(20), condition)
        let took = ContinuousClock.now - began
        #expect(took < .seconds(TestServers.isSoak ? 1.5 : 5), "\(what) after \(took)")
    }
}
