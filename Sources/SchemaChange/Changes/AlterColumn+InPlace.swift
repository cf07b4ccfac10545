/// The column stays, and is altered where it stands.
extension AlterColumn {
    /// The same as changes of their own, where the column stays.
    func inPlace(in description: TableDescription? = nil, token: String = "") -> [any ChangeKind] {
        var changes: [any ChangeKind] = constraints.all(in: description, token: token).map {
            AddConstraint(table: table, $0)
        }
        if let comment { changes.append(SetComment(table: table, column: column, comment: comment)) }
        return changes
    }

    func planDefault(
        into builder: inout PlanBuilder,
        of description: TableDescription,
        _ present: TableDescription.ColumnDescription
    ) {
        guard `default` != nil || dropDefault == true else { return }
        let alter = "ALTER TABLE \(description.name.quoted) ALTER COLUMN \(column.quotedIdentifier)"
        func set(_ expression: String?) -> String {
            expression.map { "\(alter) SET DEFAULT (\($0))" } ?? "\(alter) DROP DEFAULT"
        }
        builder.add(
            .expand,
            "default",
            `default` == nil
                ? "dropping the default of \(column) of \(description.name)"
                : "setting the default of \(column) of \(description.name)",
            table: description.name,
            apply: [set(`default`)],
            revert: [set(present.defaultExpression)]
        )
    }

    func planNullability(
        into builder: inout PlanBuilder,
        of description: TableDescription,
        _ present: TableDescription.ColumnDescription,
        at path: String
    ) throws(PlanError) {
        guard let nullable, nullable == present.notNull else { return }
        if nullable {
            if description.key.contains(column) {
                throw PlanError(
                    .dependents, at: "\(path).nullable",
                    "\"\(column)\" is of the key (\(description.key.joined(separator: ", "))) by which the rows of "
                        + "\(description.name) are told apart, so it cannot be NULL; give the table a primary key "
                        + "without it first")
            }
            builder.addNullable(.expand, present, of: description)
        } else {
            builder.addCheck(
                "no-null",
                "looking for NULL in \(column) of \(description.name)",
                table: description.name,
                query: """
                    SELECT \(builder.keyText(of: description)) FROM \(description.name.quoted) AS \(PlanBuilder.keyAlias) \
                    WHERE \(column.quotedIdentifier) IS NULL LIMIT 5
                    """,
                message: "\(column) of \(description.name) is NULL in rows that should not have it; give them a value"
            )
            builder.addNotNull(.contract, column, of: description.name)
        }
    }
}
