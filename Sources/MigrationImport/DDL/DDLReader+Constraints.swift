import SchemaChange

extension DDLReader {
    /// A constraint of a table, with a name if it has one.
    func constraint(_ cursor: inout TokenCursor, of table: String) throws(Refusal) -> NewConstraint {
        var constraint = NewConstraint(name: cursor.accept("constraint") ? try cursor.name() : nil)
        if cursor.accept("check") {
            constraint.check = try cursor.parenthesizedText()
            try refuseNoInherit(cursor)
        } else if cursor.accept("unique") {
            constraint.unique = try key(&cursor)
        } else if cursor.accept("primary", "key") {
            constraint.primaryKey = try key(&cursor)
        } else if cursor.accept("foreign", "key") {
            let columns = try cursor.names()
            try cursor.expect("references")
            constraint.foreignKey = .init(columns: columns, references: try references(&cursor))
        } else if cursor.accept("exclude") {
            constraint.exclusion = try exclusion(&cursor)
        } else {
            throw cursor.refusal("a constraint of another kind than those known here: \(cursor.here)")
        }
        return constraint
    }

    private func key(_ cursor: inout TokenCursor) throws(Refusal) -> NewConstraint.Key {
        if cursor.isAt("using", "index") {
            throw cursor.refusal(
                "USING INDEX is not taken over: addConstraint builds its index itself, while others write")
        }
        if cursor.isAt("nulls") { throw cursor.refusal("NULLS NOT DISTINCT is not taken over; \(Self.hint)") }
        let columns = try cursor.names()
        if cursor.isAt(anyOf: ["include", "with", "using"]) {
            throw cursor.refusal("\(cursor.here.uppercased()) of a constraint is not taken over; \(Self.hint)")
        }
        return .init(columns: columns, deferrable: try deferral(&cursor))
    }

    /// What follows REFERENCES.
    func references(_ cursor: inout TokenCursor) throws(Refusal) -> References {
        var references = References(table: try object(&cursor))
        if cursor.isAt(sign: "(") { references.columns = try cursor.names() }
        while true {
            if cursor.accept("on", "delete") {
                references.onDelete = try action(&cursor)
            } else if cursor.accept("on", "update") {
                references.onUpdate = try action(&cursor)
            } else if cursor.accept("match", "simple") {
                continue
            } else if cursor.isAt("match") {
                throw cursor.refusal("MATCH FULL is not taken over; \(Self.hint)")
            } else {
                break
            }
        }
        references.deferrable = try deferral(&cursor)
        return references
    }

    private func action(_ cursor: inout TokenCursor) throws(Refusal) -> References.Action {
        let action: References.Action
        if cursor.accept("no", "action") {
            action = .noAction
        } else if cursor.accept("restrict") {
            action = .restrict
        } else if cursor.accept("cascade") {
            action = .cascade
        } else if cursor.accept("set", "null") {
            action = .setNull
        } else if cursor.accept("set", "default") {
            action = .setDefault
        } else {
            throw cursor.refusal("what happens to the row was expected, such as CASCADE, not \(cursor.here)")
        }
        if cursor.isAt(sign: "(") { throw cursor.refusal("SET NULL of some columns is not taken over; \(Self.hint)") }
        return action
    }

    func deferral(_ cursor: inout TokenCursor) throws(Refusal) -> References.Deferral? {
        if cursor.accept("not", "deferrable") {
            _ = cursor.accept("initially", "immediate")
            return nil
        }
        if cursor.accept("deferrable") {
            if cursor.accept("initially", "deferred") { return .deferred }
            _ = cursor.accept("initially", "immediate")
            return .immediate
        }
        if cursor.accept("initially", "deferred") { return .deferred }
        _ = cursor.accept("initially", "immediate")
        return nil
    }

    private func exclusion(_ cursor: inout TokenCursor) throws(Refusal) -> NewConstraint.Exclusion {
        let method = cursor.accept("using") ? try cursor.name() : nil
        var elements: [NewConstraint.Exclusion.Element] = []
        for part in TokenCursor.split(try cursor.parenthesized()) {
            var element = TokenCursor(cursor.source, part)
            let value = try element.stretch(until: ["with"])
            try element.expect("with")
            let sign = element.source.text(of: element.rest)
            if value.count == 1, let column = value.first?.identifier {
                elements.append(.init(column: column, with: sign))
            } else {
                elements.append(.init(expression: element.source.text(of: value), with: sign))
            }
        }
        let condition = cursor.accept("where") ? try cursor.parenthesizedText() : nil
        return .init(method: method, elements: elements, where: condition, deferrable: try deferral(&cursor))
    }
}

extension NewConstraint {
    /// The name that PostgreSQL would give it.
    func defaultName(of table: String, without taken: Set<String>) -> String {
        let stem: String
        if primaryKey != nil {
            stem = objectName(table, "pkey")
        } else if let unique {
            stem = objectName(table, unique.columns.joined(separator: "_"), "key")
        } else if let foreignKey {
            stem = objectName(table, foreignKey.columns.joined(separator: "_"), "fkey")
        } else if let exclusion {
            stem = objectName(table, exclusion.elements.map { $0.column ?? "expr" }.joined(separator: "_"), "excl")
        } else {
            stem = objectName(table, "check")
        }
        guard taken.contains(stem) else { return stem }
        var number = 1
        while taken.contains("\(stem)\(number)") { number += 1 }
        return "\(stem)\(number)"
    }
}
