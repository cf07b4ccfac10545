import Foundation
import TestSupport
import Testing

@testable import DurablePromises

/// What came of checking the histories of a load.
struct HistoryReport: Sendable, CustomStringConvertible {
    var histories = 0
    /// Those of histories on which there is a verdict.
    var operations = 0
    /// Operations of which nobody knows whether they took effect.
    var unknown = 0
    var statuses: [Int: Int] = [:]
    var violations: [String] = []
    /// Histories with so many unknown outcomes that there are too many orders to try.
    var undecided: [String] = []

    var description: String {
        "\(operations) operations in \(histories) histories, \(unknown) of them with an unknown outcome; by status "
            + statuses.sorted { $0.key < $1.key }.map { "\($0.key): \($0.value)" }.joined(separator: ", ")
            + "; not linearizable: \(violations.count), undecided: \(undecided.count)"
    }

    /// There is a verdict on 19 of 20 histories at the least, and all of them are in order.
    var isLinearizable: Bool { violations.isEmpty && undecided.count * 20 <= histories }

    /// Checks the history of each family. It takes minutes of a processor.
    ///
    /// - Parameter times: how the clock was set meanwhile: the same for all of them.
    static func check(_ families: [Family], times: [Family.Operation] = [], from now: Int64? = nil) async
        -> HistoryReport
    {
        await onOwnThread {
            var report = HistoryReport()
            for family in families { report.add(check(family, times, now)) }
            return report
        }
    }

    private mutating func add(_ other: HistoryReport) {
        histories += other.histories
        operations += other.operations
        unknown += other.unknown
        statuses.merge(other.statuses) { $0 + $1 }
        violations += other.violations
        undecided += other.undecided
    }

    private static func check(_ family: Family, _ times: [Family.Operation], _ now: Int64?) -> HistoryReport {
        let operations = family.operations
        var report = HistoryReport()
        report.histories = 1
        report.operations = operations.count
        report.unknown = operations.count { $0.output == nil }
        for operation in operations {
            if let status = operation.output?.status { report.statuses[status, default: 0] += 1 }
        }
        // What the clock was before the family began, and how it was set while there was something to see.
        let began = operations.map(\.called).min() ?? 0
        let ended = operations.map(\.returned).max() ?? 0
        var initial = FamilyState(now: now)
        for time in times where time.returned < began {
            if case .time(let value) = time.input { initial.now = value }
        }
        let meanwhile = times.filter { $0.returned >= began && $0.called <= ended }
        let history = operations + meanwhile
        let checker = LinearizabilityChecker(specification: FamilySpecification())
        switch checker.check(history, from: initial) {
        case .linearizable: break
        case .undecided:
            report.undecided.append(family.name)
            report.operations = 0
        case .violation(let order, let stuck):
            let last = order.suffix(12).map { line(history[$0]) }
            report.violations.append(
                "\(family.name)\n" + last.joined(separator: "\n") + "\nof these none can be next:\n"
                    + stuck.map { line(history[$0]) }.joined(separator: "\n")
            )
        }
        return report
    }

    private static func line(_ operation: Family.Operation) -> String {
        let asked =
            switch operation.input {
            case .time(let time): "the time is \(time)"
            case .request(let request): String(decoding: Request(request).json, as: UTF8.self)
            }
        let answered = operation.output.map { String(decoding: $0.json, as: UTF8.self) } ?? "?"
        return "\(operation.called)–\(operation.returned) client \(operation.client): \(asked) → \(answered)"
    }
}
