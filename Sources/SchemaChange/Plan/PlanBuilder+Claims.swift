/// What a change says of tables and columns, so that no other change of the plan counts on what goes.
extension PlanBuilder {
    /// Says that a table goes away or is called otherwise, so that no other change of the migration, and no other
    /// migration of which something is in force, may count on it.
    mutating func takesWhole(_ table: TableDescription, at path: String) throws(PlanError) {
        let others = changes.count { $0.tables.first == table.name.name }
        guard others <= 1 else {
            throw PlanError(
                .invalidChange, at: path,
                "another change is about \(table.name) as well; put this one into a Migration of its own")
        }
        wholeTables.append(table.name)
    }

    /// Says that the plan is about another name as well, so that whoever else is waits for it.
    mutating func alsoTouches(_ table: TableName) {
        otherTables.append(table)
    }

    /// Each column has one change that may touch it.
    mutating func claim(_ column: String, of table: TableDescription, at path: String) throws(PlanError) {
        if let other = taken.updateValue(path, forKey: "\(table.name).\(column)") {
            throw PlanError(.invalidChange, at: path, "column \"\(column)\" is already changed by \(other)")
        }
    }

    /// Says that `column` goes into the archive at Contract, so that no other change may count on it.
    ///
    /// Nor may it be one by which rows find their partition: triggers write it, and a trigger cannot send a row elsewhere.
    mutating func leaves(_ column: String, of table: TableDescription, at path: String) throws(PlanError) {
        if table.partitionKey.contains(column) {
            throw PlanError(
                .unsupportedTable, at: path,
                "\(table.name) is partitioned by column \"\(column)\", and a trigger that keeps it right cannot send a row to "
                    + "another partition; move the rows to a table that is partitioned otherwise")
        }
        leaving["\(table.name).\(column)"] = path
    }

    /// Says which columns a change's triggers read, and refuses those that a trigger cannot.
    mutating func reads(_ columns: some Sequence<String>, of table: TableDescription, at path: String) throws(PlanError)
    {
        for name in columns {
            if table.column(name)?.generated == true {
                throw PlanError(
                    .invalidExpression,
                    at: path,
                    "column \"\(name)\" is generated, and has no value yet when a trigger runs; name what it is made of"
                )
            }
            if ["new", "old", "tg_op", "tg_argv"].contains(name) {
                throw PlanError(
                    .invalidChange,
                    at: path,
                    "a column called \"\(name)\" cannot be told from the trigger's own variable of that name"
                )
            }
            reads.append((path, table.name, name))
        }
    }

    /// Says that an index or a constraint is about columns, so that no other change of the migration may take them away.
    mutating func needs(_ columns: some Sequence<String>, of table: TableDescription, at path: String) {
        needs += columns.map { (path, table.name, $0) }
    }
}
