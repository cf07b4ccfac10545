/// What cannot be had on a partitioned table, and why: said before anything is planned.
extension PlanBuilder {
    static func requirePartitionable(_ changes: [Change], in catalog: Catalog) throws(PlanError) {
        for (index, change) in changes.enumerated() {
            for name in change.changedTables {
                guard let table = catalog.present(name), table.isPartitioned else { continue }
                if let flaw = change.flaw(on: table, at: path(index, change)) { throw flaw }
            }
        }
    }
}

extension TableDescription {
    var isPartitioned: Bool { relationKind == "p" }
}

extension Change {
    /// Those that it alters, and not only refers to.
    fileprivate var changedTables: [String] {
        if case .moveToTable = self { tables } else { Array(tables.prefix(1)) }
    }

    fileprivate func flaw(on table: TableDescription, at path: String) -> PlanError? {
        func flaw(_ field: String, _ message: String) -> PlanError {
            PlanError(.unsupportedTable, at: path + field, "\(table.name) is partitioned: \(message)")
        }
        let worker =
            "a row that moves to another partition could not be told from a new one, about which the worker of "
            + "forwardBy has still to be asked; give forward"
        let key =
            "a key over all partitions cannot be built while others write, and must hold the partition key; make a unique "
            + "index with createIndex"
        let sameName =
            "what depends on the column cannot be carried over to one under the same name; give it a new name, with "
            + "alterColumn and to"
        switch self {
        case .addColumn(let change):
            if change.forwardBy != nil { return flaw(".forwardBy", worker) }
            if change.unique == true { return flaw(".unique", key) }
        case .replaceColumns(let change):
            if change.forwardBy != nil { return flaw(".forwardBy", worker) }
        case .alterColumn(let change):
            if change.forwardBy != nil { return flaw(".forwardBy", worker) }
            if change.keepsName { return flaw("", sameName) }
            if change.unique != nil { return flaw(".unique", key) }
        case .renameColumn:
            return flaw("", sameName)
        case .moveToTable:
            return flaw(
                "", "columns go from plain tables to plain tables only; split it by an application that writes both")
        case .addConstraint(let change):
            let constraint = change.constraint
            if constraint.unique != nil { return flaw(".unique", key) }
            if constraint.primaryKey != nil { return flaw(".primaryKey", key) }
            if constraint.exclusion != nil { return flaw(".exclusion", key) }
        case .dropConstraint(let change):
            switch table.constraint(change.name)?.kind {
            case "u", "p", "x": return flaw(".name", "there would be no way back: \(key)")
            default: break
            }
        case .setReplicaIdentity:
            return flaw("", "each partition has a replica identity of its own; set them by sql")
        case .dropColumn, .createTable, .createIndex, .dropIndex, .renameConstraint, .dropTable, .renameTable,
            .addEnumValue, .setComment, .sql:
            break
        }
        return nil
    }
}
