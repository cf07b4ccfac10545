/// What the role must be allowed to, for the plan to be done and undone.
extension Plan {
    /// The tables that it alters, and those to which it only makes foreign keys.
    public var rights: (owned: [TableName], referred: [TableName]) {
        let locking = steps.filter { step in
            guard case .statements(let apply, let revert) = step.action else { return step.lock != nil }
            return step.lock != nil && step.lock != "ACCESS SHARE" && !(apply + (revert ?? [])).isEmpty
        }
        let owned = Set(locking.compactMap(\.table))
        let referred = Set(locking.compactMap(\.otherTable)).subtracting(owned)
        return (owned.sorted { $0.description < $1.description }, referred.sorted { $0.description < $1.description })
    }

    /// Whether it makes tables, views or indexes, or gives them other names, in the schema of its tables.
    public var makesRelations: Bool {
        steps.contains { step in
            switch step.action {
            case .buildIndex, .dropIndex: true
            case .statements(let apply, let revert):
                step.lock != nil
                    && (apply + (revert ?? [])).contains { statement in
                        statement.hasPrefix("CREATE TABLE ") || statement.hasPrefix("CREATE VIEW ")
                            || statement.contains(" RENAME TO ")
                    }
            case .concurrently, .clearIndex, .declaration, .backfill, .fillMove, .check, .verify: false
            }
        }
    }
}
