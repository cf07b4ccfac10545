import SchemaChange

extension MigrationDraft {
    mutating func addConstraint(_ constraint: NewConstraint, to table: String) throws(Refusal) {
        for column in constraint.namedColumns { try requireKnown(column, of: table) }
        if let name = constraint.name, model.table(table)?.constraint(name) != nil {
            throw Refusal("\"\(table)\" has a constraint \"\(name)\" already")
        }
        if let target = constraint.foreignKey?.references, let column = target.columns?.first {
            try requireKnown(column, of: target.table)
        }
        if try addToNew(constraint, table) { return }
        if let column = constraint.notNull?.column {
            try addInPlace(AlterColumn(table: table, column: column, nullable: false))
        } else {
            // Of a table that this file makes there are no rows yet that could break it.
            add(
                .addConstraint(
                    AddConstraint(table: table, constraint, enforce: creation(of: table) == nil ? nil : .expand)))
        }
        updateModel { $0.add(constraint, to: table) }
    }

    /// Makes it part of a table of this file, where it can be: a foreign key may be to a table that comes later.
    private mutating func addToNew(_ constraint: NewConstraint, _ table: String) throws(Refusal) -> Bool {
        if let key = constraint.foreignKey, key.references.table != table { return false }
        guard
            try fold(
                into: table,
                { new throws(Refusal) in
                    if let column = constraint.notNull?.column {
                        new.update(column) { $0.nullable = false }
                    } else if let key = constraint.primaryKey {
                        guard new.primaryKey == nil else { throw Refusal("\"\(table)\" has a primary key already") }
                        guard constraint.name ?? "\(table)_pkey" == "\(table)_pkey", key.deferrable == nil else {
                            throw Refusal(
                                "a primary key that is made with its table is called \"\(table)_pkey\", and is not deferrable; "
                                    + Self.split)
                        }
                        new.primaryKey = key.columns
                    } else {
                        new.constraints = (new.constraints ?? []) + [constraint]
                    }
                })
        else { return false }
        updateModel { $0.add(constraint, to: table) }
        return true
    }

    mutating func dropConstraint(_ name: String, of table: String) throws(Refusal) {
        try requireConstraint(name, of: table)
        try refuseIfNew(table)
        add(.dropConstraint(DropConstraint(table: table, name: name))) { $0.dropConstraint(name, of: table) }
    }

    mutating func renameConstraint(_ name: String, of table: String, to new: String) throws(Refusal) {
        try requireConstraint(name, of: table)
        try refuseIfNew(table)
        add(.renameConstraint(RenameConstraint(table: table, from: name, to: new))) {
            $0.renameConstraint(name, of: table, to: new)
        }
    }

    func requireConstraint(_ name: String, of table: String) throws(Refusal) {
        guard let known = model.table(table), known.constraint(name) == nil else { return }
        let names = known.constraints.map(\.name).joined(separator: ", ")
        throw Refusal("\"\(table)\" has no constraint \"\(name)\"; it has \(names.isEmpty ? "none" : names)")
    }
}

extension NewConstraint {
    /// The columns that it names outside of expressions.
    fileprivate var namedColumns: [String] {
        (foreignKey?.columns ?? []) + (unique?.columns ?? []) + (primaryKey?.columns ?? [])
            + (notNull.map { [$0.column] } ?? []) + (exclusion?.elements.compactMap(\.column) ?? [])
    }
}
