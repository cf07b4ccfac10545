internal import KubernetesClient
internal import MigrationEngine
internal import SchemaChange

/// Which Migrations of a namespace wait for which. Looks up those alone that are waited for.
struct DependencyGraph {
    /// By its name.
    let find: (String) -> Migration?

    func states(of migration: Migration) -> [String: DependencyState] {
        let names = migration.spec?.dependsOn ?? []
        return Dictionary(names.map { ($0, state($0)) }, uniquingKeysWith: { first, _ in first })
    }

    private func state(_ name: String) -> DependencyState {
        guard let migration = find(name), !migration.metadata.isBeingDeleted else { return .missing }
        if migration.status?.holds(.verified, for: migration.metadata.generation) == true { return .verified }
        return .notVerified(migration.status?.step ?? migration.status?.phase?.rawValue ?? "Pending")
    }

    /// The names from `name` back to itself, empty where there is no such way.
    func cycle(through name: String) -> [String] {
        var seen: Set<String> = []
        func way(from current: String) -> [String]? {
            for next in find(current)?.spec?.dependsOn ?? [] {
                if next == name { return [current, next] }
                guard seen.insert(next).inserted, let rest = way(from: next) else { continue }
                return [current] + rest
            }
            return nil
        }
        return way(from: name) ?? []
    }
}
