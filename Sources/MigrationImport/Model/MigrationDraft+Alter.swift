import SchemaChange

/// What an existing column becomes: in place, or by way of another column that takes its place.
extension MigrationDraft {
    /// What an existing column is to become.
    struct Alteration: Sendable {
        enum Default: Hashable, Sendable {
            case keep, drop
            case set(String)
        }

        var table: String
        var column: String
        var type: String?
        var nullable: Bool?
        var `default` = Default.keep
        var check: NewCheck?
        /// What the UNIQUE constraint is called that it gets.
        var unique: String?
        var references: NewConstraint?
        var dropConstraints: [String] = []
        /// An empty one takes it away.
        var comment: String?
        /// The new column from the old ones, and the other way round. Nil: it stays what it is.
        var up: String?
        var down: String?

        /// What would be in force once it is done, for a message.
        fileprivate var rule: String {
            check?.name ?? unique ?? references?.name ?? (nullable == false ? "NOT NULL" : "it")
        }

        fileprivate var newConstraints: [NewConstraint] {
            [
                check.map { NewConstraint(name: $0.name, check: $0.constraint) },
                unique.map { NewConstraint(name: $0, unique: .init(columns: [column])) },
                references,
            ].compactMap { $0 }
        }
    }

    mutating func alter(_ alteration: Alteration) throws(Refusal) {
        try requireKnown(alteration.column, of: alteration.table)
        for name in alteration.dropConstraints { try requireConstraint(name, of: alteration.table) }
        if try alterNew(alteration) { return }
        let up = try expression(alteration.up, of: alteration, "up")
        let down = try expression(alteration.down, of: alteration, "down")
        guard alteration.type != nil || up != nil || down != nil else { return try alterInPlace(alteration) }
        if let (side, expression, obstacle) = [("up", up), ("down", down)].lazy.compactMap({ side, expression in
            expression.flatMap { text in text.obstacle.map { (side, text, $0) } }
        }).first {
            guard alteration.type == nil else {
                throw Refusal(
                    "\(side) \(obstacle.reason), so that the rows of the new type could not be proven; give an expression over "
                        + "the row's own columns")
            }
            noteInPlace(alteration, side, expression, obstacle)
            return try alterInPlace(alteration)
        }
        let isCalledFor = inPlace.contains("\(alteration.table).\(alteration.column)")
        if alteration.type == nil, isCalledFor {
            noteChain(alteration, up, down)
            return try alterInPlace(alteration)
        }
        try alterByCopy(alteration, up, down)
    }

    private mutating func noteChain(_ alteration: Alteration, _ up: SQLExpression?, _ down: SQLExpression?) {
        let column = alteration.column
        let sides = [up.map { "`up` (\($0.text))" }, down.map { "`down` (\($0.text))" }].compactMap { $0 }
        note(
            "what \(sides.joined(separator: " and ")) of \(column) says is not done: another of the files given changes the "
                + "same column or table, and would have to wait until the old values of this one are gone (contract.keepFor). "
                + "\(column) is changed in place instead. Rows that break \(alteration.rule), on the way there or back, are "
                + "looked for and named (DataNotReady); mend them then.")
    }

    /// Nil where it is the column itself.
    private mutating func expression(
        _ text: String?, of alteration: Alteration, _ side: String
    ) throws(Refusal) -> SQLExpression? {
        guard let text, !text.allSatisfy(\.isWhitespace) else { return nil }
        let expression = try SQLExpression(text)
        guard let name = expression.column else { return expression }
        if name == alteration.column { return nil }
        if let known = model.table(alteration.table), known.column(name) == nil {
            note(
                "`\(side)` of \(alteration.column) names \(name), which is no column of \(alteration.table). It is taken for the "
                    + "column itself.")
            return nil
        }
        return expression
    }

    private mutating func noteInPlace(
        _ alteration: Alteration, _ side: String, _ expression: SQLExpression, _ obstacle: SQLExpression.Obstacle
    ) {
        let why = "`\(side)` of \(alteration.column) \(obstacle.reason), and cannot be part of a proof"
        if side == "down" {
            note(
                "\(why): \(alteration.column) is changed in place. Going back, rows that break what is restored are named; mend "
                    + "them then, as by `\(expression.text)`.")
        } else {
            note(
                "\(why): \(alteration.column) is changed in place. Rows that break \(alteration.rule) are looked for in "
                    + "Backfill and named (DataNotReady) before Contract puts it in force; mend them, as by "
                    + "`\(expression.text)`. Until then the old version is not held to it.")
        }
    }

    // MARK: The ways

    private mutating func alterNew(_ alteration: Alteration) throws(Refusal) -> Bool {
        let isNew = try fold(into: alteration.table) { new throws(Refusal) in
            guard alteration.dropConstraints.isEmpty else {
                throw Refusal("this file makes \"\(alteration.table)\" and drops its constraint; leave out both")
            }
            new.update(alteration.column) { column in
                column.type = alteration.type ?? column.type
                column.nullable = alteration.nullable ?? column.nullable
                switch alteration.default {
                case .keep: break
                case .drop: column.default = nil
                case .set(let text): column.default = text
                }
                if let comment = alteration.comment { column.comment = comment.isEmpty ? nil : comment }
            }
        }
        guard isNew else { return false }
        updateModel { $0.apply(alteration) }
        for constraint in alteration.newConstraints { try addConstraint(constraint, to: alteration.table) }
        return true
    }

    private mutating func alterInPlace(_ alteration: Alteration) throws(Refusal) {
        let (table, column) = (alteration.table, alteration.column)
        var change = AlterColumn(table: table, column: column, nullable: alteration.nullable)
        switch alteration.default {
        case .keep: break
        case .drop: change.dropDefault = true
        case .set(let text): change.default = text
        }
        if change.nullable != nil || change.default != nil || change.dropDefault != nil { try addInPlace(change) }
        if let comment = alteration.comment { try setComment(comment, on: column, of: table) }
        for name in alteration.dropConstraints { try dropConstraint(name, of: table) }
        updateModel { $0.apply(alteration) }
        for constraint in alteration.newConstraints { try addConstraint(constraint, to: table) }
    }

    private mutating func alterByCopy(
        _ alteration: Alteration, _ up: SQLExpression?, _ down: SQLExpression?
    ) throws(Refusal) {
        let (table, column) = (alteration.table, alteration.column)
        if model.column(column, of: table)?.isComputed == true {
            throw Refusal("PostgreSQL itself computes \"\(column)\", as it would not another column in its place")
        }
        try claim(column, of: table)
        let isRetyped = alteration.type != nil
        var change = AlterColumn(
            table: table, column: column, nullable: alteration.nullable, type: alteration.type,
            check: alteration.check?.constraint, unique: alteration.unique == nil ? nil : true,
            references: alteration.references?.foreignKey?.references, constraintNames: alteration.constraintNames,
            dropConstraints: alteration.dropConstraints.isEmpty ? nil : alteration.dropConstraints,
            comment: alteration.comment,
            forward: up?.text ?? (isRetyped ? nil : column.sqlName),
            backward: down?.text ?? (isRetyped ? nil : column.sqlName))
        switch alteration.default {
        case .drop: change.dropDefault = true
        case .set(let text): change.default = text
        case .keep:
            if let type = alteration.type { retypeDefault(of: &change, as: type) }
        }
        keepsArchive(of: column, in: table, naming: [up, down], couldBeInPlace: !isRetyped)
        add(.alterColumn(change)) { $0.apply(alteration) }
        for constraint in alteration.newConstraints { updateModel { $0.add(constraint, to: table) } }
        if let text = change.default { updateModel { $0.update(column, of: table) { $0.default = text } } }
    }

    private mutating func retypeDefault(of change: inout AlterColumn, as type: String) {
        guard let known = model.column(change.column, of: change.table) else {
            note(
                "if \(change.column) of \(change.table) has a default, which no file given here says, say what it is in the new "
                    + "type: default, or dropDefault: true.")
            return
        }
        guard let text = known.default else { return }
        change.default = "CAST(CAST((\(text)) AS \(known.type)) AS \(type))"
        note("the default of \(change.column) is cast to the new type.")
    }
}

extension MigrationDraft.Alteration {
    fileprivate var constraintNames: ConstraintNames? {
        let names = ConstraintNames(check: check?.name, unique: unique, references: references?.name)
        return names == ConstraintNames() ? nil : names
    }
}

extension SchemaModel {
    /// Without its new constraints.
    mutating func apply(_ alteration: MigrationDraft.Alteration) {
        for name in alteration.dropConstraints { dropConstraint(name, of: alteration.table) }
        update(alteration.column, of: alteration.table) { column in
            column.type = alteration.type ?? column.type
            column.nullable = alteration.nullable ?? column.nullable
            switch alteration.default {
            case .keep: break
            case .drop: column.default = nil
            case .set(let text): column.default = text
            }
        }
    }
}
