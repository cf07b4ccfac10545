import SchemaChange

extension DDLReader {
    mutating func createIndex(_ cursor: inout TokenCursor, isUnique: Bool) throws(Refusal) {
        _ = cursor.accept("concurrently")
        skipExistence(&cursor)
        let name = cursor.isAt("on") ? nil : try object(&cursor)
        try cursor.expect("on")
        _ = cursor.accept("only")
        var index = CreateIndex(table: try object(&cursor), name: name, columns: [])
        if isUnique { index.unique = true }
        if cursor.accept("using") { index.method = try cursor.name() }
        for part in TokenCursor.split(try cursor.parenthesized()) {
            index.columns.append(try element(TokenCursor(cursor.source, part)))
        }
        if cursor.accept("include") { index.include = try cursor.names() }
        if cursor.isAt("nulls") { throw cursor.refusal("NULLS NOT DISTINCT is not taken over; \(Self.hint)") }
        if cursor.accept("with") { index.with = try parameters(&cursor) }
        if cursor.isAt("tablespace") { throw cursor.refusal("TABLESPACE is not taken over; \(Self.hint)") }
        if cursor.accept("where") { index.where = try cursor.text() }
        try draft.createIndex(index)
    }

    /// `column`, or `function(…)`, or `(expression)`, and how it is sorted.
    private func element(_ tokens: TokenCursor) throws(Refusal) -> CreateIndex.Element {
        var cursor = tokens
        var element = CreateIndex.Element()
        if cursor.isAt(sign: "(") {
            element.expression = try cursor.parenthesizedText()
        } else {
            let start = cursor.rest
            let name = try cursor.name()
            if cursor.isAt(sign: "(") || cursor.isAt(sign: ".") {
                while !cursor.isAt(sign: "(") {
                    try cursor.expect(sign: ".")
                    _ = try cursor.name()
                }
                _ = try cursor.parenthesized()
                element.expression = cursor.source.text(of: start[..<cursor.rest.startIndex])
            } else {
                element.column = name
            }
        }
        if cursor.accept("collate") { element.collation = try cursor.name() }
        if !cursor.isAtEnd, !cursor.isAt(anyOf: ["asc", "desc", "nulls"]) {
            element.opclass = try cursor.text(until: ["asc", "desc", "nulls"])
        }
        if cursor.accept("desc") {
            element.order = .descending
        } else if cursor.accept("asc") {
            element.order = .ascending
        }
        if cursor.accept("nulls", "first") {
            element.nulls = .first
        } else if cursor.accept("nulls", "last") {
            element.nulls = .last
        }
        try cursor.expectEnd()
        return element
    }

    func parameters(_ cursor: inout TokenCursor) throws(Refusal) -> [String: String] {
        var parameters: [String: String] = [:]
        for part in TokenCursor.split(try cursor.parenthesized()) {
            var parameter = TokenCursor(cursor.source, part)
            let name = try parameter.name()
            if parameter.accept(sign: "=") {
                parameters[name] = try parameter.valueText()
            } else {
                parameters[name] = "true"
            }
            try parameter.expectEnd()
        }
        return parameters
    }

    mutating func dropIndexes(_ cursor: inout TokenCursor) throws(Refusal) {
        _ = cursor.accept("concurrently")
        skipExistence(&cursor)
        repeat { try draft.dropIndex(try object(&cursor)) } while cursor.accept(sign: ",")
        try skipBehaviour(&cursor)
    }

    mutating func dropTables(_ cursor: inout TokenCursor) throws(Refusal) {
        skipExistence(&cursor)
        repeat { try draft.dropTable(try object(&cursor)) } while cursor.accept(sign: ",")
        try skipBehaviour(&cursor)
    }

    mutating func alterType(_ cursor: inout TokenCursor) throws(Refusal) {
        let type = try object(&cursor)
        guard cursor.accept("add", "value") else { throw unknown(cursor.rest, after: "ALTER TYPE …") }
        // Found to be there, it is taken as it is in any case.
        _ = cursor.accept("if", "not", "exists")
        var change = AddEnumValue(type: type, value: try cursor.string())
        if cursor.accept("before") {
            change.before = try cursor.string()
        } else if cursor.accept("after") {
            change.after = try cursor.string()
        }
        draft.add(.addEnumValue(change))
    }

    mutating func readComment(_ cursor: inout TokenCursor) throws(Refusal) {
        if cursor.accept("table") {
            let table = try object(&cursor)
            try draft.setComment(try comment(&cursor), of: table)
        } else if cursor.accept("column") {
            var path = [try cursor.name()]
            while cursor.accept(sign: ".") { path.append(try cursor.name()) }
            guard path.count == 2 || path.count == 3 && path[0] == schema, let column = path.last else {
                throw cursor.refusal("a column is named by its table: table.column")
            }
            try draft.setComment(try comment(&cursor), on: column, of: path[path.count - 2])
        } else {
            throw unknown(cursor.rest, after: "COMMENT ON")
        }
    }

    /// Empty where it is NULL: PostgreSQL keeps no empty comments either.
    private func comment(_ cursor: inout TokenCursor) throws(Refusal) -> String {
        try cursor.expect("is")
        return cursor.accept("null") ? "" : try cursor.string()
    }
}

extension TokenCursor {
    /// The value of a parameter: a string without its quotes, or what is written.
    fileprivate mutating func valueText() throws(Refusal) -> String {
        if case .string = rest.first?.kind { return try string() }
        return try text()
    }
}
