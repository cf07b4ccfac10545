/// Contract takes the old side away by rename, so that it can come back, and drops it once `keepFor` is over.
extension PlanBuilder {
    mutating func addArchive(
        of mapping: Mapping, _ old: [TableDescription.ColumnDescription], in description: TableDescription,
        carried: CarriedDependents? = nil, requirements: RequirementNames? = nil
    ) {
        let table = mapping.table
        let dualWrite = DualWriteTriggers(mapping: mapping)
        let archive = ArchiveTrigger(mapping: mapping)
        func rename(_ from: String, _ to: String) -> String {
            "ALTER TABLE \(table.quoted) RENAME COLUMN \(from.quotedIdentifier) TO \(to.quotedIdentifier)"
        }
        let shared = mapping.new.filter { $0.interim != nil }
        let lock = ["LOCK TABLE \(table.quoted) IN ACCESS EXCLUSIVE MODE"]
        let leave = mapping.old.map { rename($0.name, mapping.archived($0)) }
        let comeBack = mapping.old.map { rename(mapping.archived($0), $0.name) }
        let take =
            shared.map { rename($0.interim!, $0.name) } + (requirements?.swap ?? []) + (carried?.swap ?? [])
        let giveBack =
            (carried?.swapBack ?? []) + (requirements?.swapBack ?? []) + shared.map { rename($0.name, $0.interim!) }
        let archivedColumns = old.enumerated().map { index, column in
            ArchivedColumn(
                mapping: mapping, index: index, present: column, of: description, requirements: requirements,
                key: keyText(of: description))
        }
        let title =
            mapping.old.isEmpty
            ? "ending the dual write of \(table)"
            : "archiving \(mapping.old.map(\.name).joined(separator: ", ")) of \(table)"
        add(
            .contract,
            "archive",
            title,
            table: table,
            apply: lock + dualWrite.drop + leave + take + archivedColumns.flatMap(\.relax) + archive.create,
            revert: lock + archive.drop + archivedColumns.flatMap(\.unwatch) + giveBack + comeBack
                + (carried?.afterSwapBack ?? []) + dualWrite.create
        )
        let archiveStep = id(.contract, "archive")
        archiveSteps[mapping.token] = archiveStep
        for column in mapping.old { archives["\(table).\(column.name)"] = archiveStep }
        func look(_ title: String, _ check: Step.Action?) {
            guard let check else { return }
            wayBack.append(Step(id: archiveStep, phase: .contract, title: title, action: check, table: table))
        }
        for column in archivedColumns { look("looking for rows that have no old value", column.check) }
        if let carried {
            unlinking += carried.unlinking.map { $0.step(.contract, of: mapping) }
            look("looking where the sequence stands", carried.wayBack)
            linking += carried.linking.map { $0.step(.contract, of: mapping) }
            forTheWayBack += carried.forTheWayBack.map { ($0, mapping) }
            known.append(
                KnownDependents(
                    table: table, column: mapping.old[0].name, successor: mapping.new[0].name,
                    names: carried.present.known,
                    added: carried.added.union(namesGiven(to: table)).sorted(), step: archiveStep,
                    restated: carried.dependents.restated, restatedQuery: carried.restatedQuery))
        }
        if carried == nil {
            for column in old { knows(description, column.name, until: archiveStep) }
        }
        forTheWayBack += archivedColumns.flatMap(\.forTheWayBack).map { ($0, mapping) }
        let columns = mapping.old.map { mapping.archived($0) } + [mapping.marker]
        addPurge(
            "dropping the archive of \(table)",
            table: table,
            archive.drop + columns.map { "ALTER TABLE \(table.quoted) DROP COLUMN IF EXISTS \($0.quotedIdentifier)" }
        )
    }

    /// Says what depends on a column, or on a table, that `step` takes away.
    mutating func knows(_ table: TableDescription, _ column: String? = nil, until step: String) {
        known.append(
            KnownDependents(table: table.name, column: column, names: table.known(on: column), step: step))
    }

    /// What the changes call new indexes and constraints of a table: about a new name of a column they are the plan's own.
    private func namesGiven(to table: TableName) -> [String] {
        changes.compactMap { change in
            guard change.tables.first == table.name else { return nil }
            return switch change {
            case .createIndex(let change): change.indexName
            case .addConstraint(let change): change.constraint.name
            default: nil
            }
        }
    }
}
