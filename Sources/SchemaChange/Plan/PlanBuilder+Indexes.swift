/// Indexes that come and go while others write.
extension PlanBuilder {
    /// Builds an index. Undoing it takes it away.
    ///
    /// Of two steps, since a worker that is killed while it builds leaves something that has to go on the way back.
    mutating func addIndex(
        _ phase: Phase, _ name: String, _ title: String, _ index: ConcurrentIndex,
        lock: String = "SHARE UPDATE EXCLUSIVE"
    ) {
        add(leftover(phase, name, index), isLast: true)
        add(step(phase, name, title, .buildIndex(index), index, lock), isLast: true)
    }

    /// Takes an index away. Undoing it builds it again.
    mutating func removeIndex(
        _ phase: Phase, _ name: String, _ title: String, _ index: ConcurrentIndex,
        lock: String = "SHARE UPDATE EXCLUSIVE"
    ) {
        add(step(phase, name, title, .dropIndex(index), index, lock), isLast: true)
        // On the way back it is undone first, and so done again by whoever turns round in the middle of a build.
        add(leftover(phase, name, index), isLast: true)
    }

    private func leftover(_ phase: Phase, _ name: String, _ index: ConcurrentIndex) -> Step {
        let title = "clearing \(index.table) of an index that was not finished"
        let drop = [index.dropUnfinished]
        let action = index.partitions == nil ? Step.Action.concurrently(apply: drop, revert: drop) : .clearIndex(index)
        return step(phase, "\(name)-unfinished", title, action, index)
    }

    private func step(
        _ phase: Phase, _ name: String, _ title: String, _ action: Step.Action, _ index: ConcurrentIndex,
        _ lock: String = "SHARE UPDATE EXCLUSIVE"
    ) -> Step {
        Step(id: id(phase, name), phase: phase, title: title, action: action, table: index.table, lock: lock)
    }

    /// Refuses to take an index away that something else of the table is about.
    func requireUnneeded(_ index: TableDescription.Index, of table: TableDescription, at path: String) throws(PlanError)
    {
        if let referrer = table.referrers.first(where: { $0.index == index.name }) {
            throw PlanError(
                .invalidChange, at: path,
                "the foreign key \"\(referrer.constraint)\" of \(referrer.table) depends on it; drop that before, in a "
                    + "Migration of its own")
        }
        let isKey = index.isUnique && !index.columns.isEmpty && index.columns == table.key
        guard isKey, changes.contains(where: { $0.walks && $0.tables.contains(table.name.name) })
        else { return }
        throw PlanError(
            .invalidChange, at: path,
            "by this key the rows of \(table.name) are walked; put this change into a Migration of its own")
    }
}
