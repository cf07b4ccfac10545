import SchemaChange

extension PgrollReader {
    /// Statements of the user's own stay that: what they make is read only for what comes after them.
    mutating func runSQL(_ fields: PgrollOperation.RawSQL) throws(Refusal) {
        let up = try statements(of: fields.up, "up")
        let down = try fields.down?.nonEmpty.map { text throws(Refusal) in try statements(of: text, "down") }
        guard !up.isEmpty else { throw Refusal("up holds no statement") }
        let understood = follow(up)
        let texts = up.map(\.text)
        let back = down?.map(\.text) ?? understood?.undoing
        var change = SQLChange(tables: understood?.tables ?? [])
        if fields.onComplete == true {
            change.contract = texts
            change.contractRollback = back
        } else {
            change.expand = texts
            change.rollback = back
        }
        if down == nil {
            let field = fields.onComplete == true ? "contractRollback" : "rollback"
            if let back {
                draft.note(
                    "there is no `down`: \(field) is what undoes the statement, `\(back.joined(separator: "; "))`. Look whether "
                        + "it is right.")
            } else {
                draft.note("there is no `down`, so there is no way back from this: write \(field) where there is one.")
            }
        }
        if understood == nil {
            draft.note(
                "the tables that the statements touch are not known here: name them in `tables`, so that no other Migration of "
                    + "theirs runs at the same time.")
        }
        draft.add(.sql(change))
    }

    private func statements(of text: String, _ field: String) throws(Refusal) -> [SQLStatement] {
        let statements = try SQLText(text).statements
        for statement in statements {
            let words = statement.tokens.compactMap(\.word)
            let first = words.first ?? ""
            if words.contains("concurrently") || ["vacuum", "begin", "commit", "rollback", "start"].contains(first) {
                throw Refusal(
                    "\(field): \(first.uppercased()) \(words.dropFirst().first?.uppercased() ?? "") cannot run here, since the "
                        + "statements of a phase run in one transaction; for an index there is create_index")
            }
        }
        return statements
    }

    private struct Understood {
        /// Those that are there already.
        var tables: [String]
        /// Nil where it is not known how to undo all of it.
        var undoing: [String]?
    }

    /// Brings the model up to date with what the statements do. Nil where not all of them are understood.
    private mutating func follow(_ statements: [SQLStatement]) -> Understood? {
        var reader = DDLReader(MigrationDraft(draft.model), schema: schema)
        for statement in statements {
            guard (try? reader.read(statement)) != nil else { return nil }
        }
        var tables: [String] = []
        var undoing: [String]? = []
        for change in reader.draft.changes {
            for table in change.tables where !tables.contains(table) && reader.draft.creation(of: table) == nil {
                tables.append(table)
            }
            undoing = change.undoing.flatMap { last in undoing.map { [last] + $0 } }
        }
        draft.replaceModel(reader.draft.model)
        return Understood(tables: tables, undoing: undoing)
    }
}

extension Change {
    /// The statement that undoes what the statement has done which was read as this; nil where it takes more to know.
    fileprivate var undoing: String? {
        switch self {
        case .createTable(let change): "DROP TABLE \(change.table.sqlName)"
        case .addColumn(let change): "ALTER TABLE \(change.table.sqlName) DROP COLUMN \(change.column.name.sqlName)"
        case .renameTable(let change): "ALTER TABLE \(change.to.sqlName) RENAME TO \(change.table.sqlName)"
        case .addConstraint(let change):
            change.constraint.name.map { "ALTER TABLE \(change.table.sqlName) DROP CONSTRAINT \($0.sqlName)" }
        case .createIndex(let change): change.name.map { "DROP INDEX \($0.sqlName)" }
        default: nil
        }
    }
}
