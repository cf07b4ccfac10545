import SchemaChange

extension DDLReader {
    mutating func createTable(_ cursor: inout TokenCursor) throws(Refusal) {
        skipExistence(&cursor)
        let offset = cursor.offset
        let name = try object(&cursor)
        guard cursor.isAt(sign: "(") else { throw cursor.refusal("CREATE TABLE \(cursor.here) is not taken over") }
        var table = CreateTable(table: name, columns: [])
        var others: [NewConstraint] = []
        let body = try cursor.parenthesized()
        guard cursor.isAtEnd else {
            throw cursor.refusal("CREATE TABLE … \(cursor.here.uppercased()) is not taken over; \(Self.hint)")
        }
        for part in TokenCursor.split(body) where !body.isEmpty {
            var element = TokenCursor(cursor.source, part)
            if element.isAt("like") { throw element.refusal("LIKE is not taken over; write the columns out") }
            if element.isAt(anyOf: ["constraint", "check", "unique", "primary", "foreign", "exclude"]) {
                let constraint = try constraint(&element, of: name)
                try element.expectEnd()
                if let key = constraint.primaryKey {
                    try setPrimaryKey(key, named: constraint.name, of: &table, at: element.offset ?? offset)
                } else {
                    others.append(constraint)
                }
            } else {
                let column = try column(&element, of: name)
                try element.expectEnd()
                table.columns.append(column.column)
                others += column.constraints
                if let key = column.primaryKey {
                    try setPrimaryKey(
                        .init(columns: [column.column.name]), named: key.name, of: &table,
                        at: part.first?.range.lowerBound)
                }
            }
        }
        for index in others.indices where others[index].name == nil {
            others[index].name = others[index].defaultName(of: name, without: Set(others.compactMap(\.name)))
        }
        table.constraints = others.isEmpty ? nil : others
        try draft.createTable(table)
    }

    private func setPrimaryKey(
        _ key: NewConstraint.Key, named name: String?, of table: inout CreateTable, at offset: Int?
    ) throws(Refusal) {
        guard table.primaryKey == nil else { throw Refusal("there are two primary keys", at: offset) }
        guard name ?? "\(table.table)_pkey" == "\(table.table)_pkey", key.deferrable == nil else {
            throw Refusal(
                "a primary key that is made with its table is called \"\(table.table)_pkey\" and is not deferrable; name it so",
                at: offset)
        }
        table.primaryKey = key.columns
    }

    // MARK: Columns

    struct ReadColumn {
        struct PrimaryKey {
            var name: String?
        }

        var column: TableColumn
        var constraints: [NewConstraint] = []
        var primaryKey: PrimaryKey?
    }

    private static let columnWords: Set<String> = [
        "constraint", "not", "null", "check", "default", "generated", "unique", "primary", "references", "collate",
        "compression", "storage", "deferrable", "initially",
    ]

    /// A column with its type and constraints. A constraint that has no name stays with the column, where PostgreSQL names it.
    func column(_ cursor: inout TokenCursor, of table: String) throws(Refusal) -> ReadColumn {
        let offset = cursor.offset
        let name = try cursor.name()
        guard !cursor.isAtEnd, !cursor.isAt(anyOf: Self.columnWords) else {
            throw Refusal("column \"\(name)\" has no type", at: offset)
        }
        var read = ReadColumn(
            column: TableColumn(name: name, type: try cursor.text(until: Self.columnWords)))
        while !cursor.isAtEnd { try columnConstraint(&cursor, &read) }
        return read
    }

    private func columnConstraint(_ cursor: inout TokenCursor, _ read: inout ReadColumn) throws(Refusal) {
        let name = cursor.accept("constraint") ? try cursor.name() : nil
        let column = read.column.name
        if cursor.accept("not", "null") {
            read.column.nullable = false
        } else if cursor.accept("null") {
            read.column.nullable = true
        } else if cursor.accept("default") {
            read.column.default = try cursor.text(until: Self.columnWords)
        } else if cursor.accept("primary", "key") {
            read.primaryKey = .init(name: name)
        } else if cursor.accept("unique") {
            if cursor.isAt("nulls") { throw cursor.refusal("NULLS NOT DISTINCT is not taken over") }
            let deferrable = try deferral(&cursor)
            if name == nil, deferrable == nil {
                read.column.unique = true
            } else {
                read.constraints.append(
                    NewConstraint(name: name, unique: .init(columns: [column], deferrable: deferrable)))
            }
        } else if cursor.accept("check") {
            let text = try cursor.parenthesizedText()
            try refuseNoInherit(cursor)
            if name == nil, read.column.check == nil {
                read.column.check = text
            } else {
                read.constraints.append(NewConstraint(name: name, check: text))
            }
        } else if cursor.accept("references") {
            let references = try references(&cursor)
            if name == nil {
                read.column.references = references
            } else {
                read.constraints.append(
                    NewConstraint(name: name, foreignKey: .init(columns: [column], references: references)))
            }
        } else if cursor.accept("generated") {
            read.column.generated = try generated(&cursor)
        } else {
            throw cursor.refusal("\(cursor.here.uppercased()) is not taken over here")
        }
    }

    private func generated(_ cursor: inout TokenCursor) throws(Refusal) -> TableColumn.Generated {
        if cursor.accept("by", "default", "as", "identity") {
            try refuseOptions(cursor)
            return .init(identity: .byDefault)
        }
        try cursor.expect("always", "as")
        if cursor.accept("identity") {
            try refuseOptions(cursor)
            return .init(identity: .always)
        }
        let expression = try cursor.parenthesizedText()
        try cursor.expect("stored")
        return .init(expression: expression)
    }

    private func refuseOptions(_ cursor: TokenCursor) throws(Refusal) {
        if cursor.isAt(sign: "(") { throw cursor.refusal("options of a sequence are not taken over; \(Self.hint)") }
    }

    func refuseNoInherit(_ cursor: TokenCursor) throws(Refusal) {
        if cursor.isAt("no", "inherit") { throw cursor.refusal("NO INHERIT is not taken over; \(Self.hint)") }
    }
}
