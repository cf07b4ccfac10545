import Foundation
import MigrationEngine
import SchemaChange
import Testing

@testable import MigrationOperator

@Suite("a plan in the status")
struct PlanSummaryTests {
    private static func summary(_ hash: String) throws -> PlanSummary {
        let json = """
            {"planHash": "\(hash)", "rows": 7, "seconds": 3, "walBytes": 5000000, "diskBytes": 9000000, "warnings": 1,
             "findings": ["RowSecurity: changes[0].addColumn: t has row-level security"]}
            """
        return try JSONDecoder().decode(PlanSummary.self, from: Data(json.utf8))
    }

    @Test("is told once as an event, stays while later runs do not make it anew, and goes with its plan")
    func carried() throws {
        func report(_ hash: String, _ plan: PlanSummary?) -> MigrationReport {
            MigrationReport(
                planHash: hash, plan: plan, phase: .initial, step: "Expanding",
                activity: .working(reason: "Expanding", message: "adding"))
        }
        var migration = migration()
        let first = reconcile(migration, observed(worker(report("sha256:a", try Self.summary("sha256:a")))))
        #expect(first.events.contains("Planned") && first.status?.plan?.rows == 7)
        migration.status = first.status
        let second = reconcile(
            migration,
            observed(
                worker(
                    MigrationReport(planHash: "sha256:a", phase: .expand, activity: .working(reason: "X", message: "")))
            ))
        #expect(!second.events.contains("Planned") && second.status?.plan == first.status?.plan)
        let third = reconcile(migration, observed(worker(report("sha256:b", nil))))
        #expect(third.status?.plan == nil)
    }

    @Test("its event is of bounded length")
    func bounded() throws {
        var summary = try Self.summary("sha256:a")
        #expect(
            summary.text == "7 rows to fill, about 3 s, WAL about 4 MiB, disk about 8 MiB, 1 warnings; "
                + "RowSecurity: changes[0].addColumn: t has row-level security")
        summary.findings = Array(repeating: String(repeating: "x", count: 256), count: 8)
        #expect(summary.text.count == 900)
    }
}
