/// DualWrite sees to it that what either version writes reaches both sides.
extension PlanBuilder {
    /// All triggers of a table in one transaction, with the markers that they write.
    ///
    /// Undoing it drops the markers, since without triggers they would soon be wrong: what is filled next is all rows.
    /// Markers and triggers of what the application writes are there since Expand and stay; see ``declare(_:)``.
    var dualWriteSteps: [Step] {
        let declaration = Step(
            id: "dualwrite/declaration",
            phase: .dualWrite,
            title: "waiting until it is declared that every writer writes both sides",
            action: .declaration
        )
        let tables = Self.distinct(mappings.map(\.table) + fills.map(\.table)).enumerated().map { index, table in
            let mapped = mappings.filter { $0.table == table && !$0.isWrittenByApplication }
            let declared = mappings.filter { $0.table == table && $0.isWrittenByApplication }.map(Self.declare)
            let triggers = mapped.map { DualWriteTriggers(mapping: $0) }
            let filled = fills.filter { $0.table == table }
            func marker(_ mapping: Mapping) -> String { mapping.marker.quotedIdentifier }
            return Step(
                id: "dualwrite/\(index)",
                phase: .dualWrite,
                title: mapped.isEmpty && filled.isEmpty
                    ? "noting from now on who writes one side of \(table) alone" : "creating the triggers of \(table)",
                action: .statements(
                    apply: mapped.map { "ALTER TABLE \(table.quoted) ADD COLUMN \(marker($0)) text" }
                        + triggers.flatMap(\.create) + filled.flatMap(\.create) + declared.flatMap(\.apply),
                    revert: triggers.flatMap(\.drop) + filled.flatMap(\.drop)
                        + mapped.map { "ALTER TABLE \(table.quoted) DROP COLUMN IF EXISTS \(marker($0))" }
                        + declared.flatMap(\.revert)
                ),
                table: table,
                lock: !mapped.isEmpty
                    ? "ACCESS EXCLUSIVE" : filled.isEmpty ? "ROW EXCLUSIVE" : "SHARE ROW EXCLUSIVE"
            )
        }
        return (mappings.contains(where: \.isWrittenByApplication) ? [declaration] : []) + tables
            + moveTriggerSteps + (viewStep.map { [$0] } ?? [])
    }

    /// From now on a write of the old side alone is one too few. Before, and again when this is undone, it is what the old
    /// version does, and the backfill makes up for it: for those as well that were found missing.
    private static func declare(_ mapping: Mapping) -> (apply: [String], revert: [String]) {
        let marker = mapping.marker.quotedIdentifier
        let reset = "UPDATE \(mapping.table.quoted) SET \(marker) = NULL WHERE \(marker) = 'm'"
        return (
            [DualWriteTriggers(mapping: mapping).decide],
            [DualWriteTriggers(mapping: mapping, isDeclared: false).decide, reset]
        )
    }

    private static func distinct(_ tables: [TableName]) -> [TableName] {
        tables.enumerated().filter { tables.firstIndex(of: $1) == $0 }.map(\.element)
    }

    /// Each table that has triggers of ours.
    var triggeredTables: [TableName] {
        Self.distinct(mappings.map(\.table) + fills.map(\.table) + moves.flatMap { [$0.table, $0.to] })
    }
}
