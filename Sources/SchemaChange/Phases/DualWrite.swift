/// DualWrite sees to it that what either version writes reaches both sides.
extension PlanBuilder {
    /// All triggers of a table in one transaction, with the markers that they write.
    ///
    /// Undoing it drops the markers, since without triggers they would soon be wrong: what is filled next is all rows.
    var dualWriteSteps: [Step] {
        triggeredTables.enumerated().map { index, table in
            let mapped = mappings.filter { $0.table == table }
            let triggers = mapped.map(DualWriteTriggers.init)
            let filled = fills.filter { $0.table == table }
            func marker(_ mapping: Mapping) -> String { mapping.marker.quotedIdentifier }
            return Step(
                id: "dualwrite/\(index)",
                phase: .dualWrite,
                title: "creating the triggers of \(table)",
                action: .statements(
                    apply: mapped.map { "ALTER TABLE \(table.quoted) ADD COLUMN \(marker($0)) text" }
                        + triggers.flatMap(\.create) + filled.flatMap(\.create),
                    revert: triggers.flatMap(\.drop) + filled.flatMap(\.drop)
                        + mapped.map { "ALTER TABLE \(table.quoted) DROP COLUMN IF EXISTS \(marker($0))" }
                ),
                table: table,
                lock: mapped.isEmpty ? "SHARE ROW EXCLUSIVE" : "ACCESS EXCLUSIVE"
            )
        }
    }

    /// The triggers of a table made anew, for when somebody has dropped, disabled or replaced one. The marker stays, and
    /// with it what is known of each row; which rows were written meanwhile, the comparison that follows finds out.
    var repairSteps: [Step] {
        triggeredTables.enumerated().map { index, table in
            var statements = ["LOCK TABLE \(table.quoted) IN ACCESS EXCLUSIVE MODE"]
            for mapping in mappings where mapping.table == table {
                let triggers = DualWriteTriggers(mapping: mapping)
                statements += triggers.drop + triggers.create
            }
            for fill in fills where fill.table == table { statements += fill.drop + fill.create }
            return Step(
                id: "repair/\(index)",
                phase: .dualWrite,
                title: "making the triggers of \(table) again",
                action: .statements(apply: statements, revert: nil),
                table: table,
                lock: "ACCESS EXCLUSIVE"
            )
        }
    }

    /// Each table that has triggers of ours.
    var triggeredTables: [TableName] {
        var tables: [TableName] = []
        for table in mappings.map(\.table) + fills.map(\.table) where !tables.contains(table) { tables.append(table) }
        return tables
    }
}
