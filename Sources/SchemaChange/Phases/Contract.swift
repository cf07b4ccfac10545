/// Contract takes the old side away by rename, so that it can come back, and drops it once `keepFor` is over.
extension PlanBuilder {
    mutating func addArchive(of mapping: Mapping) {
        let table = mapping.table
        let dualWrite = DualWriteTriggers(mapping: mapping)
        let archive = ArchiveTrigger(mapping: mapping)
        func rename(_ from: String, _ to: String) -> String {
            "ALTER TABLE \(table.quoted) RENAME COLUMN \(from.quotedIdentifier) TO \(to.quotedIdentifier)"
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
            apply: ["LOCK TABLE \(table.quoted) IN ACCESS EXCLUSIVE MODE"] + dualWrite.drop
                + mapping.old.map { rename($0.name, mapping.archived($0)) } + archive.create,
            revert: ["LOCK TABLE \(table.quoted) IN ACCESS EXCLUSIVE MODE"] + archive.drop
                + mapping.old.map { rename(mapping.archived($0), $0.name) } + dualWrite.create
        )
        let columns = mapping.old.map { mapping.archived($0) } + [mapping.marker]
        addPurge(
            "dropping the archive of \(table)",
            table: table,
            archive.drop + columns.map { "ALTER TABLE \(table.quoted) DROP COLUMN IF EXISTS \($0.quotedIdentifier)" }
        )
    }
}
