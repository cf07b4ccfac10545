import Backfill
import Foundation
import MigrationEngine

/// What `sluice verify` found, as programs read it.
struct VerificationReport: Encodable {
    struct Range: Encodable {
        var table: String
        /// Whose pages they are, `oid/filenode`; left out where it is a range of keys.
        var file: String?
        var after: [String]?
        var upTo: [String]?
        var rows: Int64
        var mismatches: Int64
        /// Whether the rows are those of the certificate; left out where it does not say.
        var unchanged: Bool?
    }

    /// What was found of the rows.
    struct Rows: Encodable {
        var rows: Int64
        var oldSide: Int64
        var newSide: Int64
        var mismatches: Int64
        /// The keys of a few mismatches.
        var keys: [String]
        /// Whether all rows are those of the certificate, wherever they are now; left out where it does not say.
        var unchanged: Bool?
        var ranges: [Range]
    }

    /// Whether the proof holds, and no row was found that is not as its side says.
    var holds: Bool
    /// Why there is no proof, or none any more.
    var reason: String?
    var certificate: Certificate?
    /// Left out where nothing was compared.
    var compared: Rows?
    /// Whether nothing was to be compared.
    let isQuick: Bool

    private enum CodingKeys: String, CodingKey {
        case holds, reason, certificate, compared
    }

    init(_ check: ProofCheck, _ comparison: RowComparison?, isQuick: Bool) {
        self.isQuick = isQuick
        compared = comparison.map(Rows.init)
        switch check {
        case .holds(let certificate):
            self.certificate = certificate
            holds = (compared?.mismatches ?? 0) == 0
        case .broken(let reason):
            self.reason = reason
            holds = false
        case .none:
            holds = false
        }
    }
}

extension VerificationReport.Rows {
    init(_ comparison: RowComparison) {
        let tally = comparison.tally
        rows = tally.rows
        oldSide = tally.oldSide
        newSide = tally.newSide
        mismatches = tally.mismatches
        keys = tally.examples
        unchanged = comparison.isUnchanged
        ranges = comparison.parts.map {
            VerificationReport.Range(
                table: $0.table, file: $0.span.file?.rawValue, after: $0.span.after, upTo: $0.span.upTo,
                rows: $0.found.rows,
                mismatches: $0.found.mismatches, unchanged: $0.isUnchanged)
        }
    }
}

/// The same for people.
enum VerificationText {
    static func of(_ report: VerificationReport, name: MigrationName) -> String {
        var lines: [String] = []
        if let certificate = report.certificate {
            lines.append(Summary.of(certificate))
            lines += self.lines(certificate)
        } else if let reason = report.reason {
            lines.append("broken: \(reason)")
        } else {
            lines.append("there is no proof: \(name) was never verified here, or was undone since")
            return lines[0]
        }
        if let compared = report.compared {
            lines += self.lines(compared)
        } else if !report.isQuick {
            lines.append("nothing was compared again: after Contract the old side is an archive")
        }
        return lines.joined(separator: "\n")
    }

    /// Each field of a certificate by its name.
    private static func lines(_ certificate: Certificate) -> [String] {
        let fields: [(String, String?)] = [
            ("migration", certificate.migration), ("planHash", certificate.planHash),
            ("database", certificate.database), ("systemIdentifier", certificate.systemIdentifier),
            ("timeline", "\(certificate.timeline)"), ("walPosition", certificate.walPosition),
            ("triggers", certificate.triggers), ("walk", certificate.walk.map { "\($0)" }),
            ("at", certificate.at.formatted(.iso8601)), ("checksum", certificate.checksum),
        ]
        return ["certificate:"] + fields.compactMap { name, value in value.map { "  \(name): \($0)" } }
            + (certificate.ranges ?? []).map {
                "  range: \(span($0.table, $0.file?.rawValue, $0.after, $0.upTo)): \($0.rows) rows (old side \($0.oldSide), new side "
                    + "\($0.newSide)), digest \($0.digest ?? "unknown")"
            }
    }

    private static func lines(_ compared: VerificationReport.Rows) -> [String] {
        var lines = ["compared again: \(compared.rows) rows, mismatches: \(compared.mismatches)"]
        if compared.unchanged == true { lines.append("all rows are those of the certificate") }
        if compared.mismatches > 0 {
            lines.append("keys of some: \(compared.keys.map { "(\($0))" }.joined(separator: ", "))")
        }
        return lines
            + compared.ranges.map { range in
                let state =
                    switch range.unchanged {
                    case true?: "unchanged since"
                    case false?: "rows were written since"
                    case nil: "the certificate says nothing of it"
                    }
                return "  \(span(range.table, range.file, range.after, range.upTo)): \(range.rows) rows, mismatches: "
                    + "\(range.mismatches), \(state)"
            }
    }

    private static func span(_ table: String, _ file: String?, _ after: [String]?, _ upTo: [String]?) -> String {
        if let file {
            let first = after?.first ?? "0"
            let end = upTo?.first.map { "before \($0)" } ?? "to the end"
            return "\(table), file \(file), pages from \(first) \(end)"
        }
        func key(_ key: [String]) -> String { "(\(key.joined(separator: ", ")))" }
        return switch (after, upTo) {
        case (nil, nil): "\(table), all rows"
        case (let after?, nil): "\(table), after \(key(after))"
        case (nil, let upTo?): "\(table), up to \(key(upTo))"
        case (let after?, let upTo?): "\(table), after \(key(after)) up to \(key(upTo))"
        }
    }
}
