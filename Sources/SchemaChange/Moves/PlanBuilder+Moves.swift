/// The steps of columns that go to another table.
extension PlanBuilder {
    mutating func addMove(_ move: ColumnMove) {
        moves.append(move)
        addColumns(of: move)
        addFilling(of: move)
        addArchive(of: move)
    }

    private func add(_ column: Column, to table: TableName) -> String {
        "ALTER TABLE \(table.quoted) ADD COLUMN \(column.definition)"
    }

    private func drop(_ column: Column, of table: TableName) -> String {
        "ALTER TABLE \(table.quoted) DROP COLUMN IF EXISTS \(column.quoted)"
    }

    private mutating func addColumns(of move: ColumnMove) {
        add(
            .expand,
            "add-columns",
            "adding \(move.columns.map(\.to.name).joined(separator: ", ")) to \(move.to)",
            table: move.to,
            apply: move.columns.map { add($0.to, to: move.to) } + (move.settings ?? []),
            revert: move.columns.map { drop($0.to, of: move.to) }
        )
    }

    /// The triggers of each table in a transaction of its own, so that nobody waits for two locks. What is written in
    /// between reaches one side only: the backfill fills it, or the comparison names it.
    ///
    /// Undoing it empties the new columns, since without triggers they would soon be wrong: what is filled next is all rows.
    var moveTriggerSteps: [Step] {
        moves.enumerated().flatMap { index, move in
            let triggers = MoveTriggers(move: move)
            func step(_ side: String, _ table: TableName, _ apply: [String], _ revert: [String], _ lock: String) -> Step
            {
                Step(
                    id: "dualwrite/move-\(index)/\(side)", phase: .dualWrite,
                    title: "creating the triggers of \(table)",
                    action: .statements(apply: apply, revert: revert), table: table, lock: lock)
            }
            let empty =
                move.columns.flatMap { [drop($0.to, of: move.to), add($0.to, to: move.to)] } + (move.settings ?? [])
            return [
                step("to", move.to, triggers.createTo, triggers.dropTo + empty, "SHARE ROW EXCLUSIVE"),
                step("from", move.table, triggers.createFrom, triggers.dropFrom, "SHARE ROW EXCLUSIVE"),
            ]
        }
    }

    private mutating func addFilling(of move: ColumnMove) {
        let step = Step(
            id: id(.backfill, "fill"),
            phase: .backfill,
            title: "filling \(move.columns.map(\.to.name).joined(separator: ", ")) of \(move.to) from \(move.table)",
            action: .fillMove(moves.count - 1),
            table: move.table,
            otherTable: move.to
        )
        add(step, isLast: false)
        add(
            .backfill,
            "analyze",
            "collecting statistics of \(move.to)",
            table: move.to,
            lock: "SHARE UPDATE EXCLUSIVE",
            apply: ["ANALYZE \(move.to.quoted)"],
            revert: []
        )
    }

    /// The triggers of the other table go on: through the view they keep the archive.
    private mutating func addArchive(of move: ColumnMove) {
        let table = move.table
        let triggers = MoveTriggers(move: move)
        func rename(_ from: String, _ to: String) -> String {
            "ALTER TABLE \(table.quoted) RENAME COLUMN \(from.quotedIdentifier) TO \(to.quotedIdentifier)"
        }
        let lock = ["LOCK TABLE \(table.quoted) IN ACCESS EXCLUSIVE MODE"]
        let columns = move.columns.enumerated().map { (name: $1.from.name, archived: move.archived($0)) }
        add(
            .contract,
            "archive",
            "archiving \(columns.map(\.name).joined(separator: ", ")) of \(table)",
            table: table,
            apply: lock + triggers.dropFrom + columns.map { rename($0.name, $0.archived) },
            revert: lock + columns.map { rename($0.archived, $0.name) } + triggers.createFrom
        )
        archiveSteps[move.token] = id(.contract, "archive")
        let end = Step(
            id: "purge/\(index)/triggers", phase: .contract, title: "dropping the triggers of \(move.to)",
            action: .statements(apply: triggers.dropTo, revert: nil), table: move.to, lock: "ACCESS EXCLUSIVE")
        purge.append(end)
        addPurge(
            "dropping the archive of \(table)",
            table: table,
            columns.map { "ALTER TABLE \(table.quoted) DROP COLUMN IF EXISTS \($0.archived.quotedIdentifier)" }
        )
    }
}
