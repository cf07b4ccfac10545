internal import SchemaChange

/// A plan in a few numbers: for a status, an event, a log.
public struct PlanSummary: Codable, Sendable, Hashable {
    public var planHash: String
    /// To be filled, about.
    public var rows: Int64
    /// Of the backfill, estimated; nil where workers compute it, or nothing is filled.
    public var seconds: Int64?
    public var walBytes: Int64
    public var diskBytes: Int64
    /// How many findings there are that are no error, and what the gravest of them say, each at most 256 characters.
    public var warnings: Int
    public var findings: [String]

    static let mostFindings = 8
    static let longestFinding = 256

    init(_ preview: PlanPreview) {
        planHash = preview.planHash
        rows = preview.estimates.reduce(0) { $0 + $1.rows }
        let times = preview.estimates.map(\.seconds)
        seconds = times.isEmpty || times.contains(nil) ? nil : Int64(times.reduce(0) { $0 + ($1 ?? 0) }.rounded(.up))
        walBytes = preview.estimates.reduce(0) { $0 + $1.walBytes }
        diskBytes = preview.estimates.reduce(0) { $0 + $1.diskBytes }
        warnings = preview.count(of: .warning)
        findings = preview.findings.filter { $0.severity <= .warning }.prefix(Self.mostFindings).map { finding in
            String("\(finding.code): \(finding)".prefix(Self.longestFinding))
        }
    }

    /// One line; the findings at the end of it, as far as they go into what an event may hold.
    public var text: String {
        var parts = ["\(rows) rows to fill"]
        if let seconds { parts.append("about \(seconds) s") }
        if rows > 0 { parts.append("WAL about \(walBytes >> 20) MiB, disk about \(diskBytes >> 20) MiB") }
        parts.append("\(warnings) warnings")
        return String((parts.joined(separator: ", ") + findings.map { "; \($0)" }.joined()).prefix(900))
    }
}

extension [Finding] {
    /// - Throws: the first error, with what to do about it.
    func requireNoError() throws {
        guard let error = first(where: { $0.severity == .error }) else { return }
        throw Interruption.stalled(reason: error.code, message: error.description)
    }
}
