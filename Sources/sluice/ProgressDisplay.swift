import Backfill
import Foundation
import MigrationEngine
import SchemaChange
import Synchronization

/// Shows a run on standard error: one line that moves where that is a terminal, else a line for each thing that is new.
final class ProgressDisplay: Sendable {
    private struct State {
        var lines = NewLines()
        var lastLine = ""
        var lastShown: ContinuousClock.Instant?
        var isOpen = false
    }

    private let name: String
    private let isTerminal = isatty(STDERR_FILENO) == 1
    private let state = Mutex(State())

    init(name: String) {
        self.name = name
    }

    func show(_ report: MigrationReport) {
        let line = Self.line(report)
        state.withLock { state in
            let isProgress = report.progress != nil && Self.head(line) == Self.head(state.lastLine)
            let pause: Duration = isTerminal ? .milliseconds(100) : .seconds(1)
            if isProgress, let last = state.lastShown, ContinuousClock.now - last < pause { return }
            if state.lines.take(line) { write(line, &state) }
        }
    }

    /// What is waited for will be looked at again. It is said once, and again only when it is something else.
    func wait(_ report: MigrationReport) {
        let line = Self.line(report)
        state.withLock { state in
            if state.lines.endAttempt(line) { write(line, &state) }
        }
    }

    func finish() {
        state.withLock { if $0.isOpen { write("\n") } }
    }

    private func write(_ line: String, _ state: inout State) {
        if isTerminal {
            let isSameStep = Self.head(line) == Self.head(state.lastLine)
            write((state.isOpen && !isSameStep ? "\n" : "\r\u{1B}[K") + "\(name)  \(line)")
            state.isOpen = true
        } else {
            write("\(name)  \(line)\n")
        }
        state.lastLine = line
        state.lastShown = .now
    }

    private func write(_ text: String) {
        FileHandle.standardError.write(Data(text.utf8))
    }

    private static func head(_ line: String) -> Substring {
        line.prefix { $0 != "[" }
    }

    static func line(_ report: MigrationReport) -> String {
        switch report.activity {
        case .reached: return report.phase.rawValue
        case .waiting(let reason, let message): return "waiting (\(reason)): \(message)"
        case .stalled(let reason, let message): return "stalled (\(reason)): \(message)"
        case .working(_, let message):
            if let hold = report.hold {
                return "held since \(hold.since.formatted(.iso8601)) (\(hold.reason)): \(hold.message)"
            }
            let isCounting = ["Backfilling", "Verifying"].contains(report.step)
            guard isCounting, let progress = report.progress else { return message }
            return "\(message) \(bar(progress))"
        }
    }

    private static func bar(_ progress: BackfillProgress) -> String {
        let share = progress.rowsTotal > 0 ? Double(progress.rowsDone) / Double(progress.rowsTotal) : 1
        let width = 24
        let filled = Int(share * Double(width))
        let bar = String(repeating: "█", count: filled) + String(repeating: "░", count: width - filled)
        var text =
            "[\(bar)] \(Int(share * 100)) % \(progress.rowsDone)/\(progress.rowsTotal) rows, \(progress.rowsPerSecond)/s"
        if let completion = progress.estimatedCompletion, share < 1 {
            text += ", \(Int(completion.timeIntervalSinceNow.rounded(.up))) s left"
        }
        if let percent = progress.heapOnlyPercent { text += ", \(percent) % on their page" }
        return text
    }
}
