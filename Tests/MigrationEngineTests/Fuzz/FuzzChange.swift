import SchemaChange
import TestSupport

/// A change at random, and the plain statements that a person with the table to herself would give instead.
struct FuzzChange: Sendable {
    let change: Change
    let plain: [String]

    /// Changes of a table, each of columns of its own.
    static func some(of table: FuzzTable, _ random: inout SplitMix) -> [FuzzChange] {
        var free = table.columns.filter { !table.references.contains($0.name) || Bool.random(using: &random) }
            .shuffled(using: &random)
        var changes: [FuzzChange] = []
        let count = Int.random(in: 1...3, using: &random)
        for index in 0..<count where index == 0 || !free.isEmpty {
            let maker = Maker(table: table, index: index)
            while true {
                if let change = maker.make(from: &free, &random) {
                    changes.append(change)
                    break
                }
            }
        }
        return changes
    }

    private struct Maker {
        let table: FuzzTable
        let index: Int
        var name: String { table.name }
        var alter: String { "ALTER TABLE \(table.name.quotedIdentifier)" }
        var update: String { "UPDATE \(table.name.quotedIdentifier) SET" }
        var newName: String { ["new", "Neü", "new \"one\"", "from"][index % 4] + "\(index)" }

        func make(from free: inout [FuzzColumn], _ random: inout SplitMix) -> FuzzChange? {
            let kind = Int.random(in: 0..<11, using: &random)
            if kind == 0 { return add(&random) }
            guard let column = free.popLast() else { return add(&random) }
            var change: FuzzChange?
            switch kind {
            case 1: change = addFrom(column)
            case 2: change = nullability(of: column)
            case 3: change = defaultValue(of: column)
            case 4, 5: change = type(of: column, &random)
            case 6: change = turn(column)
            case 7: change = rename(column)
            case 8:
                guard let other = free.last, let merged = merge(column, other) else { break }
                free.removeLast()
                change = merged
            case 9: change = split(column)
            default: change = drop(column, &random)
            }
            if change == nil { free.insert(column, at: 0) }
            return change
        }

        private func add(_ random: inout SplitMix) -> FuzzChange {
            let type = FuzzType.allCases.randomElement(using: &random)!
            let hasDefault = Bool.random(using: &random)
            let isNullable = !hasDefault || Bool.random(using: &random)
            let column = FuzzColumn(name: newName, type: type, isNullable: isNullable, hasDefault: hasDefault)
            return FuzzChange(
                change: .addColumn(
                    AddColumn(
                        table: name, column: NewColumn(name: newName, type: type.sql, nullable: isNullable),
                        default: hasDefault ? type.defaultValue : nil)),
                plain: ["\(alter) ADD COLUMN \(column.definition)"])
        }

        private func addFrom(_ column: FuzzColumn) -> FuzzChange? {
            guard let forward = column.type.turned(column.quoted)?.forward else { return nil }
            let quoted = newName.quotedIdentifier
            let type = column.type.sql
            return FuzzChange(
                change: .addColumn(
                    AddColumn(
                        table: name,
                        column: NewColumn(name: newName, type: type, nullable: column.isNullable),
                        default: column.type.defaultValue, forward: forward)),
                plain: [
                    "\(alter) ADD COLUMN \(quoted) \(type)", "\(update) \(quoted) = \(forward)",
                    "\(alter) ALTER COLUMN \(quoted) SET DEFAULT \(column.type.defaultValue)",
                ] + (column.isNullable ? [] : ["\(alter) ALTER COLUMN \(quoted) SET NOT NULL"]))
        }

        private func nullability(of column: FuzzColumn) -> FuzzChange {
            FuzzChange(
                change: .alterColumn(
                    AlterColumn(table: name, column: column.name, nullable: !column.isNullable)),
                plain: ["\(alter) ALTER COLUMN \(column.quoted) \(column.isNullable ? "SET" : "DROP") NOT NULL"])
        }

        private func defaultValue(of column: FuzzColumn) -> FuzzChange {
            let clause = column.hasDefault ? "DROP DEFAULT" : "SET DEFAULT \(column.type.defaultValue)"
            return FuzzChange(
                change: .alterColumn(
                    AlterColumn(
                        table: name, column: column.name,
                        default: column.hasDefault ? nil : column.type.defaultValue,
                        dropDefault: column.hasDefault ? true : nil)),
                plain: ["\(alter) ALTER COLUMN \(column.quoted) \(clause)"])
        }

        private func type(of column: FuzzColumn, _ random: inout SplitMix) -> FuzzChange? {
            guard let type = column.type.wider.randomElement(using: &random) else { return nil }
            let dropDefault = column.hasDefault ? ["\(alter) ALTER COLUMN \(column.quoted) DROP DEFAULT"] : []
            return FuzzChange(
                change: .alterColumn(
                    AlterColumn(
                        table: name, column: column.name, dropDefault: column.hasDefault ? true : nil, type: type,
                        forward: column.type == .json ? "\(column.quoted)::text" : nil)),
                plain: dropDefault + [
                    "\(alter) ALTER COLUMN \(column.quoted) TYPE \(type) USING \(column.quoted)::\(type)"
                ])
        }

        private func turn(_ column: FuzzColumn) -> FuzzChange? {
            guard let (forward, backward) = column.type.turned(column.quoted) else { return nil }
            return FuzzChange(
                change: .alterColumn(
                    AlterColumn(table: name, column: column.name, forward: forward, backward: backward)),
                plain: ["\(update) \(column.quoted) = \(forward)"])
        }

        private func rename(_ column: FuzzColumn) -> FuzzChange {
            FuzzChange(
                change: .renameColumn(RenameColumn(table: name, column: column.name, to: newName)),
                plain: ["\(alter) RENAME COLUMN \(column.quoted) TO \(newName.quotedIdentifier)"])
        }

        private func merge(_ left: FuzzColumn, _ right: FuzzColumn) -> FuzzChange? {
            guard left.type == .text, right.type == .text || right.type == .varchar else { return nil }
            let merged = newName.quotedIdentifier
            let forward = "ARRAY[\(left.quoted), \(right.quoted)]"
            return FuzzChange(
                change: .replaceColumns(
                    ReplaceColumns(
                        table: name, from: [left.name, right.name],
                        to: [NewColumn(name: newName, type: "text[]", nullable: false)], forward: [newName: forward],
                        backward: [left.name: "\(merged)[1]", right.name: "\(merged)[2]"])),
                plain: [
                    "\(alter) ADD COLUMN \(merged) text[]", "\(update) \(merged) = \(forward)",
                    "\(alter) ALTER COLUMN \(merged) SET NOT NULL",
                    "\(alter) DROP COLUMN \(left.quoted), DROP COLUMN \(right.quoted)",
                ])
        }

        private func split(_ column: FuzzColumn) -> FuzzChange? {
            guard column.type == .text || column.type == .varchar else { return nil }
            let (first, rest) = (newName + "1", newName + "2")
            let forward = [first: "left(\(column.quoted), 2)", rest: "substr(\(column.quoted), 3)"]
            return FuzzChange(
                change: .replaceColumns(
                    ReplaceColumns(
                        table: name, from: [column.name],
                        to: [NewColumn(name: first, type: "text"), NewColumn(name: rest, type: "text")],
                        forward: forward,
                        backward: [column.name: "\(first.quotedIdentifier) || \(rest.quotedIdentifier)"])),
                plain: forward.flatMap { new, expression in
                    [
                        "\(alter) ADD COLUMN \(new.quotedIdentifier) text",
                        "\(update) \(new.quotedIdentifier) = \(expression)",
                    ]
                } + ["\(alter) DROP COLUMN \(column.quoted)"])
        }

        private func drop(_ column: FuzzColumn, _ random: inout SplitMix) -> FuzzChange {
            let backward = Bool.random(using: &random) ? "\(column.type.defaultValue)::\(column.type.sql)" : nil
            return FuzzChange(
                change: .dropColumn(DropColumn(table: name, column: column.name, backward: backward)),
                plain: ["\(alter) DROP COLUMN \(column.quoted)"])
        }
    }
}
