/// Contract takes the old side away by rename, so that it can come back, and drops it once `keepFor` is over.
extension PlanBuilder {
    mutating func addArchive(
        of mapping: Mapping, carried: CarriedDependents? = nil, requirements: RequirementNames? = nil
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
        let title =
            mapping.old.isEmpty
            ? "ending the dual write of \(table)"
            : "archiving \(mapping.old.map(\.name).joined(separator: ", ")) of \(table)"
        add(
            .contract,
            "archive",
            title,
            table: table,
            apply: lock + dualWrite.drop + leave + take + archive.create,
            revert: lock + archive.drop + giveBack + comeBack + (carried?.afterSwapBack ?? []) + dualWrite.create
        )
        if let carried {
            unlinking += carried.unlinking.map { $0.step(.contract, of: mapping) }
            if let check = carried.wayBack {
                wayBack.append(
                    Step(
                        id: "contract/\(index)/archive", phase: .contract,
                        title: "looking for rows that have no old value", action: check, table: table))
            }
            linking += carried.linking.map { $0.step(.contract, of: mapping) }
            forTheWayBack += carried.forTheWayBack.map { ($0, mapping) }
            known.append(
                KnownDependents(
                    table: table, column: mapping.old[0].name, names: carried.present.known,
                    step: id(.contract, "archive")))
            archives["\(table).\(mapping.old[0].name)"] = id(.contract, "archive")
        }
        let columns = mapping.old.map { mapping.archived($0) } + [mapping.marker]
        addPurge(
            "dropping the archive of \(table)",
            table: table,
            archive.drop + columns.map { "ALTER TABLE \(table.quoted) DROP COLUMN IF EXISTS \($0.quotedIdentifier)" }
        )
    }
}
