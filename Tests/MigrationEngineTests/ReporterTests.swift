import Synchronization
import Testing

@testable import MigrationEngine

@Suite("What a run reports")
struct ReporterTests {
    @Test("of rows it says nothing before it is known how many an earlier worker has done")
    func resuming() {
        let told = Mutex<[BackfillProgress?]>([])
        let reporter = Reporter { report in told.withLock { $0.append(report.progress) } }
        reporter.update { $0.progress = BackfillProgress(rowsDone: 10, rowsTotal: 10) }
        let meter = ProgressMeter(rowsTotal: 1000, reporter: reporter)
        meter.passed(400)
        #expect(told.withLock { $0.map { $0?.rowsDone } } == [10, nil, 400])
    }
}
