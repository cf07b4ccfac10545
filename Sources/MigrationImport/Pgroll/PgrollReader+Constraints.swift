import SchemaChange

extension PgrollReader {
    func check(_ fields: PgrollOperation.Check) throws(Refusal) -> NewConstraint {
        try refuse(noInherit: fields.no_inherit)
        return NewConstraint(name: fields.name, check: fields.constraint)
    }

    func reference(_ fields: PgrollOperation.Reference, of column: String) throws(Refusal) -> NewConstraint {
        try refuse(match: fields.match_type)
        return NewConstraint(
            name: fields.name,
            foreignKey: .init(
                columns: [column],
                references: References(
                    table: fields.table, columns: [fields.column], onDelete: try action(fields.on_delete),
                    onUpdate: try action(fields.on_update),
                    deferrable: deferral(fields.deferrable, fields.initially_deferred))))
    }

    func constraint(_ fields: PgrollOperation.Constraint) throws(Refusal) -> NewConstraint {
        try refuse(noInherit: fields.no_inherit)
        if fields.nulls_not_distinct == true {
            throw Refusal("nulls_not_distinct is not taken over; \(DDLReader.hint)")
        }
        return try constraint(
            fields.name, fields.type, columns: fields.columns ?? [], check: fields.check,
            references: fields.references, exclude: fields.exclude, parameters: fields.index_parameters,
            deferrable: deferral(fields.deferrable, fields.initially_deferred))
    }

    private func constraint(
        _ name: String, _ type: String, columns: [String], check: String?,
        references: PgrollOperation.TableReference?, exclude: PgrollOperation.Exclusion? = nil,
        parameters: PgrollOperation.IndexParameters?, deferrable: References.Deferral? = nil
    ) throws(Refusal) -> NewConstraint {
        if parameters?.tablespace?.nonEmpty != nil || parameters?.storage_parameters?.nonEmpty != nil
            || parameters?.include_columns?.isEmpty == false
        {
            throw Refusal("index_parameters of a constraint are not taken over; \(DDLReader.hint)")
        }
        var constraint = NewConstraint(name: name)
        switch type {
        case "check":
            guard let check else { throw Refusal("the constraint \"\(name)\" has no check") }
            constraint.check = check
        case "unique": constraint.unique = .init(columns: columns, deferrable: deferrable)
        case "primary_key": constraint.primaryKey = .init(columns: columns, deferrable: deferrable)
        case "foreign_key":
            guard let references else { throw Refusal("the constraint \"\(name)\" has no references") }
            try refuse(match: references.match_type)
            if references.on_delete_set_columns?.isEmpty == false {
                throw Refusal("on_delete_set_columns is not taken over; \(DDLReader.hint)")
            }
            constraint.foreignKey = .init(
                columns: columns,
                references: References(
                    table: references.table, columns: references.columns, onDelete: try action(references.on_delete),
                    onUpdate: try action(references.on_update), deferrable: deferrable))
        case "exclude":
            guard let exclude else { throw Refusal("the constraint \"\(name)\" has no exclude") }
            return try exclusion(exclude, named: name, deferrable)
        case let other: throw Refusal("the constraint type \"\(other)\" is not known")
        }
        return constraint
    }

    /// pgroll writes its elements as SQL does.
    private func exclusion(
        _ fields: PgrollOperation.Exclusion, named name: String, _ deferrable: References.Deferral?
    ) throws(Refusal) -> NewConstraint {
        let method = fields.index_method?.nonEmpty.map { " USING \($0)" } ?? ""
        let condition = fields.predicate?.nonEmpty.map { " WHERE (\($0))" } ?? ""
        let source = try SQLText("EXCLUDE\(method) (\(fields.elements))\(condition)")
        var cursor = TokenCursor(source, source.tokens[...])
        var constraint = try DDLReader(draft, schema: schema).constraint(&cursor, of: name)
        try cursor.expectEnd()
        constraint.name = name
        constraint.exclusion?.deferrable = deferrable
        return constraint
    }

    private func action(_ text: String?) throws(Refusal) -> References.Action? {
        switch text?.nonEmpty?.uppercased() {
        case nil: nil
        case "NO ACTION": .noAction
        case "RESTRICT": .restrict
        case "CASCADE": .cascade
        case "SET NULL": .setNull
        case "SET DEFAULT": .setDefault
        case let other?: throw Refusal("\"\(other)\" is not known as what happens to a row that refers to another")
        }
    }

    private func deferral(_ deferrable: Bool?, _ isDeferred: Bool?) -> References.Deferral? {
        if isDeferred == true { return .deferred }
        return deferrable == true ? .immediate : nil
    }

    private func refuse(noInherit: Bool?) throws(Refusal) {
        if noInherit == true { throw Refusal("no_inherit is not taken over; \(DDLReader.hint)") }
    }

    private func refuse(match: String?) throws(Refusal) {
        if let match = match?.nonEmpty, match.uppercased() != "SIMPLE" {
            throw Refusal("match_type \(match) is not taken over; \(DDLReader.hint)")
        }
    }

    // MARK: Operations

    mutating func createConstraint(_ fields: PgrollOperation.CreateConstraint) throws(Refusal) {
        try refuse(noInherit: fields.no_inherit)
        let constraint = try constraint(
            fields.name, fields.type, columns: fields.columns ?? [], check: fields.check,
            references: fields.references, parameters: fields.index_parameters)
        let columns = fields.columns ?? []
        if columns.count == 1, constraint.primaryKey == nil {
            var alteration = MigrationDraft.Alteration(
                table: fields.table, column: columns[0], up: fields.up?[columns[0]], down: fields.down?[columns[0]])
            if let check = constraint.check { alteration.check = NewCheck(name: fields.name, constraint: check) }
            if constraint.unique != nil { alteration.unique = fields.name }
            if constraint.foreignKey != nil { alteration.references = constraint }
            return try draft.alter(alteration)
        }
        let computed = try computed(fields.up)
        if !computed.isEmpty {
            draft.note(
                "what `up` says of \(computed.joined(separator: ", ")) is not done: a constraint of several columns is added in "
                    + "place. Rows that break \(fields.name) are looked for in Backfill and named (DataNotReady) before Contract "
                    + "puts it in force; mend them then. Until then the old version is not held to it.")
        }
        try draft.addConstraint(constraint, to: fields.table)
    }

    mutating func dropConstraint(_ fields: PgrollOperation.DropConstraint) throws(Refusal) {
        try draft.requireConstraint(fields.name, of: fields.table)
        let known = draft.model.table(fields.table)?.constraint(fields.name)?.columns
        // It is of one column; where that is not known, an expression that is a column's name says which.
        var named: String?
        for text in [fields.up, fields.down] {
            if named == nil, let text = text?.nonEmpty { named = try SQLExpression(text).column }
        }
        guard let column = known?.count == 1 ? known?.first : named else {
            return try dropInPlace(fields.name, of: fields.table, down: fields.down)
        }
        try draft.alter(
            MigrationDraft.Alteration(
                table: fields.table, column: column, dropConstraints: [fields.name], up: fields.up, down: fields.down))
    }

    mutating func dropConstraint(_ fields: PgrollOperation.DropConstraintOfColumns) throws(Refusal) {
        try draft.requireConstraint(fields.name, of: fields.table)
        let columns = Set((fields.up ?? [:]).keys).union((fields.down ?? [:]).keys)
        if let column = columns.first, columns.count == 1 {
            return try draft.alter(
                MigrationDraft.Alteration(
                    table: fields.table, column: column, dropConstraints: [fields.name], up: fields.up?[column],
                    down: fields.down?[column]))
        }
        let computed = try computed(fields.down)
        try dropInPlace(fields.name, of: fields.table, down: computed.isEmpty ? nil : computed.joined(separator: ", "))
    }

    private mutating func dropInPlace(_ name: String, of table: String, down: String?) throws(Refusal) {
        if let down = down?.nonEmpty {
            draft.note(
                "what `down` says (\(down)) is not done: \(name) is dropped in place. Going back, rows that break it are named; "
                    + "mend them then.")
        }
        try draft.dropConstraint(name, of: table)
    }

    /// The columns whose expression is more than the column itself.
    private func computed(_ expressions: [String: String]?) throws(Refusal) -> [String] {
        var columns: [String] = []
        for (column, text) in (expressions ?? [:]).sorted(by: { $0.key < $1.key }) where text.nonEmpty != nil {
            if try SQLExpression(text).column != column { columns.append(column) }
        }
        return columns
    }

    mutating func createIndex(_ fields: PgrollOperation.CreateIndex) throws(Refusal) {
        var index = CreateIndex(table: fields.table, name: fields.name, columns: [])
        if fields.unique == true { index.unique = true }
        index.method = fields.method?.nonEmpty
        index.where = fields.predicate?.nonEmpty
        for field in fields.columns {
            var element = CreateIndex.Element(column: field.column, collation: field.settings.collate?.nonEmpty)
            switch field.settings.sort?.nonEmpty?.uppercased() {
            case nil: break
            case "ASC": element.order = .ascending
            case "DESC": element.order = .descending
            case let other?: throw Refusal("\"\(other)\" is not known as an order: ASC or DESC")
            }
            switch field.settings.nulls?.nonEmpty?.uppercased() {
            case nil: break
            case "FIRST": element.nulls = .first
            case "LAST": element.nulls = .last
            case let other?: throw Refusal("\"\(other)\" is not known as a place of NULLs: FIRST or LAST")
            }
            if let opclass = field.settings.opclass {
                let parameters = opclass.params ?? []
                element.opclass =
                    opclass.name + (parameters.isEmpty ? "" : " (\(parameters.joined(separator: ", ")))")
            }
            index.columns.append(element)
        }
        if let text = fields.storage_parameters?.nonEmpty {
            let source = try SQLText("(\(text))")
            var cursor = TokenCursor(source, source.tokens[...])
            index.with = try DDLReader(draft, schema: schema).parameters(&cursor)
        }
        try draft.createIndex(index)
    }
}
