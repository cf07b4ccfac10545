import Foundation
import MigrationEngine
import SchemaChange

/// What a migration has come to, for people.
enum Summary {
    static func of(_ report: MigrationReport) -> String {
        var lines: [String] = []
        if report.isFromLedger { lines.append("phase: \(report.phase.rawValue)") }
        switch report.activity {
        case .reached: break
        case .working(let reason, let message): lines.append("working (\(reason)): \(message)")
        case .waiting(let reason, let message): lines.append("waiting (\(reason)): \(message)")
        case .stalled(let reason, let message): lines.append("stalled (\(reason)): \(message)")
        }
        // A certificate that may not hold any more is not told as if it did.
        var isStalled = false
        if case .stalled = report.activity { isStalled = true }
        if let certificate = report.certificate, !isStalled { lines.append(of(certificate)) }
        if let until = report.reversibleUntil {
            lines.append("contract can be undone until \(until.formatted(.iso8601))")
        }
        return lines.joined(separator: "\n")
    }

    static func of(_ certificate: Certificate) -> String {
        if certificate.baseline == true {
            return "baseline: the database had it already on \(certificate.at.formatted(.iso8601)); no row was compared"
        }
        return """
            verified: \(certificate.rowsCompared) rows compared (\(certificate.oldSide) written last by the old side, \
            \(certificate.newSide) by the new), mismatches: \(certificate.mismatches)
            proof: plan \(certificate.planHash.prefix(19))…, WAL \(certificate.walPosition), \
            \(certificate.at.formatted(.iso8601))
            """
    }
}
