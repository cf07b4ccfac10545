/// Something that a Migration says, and that had better be said otherwise: what, why, and how.
public struct Finding: Codable, Hashable, Sendable, CustomStringConvertible {
    public enum Severity: String, Codable, Sendable, CaseIterable, Comparable {
        /// It would hurt the application or cannot work: nothing is begun.
        case error
        /// It may hurt.
        case warning
        /// Good to know.
        case info

        public static func < (left: Severity, right: Severity) -> Bool {
            allCases.firstIndex(of: left)! < allCases.firstIndex(of: right)!
        }
    }

    /// A ``LintCode``, or the code of a ``PlanError``. One word in CamelCase.
    public var code: String
    public var severity: Severity
    /// Where, within the spec: `changes[0].sql.expand[1]`.
    public var path: String
    /// What is found, and why that matters.
    public var message: String
    /// The safe way to write it; nil where the message says so.
    public var remedy: String?
    /// Which table would be locked, rewritten or scanned, as SQL names it.
    public var table: String?

    public init(
        _ code: LintCode, _ severity: Severity? = nil, at path: String, _ message: String, remedy: String? = nil,
        table: String? = nil
    ) {
        self.code = code.rawValue
        self.severity = severity ?? code.severity
        self.path = path
        self.message = message
        self.remedy = remedy ?? code.remedy
        self.table = table
    }

    /// What a kind of change found wrong with its fields.
    public init(_ error: PlanError) {
        code = error.code.rawValue
        severity = .error
        path = error.path
        message = error.message
    }

    public var description: String {
        "\(path): \(message)" + (remedy.map { "; \($0)" } ?? "")
    }

    public var known: LintCode? { LintCode(rawValue: code) }
}
