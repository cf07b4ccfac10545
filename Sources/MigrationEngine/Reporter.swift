internal import Backfill
internal import Foundation
internal import SchemaChange
internal import Synchronization

/// Keeps the report of a run and tells every change of it.
final class Reporter: Sendable {
    private let report: Mutex<MigrationReport>
    private let tell: @Sendable (MigrationReport) -> Void

    init(_ tell: @escaping @Sendable (MigrationReport) -> Void) {
        report = Mutex(
            MigrationReport(isFromLedger: false, activity: .working(reason: "Starting", message: "connecting"))
        )
        self.tell = tell
    }

    var current: MigrationReport {
        report.withLock { $0 }
    }

    func update(_ change: (inout MigrationReport) -> Void) {
        let changed: MigrationReport? = report.withLock { report in
            let before = report
            change(&report)
            return report == before ? nil : report
        }
        if let changed { tell(changed) }
    }

    /// Takes over what the ledger says; nil when it does not know the migration.
    func take(_ record: LedgerRecord?) {
        update { report in
            report.isFromLedger = true
            guard let record else { return }
            report.planHash = record.planHash
            report.phase = record.phase
            report.certificate = record.certificate
            report.promise = record.promise
            report.reversibleUntil = record.keptUntil
        }
    }

    func working(_ step: String, reason: String, _ message: String) {
        update { report in
            report.step = step
            report.activity = .working(reason: reason, message: message)
        }
    }
}

/// Counts rows, and forecasts.
final class ProgressMeter: Sendable {
    private struct State {
        var rowsDone: Int64 = 0
        var began: (at: ContinuousClock.Instant, rows: Int64)?
    }

    private let state = Mutex(State())
    private let rowsTotal: Int64
    let heapOnly = HeapOnlyShare()
    private let reporter: Reporter

    init(rowsTotal: Int64, reporter: Reporter) {
        self.rowsTotal = rowsTotal
        self.reporter = reporter
        // What was counted before is over, and what an earlier worker did is not known yet.
        reporter.update { $0.progress = nil }
    }

    /// Rows that are passed, or fewer than none where a walk begins again.
    func passed(_ rows: Int64) {
        let progress = state.withLock { state in
            state.rowsDone += rows
            if rows < 0 { state.began = nil }
            let now = ContinuousClock.now
            // What an earlier worker did is not this one's speed.
            let began = state.began ?? (now, state.rowsDone)
            state.began = began
            let seconds = (now - began.at) / .seconds(1)
            let rate = seconds > 0.2 ? Double(state.rowsDone - began.rows) / seconds : 0
            let total = max(rowsTotal, state.rowsDone)
            let remaining = rate > 0 ? Double(total - state.rowsDone) / rate : nil
            return BackfillProgress(
                rowsDone: state.rowsDone,
                rowsTotal: total,
                rowsPerSecond: Int64(rate),
                estimatedCompletion: remaining.map { Date(timeIntervalSinceNow: $0) },
                heapOnlyPercent: heapOnly.percent
            )
        }
        reporter.update { $0.progress = progress }
    }

    /// A long pause is over: what was done before it says nothing of the present speed.
    func resumed() {
        state.withLock { $0.began = nil }
    }

    /// What follows goes over the same rows once more.
    func restart() {
        state.withLock { $0 = State() }
    }

    /// The end: the total is exact now.
    func finish() {
        let rows = state.withLock { $0.rowsDone }
        reporter.update {
            $0.progress = BackfillProgress(rowsDone: rows, rowsTotal: rows, heapOnlyPercent: heapOnly.percent)
        }
    }
}
