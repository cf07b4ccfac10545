import SchemaChange

extension MigrationDraft {
    /// Adds a column; `up` is what fills the rows that are there.
    ///
    /// - Parameter constraints: those of the column that have a name of their own.
    mutating func addColumn(
        _ column: TableColumn, to table: String, up: String? = nil, constraints: [NewConstraint] = []
    ) throws(Refusal) {
        if model.column(column.name, of: table) != nil {
            throw Refusal("\"\(table)\" has a column \"\(column.name)\" already")
        }
        let isNew = try fold(into: table) { $0.columns.append(column) }
        if isNew {
            // It has no rows yet, which `up` could fill.
            updateModel { $0.add(column, to: table) }
        } else {
            try addToExisting(column, table, up)
        }
        for constraint in constraints { try addConstraint(constraint, to: table) }
    }

    private mutating func addToExisting(_ column: TableColumn, _ table: String, _ up: String?) throws(Refusal) {
        let name = column.name
        if column.type.isSerial {
            throw Refusal(
                "a column of type \(column.type) would rewrite the table while nobody may read or write; add it as an integer "
                    + "with an expression that fills it, and give it a default from a sequence in a file of its own")
        }
        var change = AddColumn(
            table: table, column: NewColumn(name: name, type: column.type, nullable: column.nullable),
            default: column.default, generated: column.generated, check: column.check, unique: column.unique,
            references: column.references, comment: column.comment)
        if let text = column.default, case .volatile(let function) = try SQLExpression(text).obstacle, up == nil {
            throw Refusal(
                "the default calls \(function), so adding the column would rewrite the table while nobody may read or "
                    + "write; say how the rows that are there are filled, or add the column without a default, and set the "
                    + "default in a file of its own")
        }
        if let up { try fill(&change, with: try SQLExpression(up)) }
        if column.nullable == false, change.default == nil, change.forward == nil, change.generated == nil {
            throw Refusal(
                "\"\(name)\" is NOT NULL, and nothing says what the rows that are there get; give a default, or an "
                    + "expression")
        }
        claimNew(name, of: table)
        if let forward = change.forward { keepsArchive(of: name, in: table, naming: [try SQLExpression(forward)]) }
        add(.addColumn(change)) { $0.add(column, to: table) }
    }

    private mutating func fill(_ change: inout AddColumn, with up: SQLExpression) throws(Refusal) {
        switch up.obstacle {
        case nil:
            change.forward = up.text
        // The time of the statement is the same for all rows: as a default it needs nothing to be filled.
        case .stable(let function)
        where (change.default == nil || change.default == up.text)
            && up.mentions(of: model.table(change.table)?.columns.map(\.name) ?? []).isEmpty
            && model.table(change.table) != nil:
            if change.default == nil {
                note(
                    "what fills \(change.column.name) calls \(function): it is taken over as the default of the column, which "
                        + "stays. Drop it later if it is not wanted.")
            }
            change.default = up.text
        case let obstacle?:
            throw Refusal(
                "what fills \"\(change.column.name)\" \(obstacle.reason), so that its rows could not be proven; give an "
                    + "expression over the row's own columns, or fill it by a worker (docs/remote-steps.md)")
        }
    }

    mutating func dropColumn(_ column: String, of table: String, down: String? = nil) throws(Refusal) {
        try refuseIfNew(table)
        if let known = model.table(table), known.primaryKey.contains(column) {
            throw Refusal("\"\(column)\" is part of the primary key of \"\(table)\", which cannot be taken away yet")
        }
        try claim(column, of: table)
        var change = DropColumn(table: table, column: column)
        if let down {
            let expression = try SQLExpression(down)
            if let obstacle = expression.obstacle {
                note(
                    "`\(expression.text)` \(obstacle.reason), so it cannot be kept for the old version: rows that the new "
                        + "version inserts have the default or NULL in \(column).")
            } else if expression.text.uppercased() != "NULL" {
                change.backward = expression.text
            }
        }
        keepsArchive(
            of: column, in: table, naming: [try change.backward.map { text throws(Refusal) in try SQLExpression(text) }]
        )
        add(.dropColumn(change)) { $0.dropColumn(column, of: table) }
    }

    mutating func renameColumn(_ column: String, of table: String, to name: String) throws(Refusal) {
        if model.column(name, of: table) != nil { throw Refusal("\"\(table)\" has a column \"\(name)\" already") }
        let isNew = try fold(into: table) { new throws(Refusal) in
            guard new.constraints?.isEmpty ?? true else {
                throw Refusal("this file makes \"\(table)\" and renames its column; write the name that it is to have")
            }
            new.update(column) { $0.name = name }
            new.primaryKey = new.primaryKey?.map { $0 == column ? name : $0 }
        }
        if !isNew {
            try claim(column, of: table)
            keepsArchive(of: column, in: table, naming: [], also: [name])
            add(.renameColumn(RenameColumn(table: table, column: column, to: name)))
            claimNew(name, of: table)
        }
        updateModel { $0.renameColumn(column, of: table, to: name) }
    }
}
