/// Expand makes room for the new version: its columns, which anybody may leave NULL until they are filled.
extension PlanBuilder {
    mutating func addColumns(of mapping: Mapping) {
        let table = mapping.table
        add(
            .expand,
            "add-columns",
            "adding \(mapping.new.map(\.name).joined(separator: ", ")) to \(table)",
            table: table,
            apply: mapping.new.map { "ALTER TABLE \(table.quoted) ADD COLUMN \($0.quoted) \($0.type)" },
            revert: mapping.new.map { "ALTER TABLE \(table.quoted) DROP COLUMN IF EXISTS \($0.quoted)" }
        )
    }
}
