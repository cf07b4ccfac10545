/// Looks at the changes of a Migration as they are written, without a database: pure.
public struct Lint: Sendable {
    /// What else the spec says, as far as it matters here.
    public struct Setting: Sendable {
        public var target: Phase
        public var writer: DualWriter
        /// Whether version 2 finds the new shape in a schema of its own.
        public var hasViews: Bool
        /// Whether a workload is named that waits for the gate and for Contract.
        public var hasRollouts: Bool
        public var isWithoutRollouts: Bool
        /// Whether `contract` names sessions or roles.
        public var namesSessions: Bool
        public var keepsNothing: Bool
        /// Codes that somebody has looked at and accepts.
        public var allowed: Set<String>

        public init(
            target: Phase = .backfill, writer: DualWriter = .database, hasViews: Bool = false,
            hasRollouts: Bool = false,
            isWithoutRollouts: Bool = false, namesSessions: Bool = false, keepsNothing: Bool = false,
            allowed: Set<String> = []
        ) {
            self.target = target
            self.writer = writer
            self.hasViews = hasViews
            self.hasRollouts = hasRollouts
            self.isWithoutRollouts = isWithoutRollouts
            self.namesSessions = namesSessions
            self.keepsNothing = keepsNothing
            self.allowed = allowed
        }
    }

    let changes: [Change]
    let setting: Setting

    public init(_ changes: [Change], setting: Setting = Setting()) {
        self.changes = changes
        self.setting = setting
    }

    /// Everything, in the order of the fields; of what is allowed nothing.
    public var findings: [Finding] {
        let found =
            PlanBuilder.flaws(in: changes, writer: setting.writer).map { Finding($0) }
            + changes.enumerated().flatMap { index, change in
                change.kind.lint(at: PlanBuilder.path(index, change), setting)
            } + settingFindings
        return allowing(found)
    }

    /// Without what somebody accepts. What cannot work at all cannot be accepted.
    public func allowing(_ findings: [Finding]) -> [Finding] {
        var seen: Set<Finding> = []
        return findings.filter { finding in
            let isAccepted = finding.known?.isAcceptable == true && setting.allowed.contains(finding.code)
            return !isAccepted && seen.insert(finding).inserted
        }
    }

    private var settingFindings: [Finding] {
        var findings: [Finding] = []
        if setting.keepsNothing {
            findings.append(
                Finding(.keepsNothing, at: "contract.keepFor", "after Contract there is no way back, not for a moment"))
        }
        if setting.target == .contract, !setting.hasRollouts, !setting.isWithoutRollouts {
            findings.append(
                Finding(
                    .contractUnguarded, at: "rollouts",
                    "Contract waits, since nobody says which workloads use the tables"))
        }
        return findings
    }
}

extension LintCode {
    /// Whether `lint.allow` may name it: not where the step could only fail, or a proof would not hold.
    public var isAcceptable: Bool {
        switch self {
        case .unreadableManifest, .unreadableSQL, .transactionControl, .outsideTransaction, .copiesFromClient,
            .disablesTriggers,
            .attributeNumbers:
            false
        default: true
        }
    }
}

extension ChangeKind {
    func lint(at path: String, _ setting: Lint.Setting) -> [Finding] {
        lintNewColumns(at: path)
    }

    /// Names and types of the columns that it brings into being.
    func lintNewColumns(at path: String) -> [Finding] {
        newColumns.flatMap { field, column in
            let place = "\(path).\(field)"
            let isTooLong = column.name.utf8.count > Lint.longestName
            return (isTooLong ? [Finding.name(column.name, at: "\(place)name")] : [])
                + TypeLint.remarks(column: column.name, type: column.type).map {
                    Finding($0.code, at: "\(place)type", $0.message)
                }
        }
    }
}

extension Lint {
    /// In bytes: PostgreSQL cuts what is longer, `NAMEDATALEN - 1`.
    static let longestName = 63
}

extension Finding {
    static func name(_ name: String, at path: String) -> Finding {
        Finding(
            .nameTooLong, at: path,
            "\"\(name)\" has \(name.utf8.count) bytes, and PostgreSQL cuts a name after \(Lint.longestName)")
    }
}
