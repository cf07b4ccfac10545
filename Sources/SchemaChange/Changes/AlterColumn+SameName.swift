/// Another column stands under another name until Contract, and then takes the name of this one.
extension AlterColumn {
    func successor(
        of present: TableDescription.ColumnDescription
    ) -> (new: NewColumn, forward: [String: String], backward: [String: String]) {
        let name = column.quotedIdentifier
        let newType = type ?? present.type
        return (
            NewColumn(name: column, type: newType, nullable: nullable ?? !present.notNull),
            forwardBy != nil ? [:] : [column: forward ?? Self.converted(name, to: newType)],
            [column: backward ?? Self.converted(name, to: present.type)]
        )
    }

    /// A cast to a type of limited length cuts what is too long, silently; an assignment refuses it, as `ALTER TABLE` does.
    /// <https://www.postgresql.org/docs/15/datatype-character.html>
    private static func converted(_ value: String, to type: String) -> String {
        length(of: type) == nil ? "\(value)::\(type)" : value
    }

    /// How long a value of the type may be, in characters or bits; nil where there is no limit that a cast would cut to.
    private static func length(of type: String) -> Int? {
        let names = /(?:character varying|varchar|character|char|bpchar|bit varying|varbit|bit) *\( *([0-9]+) *\).*/
        return (try? names.wholeMatch(in: type.lowercased())).flatMap { Int($0.1) }
    }

    /// Whether an identity may be of it.
    private static func canNumber(_ type: String) -> Bool {
        let types = ["smallint", "int2", "integer", "int", "int4", "bigint", "int8"]
        return types.contains(type.lowercased())
    }

    /// A value that is too large or too long for the old type is refused as long as the old version lives. Once the column is
    /// in the archive, it has no old value. Nil where the conversion says it all.
    private func narrowed(to present: TableDescription.ColumnDescription) -> String? {
        let bounds = ["smallint": "-32768 AND 32767", "integer": "-2147483648 AND 2147483647"]
        let wider = ["bigint", "int8", "integer", "int", "int4", "numeric", "decimal"]
        let name = column.quotedIdentifier
        guard backward == nil, let type else { return nil }
        if let length = Self.length(of: present.type), present.type.hasPrefix("character"), !present.type.hasSuffix("]")
        {
            return "CASE WHEN char_length(\(name)::text) <= \(length) THEN \(name) END"
        }
        guard let bound = bounds[present.type], wider.contains(type.lowercased()) else { return nil }
        return "CASE WHEN \(name) BETWEEN \(bound) THEN \(name)::\(present.type) END"
    }

    func probe(of table: TableDescription, at path: String, token: String) -> DependentsProbe {
        let check = constraints.all(in: table, token: token).lazy.compactMap { constraint in
            constraint.check.map { NewCheck(name: constraint.name ?? "", constraint: $0) }
        }.first
        return DependentsProbe(
            path: path, table: table.name, column: column, interim: Mapping.interimName(token: token, index: 0),
            archived: Mapping.archivedName(token: token, index: 0),
            newType: type, keepsName: true, newCheck: check)
    }

    func planSuccessor(
        into builder: inout PlanBuilder,
        of description: TableDescription,
        _ present: TableDescription.ColumnDescription,
        at path: String
    ) throws(PlanError) {
        let isNumbered =
            builder.dependents[probe(of: description, at: path, token: builder.token)]?.sequence != nil
        if type != nil, present.defaultExpression != nil, !isNumbered, `default` == nil, dropDefault == nil {
            throw PlanError(
                .invalidChange, at: path,
                "column \"\(column)\" has the default \(present.defaultExpression ?? ""), which is of the old type; "
                    + "say what the new one is with default, or dropDefault: true")
        }
        if let type, present.isIdentity, !Self.canNumber(type) {
            throw PlanError(
                .invalidChange, at: "\(path).type",
                "column \"\(column)\" is an identity, and that is smallint, integer or bigint; end it before, by sql with "
                    + "ALTER COLUMN … DROP IDENTITY, in a Migration of its own")
        }
        let (new, forward, backward) = successor(of: present)
        let constraints = constraints.all(in: description, token: builder.token)
        let unique = constraints.lazy.filter { $0.unique != nil }.compactMap(\.name).first
        try builder.addMapping(
            table: description,
            old: [present],
            new: [new],
            forward: forward,
            backward: backward,
            remote: forwardBy,
            succession: Succession(
                probe: probe(of: description, at: path, token: builder.token),
                newDefault: `default`.map { "(\($0))" } ?? (dropDefault == true ? nil : present.defaultExpression),
                archivedBackward: narrowed(to: present),
                comment: comment,
                unique: unique,
                references: try reference(
                    constraints.first { $0.foreignKey != nil }?.name, in: builder.catalog, at: path),
                dropped: dropConstraints ?? []
            ),
            at: path
        )
    }

    /// What it refers to, once it is known which column that is.
    private func reference(_ name: String?, in catalog: Catalog, at path: String) throws(PlanError) -> NewReference? {
        guard let references, let name else { return nil }
        let place = "\(path).references"
        let referred = try catalog.tableByThen(references.table, at: place)
        let columns = try references.columns(of: referred, at: place)
        guard columns.count == 1 else {
            throw PlanError(.invalidChange, at: "\(place).columns", "a column refers to one column")
        }
        return NewReference(name: name, table: references.table, column: columns[0], options: references.options)
    }
}
