import Foundation
import MigrationEngine
import SchemaChange

/// A plan for people.
enum PlanText {
    static func of(_ preview: PlanPreview) -> String {
        var lines = ["plan \(preview.planHash)"]
        if let phase = preview.inForce { lines.append("pinned, and in force: it stands at \(phase.rawValue)") }
        for phase in preview.phases {
            lines.append("\n\(phase.phase.rawValue)")
            for step in phase.steps { lines += describe(step) }
        }
        if !preview.purge.isEmpty {
            lines.append("\nOnce contract.keepFor is over (cannot be undone)")
            for step in preview.purge { lines += describe(step) }
        }
        if !preview.estimates.isEmpty {
            lines.append("\nBackfill, estimated")
            lines += preview.estimates.map { "  - " + PlanWords.estimate($0) }
            lines += EstimateMethod.text.split(separator: "\n").map { "    \($0)" }
        }
        if !preview.findings.isEmpty { lines.append("\nFindings") }
        for finding in preview.findings {
            lines.append("  - \(finding.severity.rawValue): \(finding.path): \(finding.message) [\(finding.code)]")
            if let remedy = finding.remedy { lines.append("      \(remedy)") }
        }
        return lines.joined(separator: "\n")
    }

    private static func describe(_ step: StepPreview) -> [String] {
        var lines = ["  - \(step.title)" + (step.lock.map { "  [\($0)]" } ?? "")]
        lines += step.statements.map { "      " + $0.replacing("\n", with: "\n      ") }
        if step.isForTheWayBack {
            lines.append("      nothing on the way forwards; on the way back:")
            lines += step.undoStatements.map { "      " + $0.replacing("\n", with: "\n      ") }
        }
        if step.work == .waits {
            lines.append("      sluice promise settle <promise of the walk>:dual-writes --state resolved")
        }
        lines.append("      (\(PlanWords.facts(step).joined(separator: "; ")))")
        return lines
    }
}

extension StepPreview {
    /// Whether it is there for what it does when it is undone, and nothing else.
    var isForTheWayBack: Bool { statements.isEmpty && !undoStatements.isEmpty }
}

/// What text and Markdown say alike.
enum PlanWords {
    static func facts(_ step: StepPreview) -> [String] {
        [lock(step), work(step), undo(step)].compactMap(\.self)
    }

    static func lock(_ step: StepPreview) -> String? {
        let lock = step.lock.map { "\($0)\(step.table.map { " on \($0)" } ?? "")" }
        if let wait = step.maxLockWait {
            return "\(lock ?? "whatever lock the statements take"), waits at most \(wait) and tries again"
        }
        return lock.map { "\($0), waits with nobody behind it" }
    }

    static func work(_ step: StepPreview) -> String {
        let rows = step.rows.map { "about \(number($0)) rows" } ?? "the rows"
        return switch step.work {
        case .catalog: "changes the catalog only"
        case .waits: "waits for somebody"
        case .samples: "reads a sample"
        case .scans: "reads \(rows) while others write"
        case .scansLocked: "reads \(rows) while others wait"
        case .buildsIndex: "builds an index while others write"
        case .writesRows: "writes \(rows)"
        case .rewrites: "rewrites the table while others wait"
        }
    }

    static func undo(_ step: StepPreview) -> String {
        switch step.undo {
        case .statements: "can be undone"
        case .nothing: "nothing to undo"
        case .stays: "undoing leaves it"
        case .impossible: step.id.hasPrefix("purge/") ? "cannot be undone" : "nobody said how to undo it"
        }
    }

    static func estimate(_ estimate: BackfillEstimate) -> String {
        let time = estimate.seconds.map { "about \(duration($0))" } ?? "as long as the workers take"
        let room = estimate.fillfactor.map {
            "; more rows would stay on their pages with fillfactor \($0), which counts for pages written from then on"
        }
        return "\(estimate.columns.joined(separator: ", ")) of \(estimate.table): \(number(estimate.rows)) rows of "
            + "\(Int(estimate.rowBytes)) bytes, \(Int(estimate.addedBytes)) more each "
            + "(sample of \(number(estimate.sampledRows))); \(time), WAL \(bytes(estimate.walBytes)), "
            + "disk \(bytes(estimate.diskBytes))" + (room ?? "")
    }

    static func number(_ value: Int64) -> String {
        var digits = String(value)
        var groups: [String] = []
        while digits.count > 3 {
            groups.insert(String(digits.suffix(3)), at: 0)
            digits = String(digits.dropLast(3))
        }
        return ([digits] + groups).joined(separator: " ")
    }

    static func bytes(_ value: Int64) -> String {
        let units = ["B", "KiB", "MiB", "GiB", "TiB"]
        var size = Double(value)
        var unit = 0
        while size >= 1024, unit < units.count - 1 {
            size /= 1024
            unit += 1
        }
        return unit == 0 ? "\(value) B" : String(format: "%.1f %@", size, units[unit])
    }

    static func duration(_ seconds: Double) -> String {
        switch seconds {
        case ..<1: "1 s"
        case ..<120: "\(Int(seconds.rounded())) s"
        case ..<7200: "\(Int((seconds / 60).rounded())) min"
        default: String(format: "%.1f h", seconds / 3600)
        }
    }
}
