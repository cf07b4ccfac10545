import SchemaChange

extension MigrationDraft {
    mutating func createTable(_ table: CreateTable) throws(Refusal) {
        if model.table(table.table) != nil {
            throw Refusal("a file before this one makes \"\(table.table)\" already")
        }
        if changes.contains(where: { $0.tables.contains(table.table) }) {
            throw Refusal("this file takes \"\(table.table)\" away and makes it again; \(Self.split)")
        }
        add(.createTable(table)) { $0.create(table) }
    }

    mutating func dropTable(_ name: String) throws(Refusal) {
        try refuseIfTouched(name)
        for (other, known) in model.tables.sorted(by: { $0.key < $1.key }) where other != name {
            for constraint in known.constraints where constraint.refersTo?.table == name {
                throw Refusal(
                    "the foreign key \"\(constraint.name)\" of \"\(other)\" refers to it; drop that before, in a file of its "
                        + "own")
            }
        }
        takesWhole(name, isDropped: true)
        add(.dropTable(DropTable(table: name))) { $0.dropTable(name) }
    }

    mutating func renameTable(_ name: String, to new: String) throws(Refusal) {
        try refuseIfTouched(name)
        if model.table(new) != nil { throw Refusal("there is a table \"\(new)\" already") }
        takesWhole(name, isDropped: false)
        add(.renameTable(RenameTable(table: name, to: new))) { $0.renameTable(name, to: new) }
    }

    /// An empty comment takes it away.
    mutating func setComment(_ comment: String, on column: String? = nil, of table: String) throws(Refusal) {
        if let column { try requireKnown(column, of: table) }
        let isFolded = try fold(into: table) { new throws(Refusal) in
            let comment = comment.isEmpty ? nil : comment
            guard let column else {
                new.comment = comment
                return
            }
            new.update(column) { $0.comment = comment }
        }
        if isFolded { return }
        // A column that this file adds brings its comment with it.
        for (index, change) in changes.enumerated() {
            guard case .addColumn(var added) = change, added.table == table, added.column.name == column else {
                continue
            }
            added.comment = comment.isEmpty ? nil : comment
            replace(index, by: .addColumn(added))
            return
        }
        add(.setComment(SetComment(table: table, column: column, comment: comment)))
    }

    mutating func setReplicaIdentity(_ change: SetReplicaIdentity) throws(Refusal) {
        try refuseIfNew(change.table)
        add(.setReplicaIdentity(change))
    }

    mutating func createIndex(_ index: CreateIndex) throws(Refusal) {
        for element in index.columns {
            if let column = element.column { try requireKnown(column, of: index.table) }
        }
        let name =
            index.name
            ?? objectName(index.table, index.columns.map { $0.column ?? "expr" }.joined(separator: "_"), "idx")
        if model.indexes[name] != nil { throw Refusal("there is an index \"\(name)\" already") }
        add(.createIndex(index)) { $0.addIndex(name, on: index.table) }
    }

    mutating func dropIndex(_ name: String) throws(Refusal) {
        guard let table = model.indexes[name] else {
            throw Refusal(
                "none of the files given makes the index \"\(name)\", so its table is not known; give the file that does "
                    + "as well, or write dropIndex: {table: …, name: \(name)} by hand")
        }
        if changes.contains(where: { if case .createIndex(let new) = $0 { new.name == name } else { false } }) {
            throw Refusal("this file makes the index \"\(name)\" and drops it; leave out both")
        }
        add(.dropIndex(DropIndex(table: table, name: name))) { $0.dropIndex(name) }
    }
}

extension CreateTable {
    mutating func update(_ column: String, _ body: (inout TableColumn) -> Void) {
        guard let index = columns.firstIndex(where: { $0.name == column }) else { return }
        body(&columns[index])
    }
}
