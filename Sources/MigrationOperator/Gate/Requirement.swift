internal import SchemaChange

/// One migration that a pod template needs, from `sluice.dev/requires: split-name, balance@Expand`.
public struct Requirement: Hashable, Sendable, CustomStringConvertible {
    public enum Level: Hashable, Sendable {
        /// Every row is proven.
        case verified
        /// The new columns exist: for the release that begins to write both sides itself.
        case expanded
        /// What was written after the `@` means nothing.
        case unknown(String)
    }

    public var migration: String
    public var level: Level

    public init(migration: String, level: Level = .verified) {
        self.migration = migration
        self.level = level
    }

    /// In the order in which they are written; a name that occurs twice counts once for each level.
    public static func parse(_ annotation: String?) -> [Requirement] {
        var requirements: [Requirement] = []
        for entry in (annotation ?? "").split(separator: ",") {
            let parts = entry.split(separator: "@", maxSplits: 1, omittingEmptySubsequences: false)
                .map { $0.trimmingSpaces }
            guard let name = parts.first, !name.isEmpty || parts.count == 2 else { continue }
            let level: Level =
                switch parts.count == 2 ? parts[1] : "Backfill" {
                case Phase.backfill.rawValue: .verified
                case Phase.expand.rawValue: .expanded
                default: .unknown(parts[1])
                }
            let requirement = Requirement(migration: name, level: level)
            if !requirements.contains(requirement) { requirements.append(requirement) }
        }
        return requirements
    }

    /// Whether its pods break when the migration goes back to `phase`.
    func needsMore(than phase: Phase) -> Bool {
        switch level {
        case .verified, .unknown: phase < .backfill
        case .expanded: phase < .expand
        }
    }

    public var description: String {
        switch level {
        case .verified: migration
        case .expanded: "\(migration)@Expand"
        case .unknown(let text): "\(migration)@\(text)"
        }
    }
}

extension Substring {
    var trimmingSpaces: String {
        String(drop(while: \.isWhitespace).reversed().drop(while: \.isWhitespace).reversed())
    }
}
