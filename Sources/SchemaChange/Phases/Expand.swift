/// Expand makes room for the new version: its columns, which anybody may leave NULL until they are filled.
extension PlanBuilder {
    /// Where the application writes both sides, it may begin as soon as there are two. So in the same transaction come the
    /// marker and the triggers that note what it writes, or the backfill would take that for something nobody wrote.
    ///
    /// - Parameter settings: what else the new columns are given.
    mutating func addColumns(of mapping: Mapping, settings: [String] = []) {
        let table = mapping.table
        let triggers = DualWriteTriggers(mapping: mapping, isDeclared: false)
        let marker = mapping.marker.quotedIdentifier
        let isChecked = mapping.isWrittenByApplication
        add(
            .expand,
            "add-columns",
            "adding \(mapping.new.map(\.name).joined(separator: ", ")) to \(table)",
            table: table,
            apply: mapping.new.map { "ALTER TABLE \(table.quoted) ADD COLUMN \($0.definition)" } + settings
                + (isChecked ? ["ALTER TABLE \(table.quoted) ADD COLUMN \(marker) text"] + triggers.create : []),
            revert: (isChecked ? triggers.drop + ["ALTER TABLE \(table.quoted) DROP COLUMN IF EXISTS \(marker)"] : [])
                + mapping.new.map { "ALTER TABLE \(table.quoted) DROP COLUMN IF EXISTS \($0.stored)" }
        )
    }
}
