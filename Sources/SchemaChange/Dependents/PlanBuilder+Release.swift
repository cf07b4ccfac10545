/// What a column's constraints and unique indexes would go on refusing once it is in the archive, where the new version
/// does not know of it: they are taken away at Contract before the column goes, and come back after it.
extension TableDescription.Index {
    fileprivate func constrains(_ columns: [String]) -> Bool { reliesOn.contains(where: columns.contains) }
}

extension PlanBuilder {
    /// Foreign keys first, since they need the keys; so on the way back they come last.
    mutating func release(_ columns: [String], of table: TableDescription, at path: String) throws(PlanError) {
        let keys = table.indexes.filter { $0.constrains(columns) && isToRelease($0, of: table) }
        let constraints = table.constraints.filter { constraint in
            let isAbout =
                "cf".contains(constraint.kind)
                ? constraint.columns.contains(where: columns.contains)
                : table.indexes.contains { $0.constraint == constraint.name && $0.constrains(columns) }
            return isAbout && !constraint.name.hasPrefix("sluice_") && !isDropped(constraint.name, of: table)
        }
        var place = 0
        for kind in ["f", "c", "x", "u", "p"] {
            for constraint in constraints where constraint.kind == kind {
                guard try claimRelease(constraint.name, of: table, at: path) else { continue }
                place += 1
                try release(constraint, of: table, place, at: path)
            }
        }
        for index in keys where index.constraint == nil {
            guard try claimRelease(index.name, of: table, at: path) else { continue }
            place += 1
            try requireUnused(index, of: table, at: path)
            removeIndex(
                .contract, "release-\(place)", "taking index \(index.name) of \(table.name) away",
                .named(
                    index.name, of: table.name, token: "\(token)_\(place)", isUnique: index.isUnique,
                    definition: index.definition, tablespace: index.tablespace, extras: index.extras(of: table.name),
                    partitions: table.isPartitioned ? index.ofPartitions : nil),
                lock: table.isPartitioned ? "ACCESS EXCLUSIVE" : "SHARE UPDATE EXCLUSIVE")
        }
    }

    /// Whether it is taken away with a column that it is about, so that nothing is left of it to do.
    func isReleased(_ name: String, of table: TableName) -> Bool { released.contains("\(name) of \(table)") }

    private mutating func release(
        _ constraint: TableDescription.Constraint, of table: TableDescription, _ place: Int, at path: String
    ) throws(PlanError) {
        let title = "taking \(constraint.name) of \(table.name) away"
        let index = table.indexes.first { $0.constraint == constraint.name }
        if let index { try requireUnused(index, of: table, at: path) }
        if table.isPartitioned, !"cf".contains(constraint.kind) {
            throw PlanError(
                .dependents, at: path,
                "\(constraint.name) of \(table.name) is about the column, and would be in force in the archive; the table "
                    + "is partitioned, so it could not come back while others write: drop it first by sql, which says "
                    + "in its rollback how it comes back, in a Migration of its own")
        }
        switch constraint.kind {
        case "u", "p":
            removeKey(
                .contract, "release-\(place)", title, constraint, index!, of: table, token: "\(token)_\(place)")
        case "x" where !table.isSmall:
            throw PlanError(
                .dependents, at: path,
                "\(constraint.name) of \(table.name) is about the column, and would be in force in the archive; it comes "
                    + "back only under a lock that stops reads and writes for as long as a look at all rows takes: drop it "
                    + "by dropConstraint with lockTable: true, in a change before this one")
        default:
            addDropped(
                constraint, of: table, in: .contract, title: title, word: "release-\(place)",
                extras: index?.extras(of: table.name) ?? [])
        }
    }

    /// Those of two columns go with the first. False for the second; an error where another column takes it over.
    private mutating func claimRelease(
        _ name: String, of table: TableDescription, at path: String
    ) throws(PlanError) -> Bool {
        let full = "\(name) of \(table.name)"
        guard !released.contains(full) else { return false }
        if let other = carriedNames.updateValue(path, forKey: full) {
            throw PlanError(
                .dependents, at: path,
                "\(full) depends on a column of \(other) as well; put one of the two into a Migration of its own")
        }
        released.insert(full)
        return true
    }

    /// A unique one; and one that is dropped by a later change, when its column would be in the archive.
    private func isToRelease(_ index: TableDescription.Index, of table: TableDescription) -> Bool {
        var isDroppedLater = false
        for (place, change) in changes.enumerated() {
            guard case .dropIndex(let other) = change, other.table == table.name.name, other.name == index.name else {
                continue
            }
            if place < self.index { return false }
            isDroppedLater = true
        }
        return isDroppedLater || index.isUnique && !index.name.hasPrefix("sluice_")
    }

    /// By a change of its own, which takes it away at Expand.
    func isDropped(_ name: String, of table: TableDescription) -> Bool {
        changes.contains {
            if case .dropConstraint(let other) = $0 {
                other.table == table.name.name && other.name == name
            } else {
                false
            }
        }
    }

    private func requireUnused(
        _ index: TableDescription.Index, of table: TableDescription, at path: String
    ) throws(PlanError) {
        if index.isReplicaIdentity {
            throw PlanError(
                .dependents, at: path,
                "\(index.name) is the replica identity of \(table.name), and is about the column; set another one before, by "
                    + "setReplicaIdentity in a Migration of its own")
        }
        let referrer = table.referrers.first { referrer in
            let isGone =
                isReleased(referrer.constraint, of: referrer.table)
                || changes.prefix(self.index).contains {
                    if case .dropConstraint(let other) = $0 {
                        other.table == referrer.table.name && other.name == referrer.constraint
                    } else {
                        false
                    }
                }
            return referrer.index == index.name && !isGone
        }
        if let referrer {
            throw PlanError(
                .dependents, at: path,
                "the foreign key \"\(referrer.constraint)\" of \(referrer.table) refers to the column; drop it first, by "
                    + "dropConstraint in a change before this one")
        }
    }
}
