import SchemaChange

extension DDLReader {
    mutating func alterTable(_ cursor: inout TokenCursor) throws(Refusal) {
        skipExistence(&cursor)
        _ = cursor.accept("only")
        let table = try object(&cursor)
        _ = cursor.accept(sign: "*")
        if cursor.accept("rename") { return try rename(&cursor, table) }
        repeat { try action(&cursor, on: table) } while cursor.accept(sign: ",")
    }

    private mutating func rename(_ cursor: inout TokenCursor, _ table: String) throws(Refusal) {
        if cursor.accept("to") {
            try draft.renameTable(table, to: try cursor.name())
        } else if cursor.accept("constraint") {
            let name = try cursor.name()
            try cursor.expect("to")
            try draft.renameConstraint(name, of: table, to: try cursor.name())
        } else {
            _ = cursor.accept("column")
            let column = try cursor.name()
            try cursor.expect("to")
            try draft.renameColumn(column, of: table, to: try cursor.name())
        }
    }

    private mutating func action(_ cursor: inout TokenCursor, on table: String) throws(Refusal) {
        if cursor.accept("add") {
            if cursor.isAt(anyOf: ["constraint", "check", "unique", "primary", "foreign", "exclude"]) {
                try addConstraint(&cursor, to: table)
            } else {
                _ = cursor.accept("column")
                skipExistence(&cursor)
                try addColumn(&cursor, to: table)
            }
        } else if cursor.accept("drop", "constraint") {
            skipExistence(&cursor)
            let name = try cursor.name()
            try skipBehaviour(&cursor)
            try draft.dropConstraint(name, of: table)
        } else if cursor.accept("drop") {
            _ = cursor.accept("column")
            skipExistence(&cursor)
            let column = try cursor.name()
            try skipBehaviour(&cursor)
            try draft.dropColumn(column, of: table)
        } else if cursor.accept("alter") {
            if cursor.isAt("constraint") { throw unknown(cursor.rest, after: "ALTER TABLE … ALTER") }
            _ = cursor.accept("column")
            try alterColumn(&cursor, of: table)
        } else if cursor.accept("validate", "constraint") {
            let name = try cursor.name()
            draft.note("VALIDATE CONSTRAINT \(name) is left out: addConstraint validates what it adds.")
        } else if cursor.accept("replica", "identity") {
            try replicaIdentity(&cursor, of: table)
        } else {
            throw unknown(cursor.rest, after: "ALTER TABLE …")
        }
    }

    private mutating func addColumn(_ cursor: inout TokenCursor, to table: String) throws(Refusal) {
        var definition = TokenCursor(cursor.source, try cursor.stretch())
        let read = try column(&definition, of: table)
        if read.primaryKey != nil {
            throw Refusal(
                "a column that is the primary key cannot be filled while others write; add the column, fill it, and add "
                    + "the primary key in a file of its own", at: definition.offset)
        }
        var constraints = read.constraints
        for index in constraints.indices where constraints[index].name == nil {
            constraints[index].name = constraints[index].defaultName(of: table, without: names(of: table))
        }
        try draft.addColumn(read.column, to: table, constraints: constraints)
    }

    private mutating func addConstraint(_ cursor: inout TokenCursor, to table: String) throws(Refusal) {
        var new = try constraint(&cursor, of: table)
        if cursor.accept("not", "valid") {
            draft.note(
                "NOT VALID is left out: addConstraint adds it so and validates it afterwards, without stopping writers."
            )
        }
        if new.name == nil { new.name = new.defaultName(of: table, without: names(of: table)) }
        try draft.addConstraint(new, to: table)
    }

    private func names(of table: String) -> Set<String> {
        Set(draft.model.table(table)?.constraints.map(\.name) ?? [])
    }

    private mutating func alterColumn(_ cursor: inout TokenCursor, of table: String) throws(Refusal) {
        let column = try cursor.name()
        var alteration = MigrationDraft.Alteration(table: table, column: column)
        if cursor.accept("set", "default") {
            alteration.default = .set(try cursor.text())
        } else if cursor.accept("drop", "default") {
            alteration.default = .drop
        } else if cursor.accept("set", "not", "null") {
            alteration.nullable = false
        } else if cursor.accept("drop", "not", "null") {
            alteration.nullable = true
        } else if cursor.accept("set", "data", "type") || cursor.accept("type") {
            alteration.type = try cursor.text(until: ["using", "collate"])
            if cursor.isAt("collate") { throw cursor.refusal("COLLATE is not taken over; \(Self.hint)") }
            if cursor.accept("using") {
                alteration.up = try cursor.text()
                draft.note(
                    "the way back of \(column) is a cast to the old type: if that is not what undoes `\(alteration.up ?? "")`, "
                        + "say it as backward.")
            }
        } else {
            throw unknown(cursor.rest, after: "ALTER TABLE … ALTER COLUMN")
        }
        try draft.alter(alteration)
    }

    private mutating func replicaIdentity(_ cursor: inout TokenCursor, of table: String) throws(Refusal) {
        var change = SetReplicaIdentity(table: table)
        if cursor.accept("full") {
            change.identity = .full
        } else if cursor.accept("nothing") {
            change.identity = .nothing
        } else if cursor.accept("default") {
            change.identity = .primaryKey
        } else {
            try cursor.expect("using", "index")
            change.index = try cursor.name()
        }
        try draft.setReplicaIdentity(change)
    }
}
