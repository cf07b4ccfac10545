/// The id of a walk's root promise: `migration/<namespace>/<name>/<plan>/w<number>`. That of a purge has `-purge` behind it,
/// and what belongs to either has a colon there.
enum WalkID {
    static func of(_ migration: String, planHash: String, walk: Int64) -> String {
        "\(prefix(migration))\(planHash.dropFirst("sha256:".count).prefix(4))/w\(walk)"
    }

    /// With which the ids of all of a migration's walks begin, whatever their plan.
    static func prefix(_ migration: String) -> String {
        "migration/\(migration)/"
    }

    /// The number of the walk of which a promise is, or to which it belongs; nil when it is none of the migration's.
    static func number(_ id: String, of migration: String) -> Int64? {
        guard id.hasPrefix(prefix(migration)) else { return nil }
        let parts = id.dropFirst(prefix(migration).count).prefix { $0 != ":" }.split(
            separator: "/", omittingEmptySubsequences: false)
        guard parts.count == 2, parts[0].count == 4, parts[1].hasPrefix("w") else { return nil }
        let number = parts[1].hasSuffix("-purge") ? parts[1].dropLast("-purge".count) : parts[1]
        return Int64(number.dropFirst())
    }
}
