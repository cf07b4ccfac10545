/// What cannot be moved so that both versions of the application find everything, and what to do about it.
extension MoveToTable {
    /// The earlier change that makes the table to which the columns go; nil if it is there.
    func maker(in builder: PlanBuilder, at path: String) throws(PlanError) -> CreateTable? {
        for (index, change) in builder.changes.enumerated() {
            switch change {
            case .createTable(let other) where other.table == to:
                guard index < builder.index else {
                    throw PlanError(
                        .invalidChange, at: "\(path).to", "changes[\(index)] makes the table; put that before this one")
                }
                return other
            case .dropTable(let other) where tables.contains(other.table):
                throw PlanError(
                    .invalidChange, at: path,
                    "changes[\(index)] drops \(other.table); put that into a Migration of its own")
            case .renameTable(let other) where tables.contains(other.table):
                throw PlanError(
                    .invalidChange, at: path,
                    "changes[\(index)] renames \(other.table); put that into a Migration of its own")
            default: continue
            }
        }
        return nil
    }

    func requireWritable(
        _ source: TableDescription, _ target: TableDescription, in builder: PlanBuilder, at path: String
    ) throws(PlanError) {
        if builder.writer == .application {
            throw PlanError(
                .invalidChange, at: "dualWrite.by",
                "Application is for two sides of one row; columns that go to another table are written by triggers, so put "
                    + "\(path) into a Migration of its own, without it")
        }
        if builder.hasViews {
            throw PlanError(
                .invalidChange, at: "views",
                "columns that go to another table have no versioned views yet; put \(path) into a Migration of its own, "
                    + "without them")
        }
        guard !source.key.isEmpty else {
            throw PlanError(
                .noUsableKey, at: "\(path).table",
                "\(source.name) has no key by which its rows can be walked; give it a primary key, or a unique index on "
                    + "NOT NULL columns")
        }
        for column in target.columns where column.notNull && column.defaultExpression == nil {
            if key.values.contains(column.name) || column.generated || column.isIdentity { continue }
            throw PlanError(
                .unsupportedTable, at: "\(path).to",
                "column \"\(column.name)\" of \(target.name) is NOT NULL and has no default, so no row can be made there for "
                    + "what version 1 writes; give it a default, or let it be NULL")
        }
    }

    /// Whether a column can be left to triggers.
    func requireMovable(
        _ column: TableDescription.ColumnDescription, of table: TableDescription, at path: String
    ) throws(PlanError) {
        func refuse(_ code: PlanError.Code, _ message: String) throws(PlanError) {
            throw PlanError(code, at: "\(path).name", "column \"\(column.name)\" of \(table.name) \(message)")
        }
        if table.key.contains(column.name) || table.referencedColumns.contains(column.name) {
            try refuse(.unsupportedTable, "is part of its key, or other tables refer to it; it has to stay")
        }
        if column.generated || column.isIdentity {
            try refuse(
                .unsupportedTable, "is generated, so triggers could not write what version 2 does; it has to stay")
        }
        if column.defaultExpression != nil {
            try refuse(
                .invalidChange,
                "has a default: a row that version 2 inserts would get it, and with it a row in \(to), which version 2 could "
                    + "not insert any more; drop the default before, by alterColumn with dropDefault: true")
        }
    }

    /// One row there for each here, gone when that goes: PostgreSQL itself keeps it so, by unique keys and a foreign key.
    func requireLink(
        _ source: TableDescription, _ target: TableDescription, _ made: CreateTable?, at path: String
    ) throws(PlanError) {
        let (old, new) = (Set(key.keys), Set(key.values))
        func refuse(_ message: String) throws(PlanError) {
            throw PlanError(.noUsableKey, at: "\(path).key", message)
        }
        guard source.isKey(old) else {
            return try refuse(
                "\(key.keys.sorted().joined(separator: ", ")) of \(source.name) must be unique and NOT NULL")
        }
        guard made?.isKey(new) ?? target.isKey(new) else {
            return try refuse(
                "\(key.values.sorted().joined(separator: ", ")) of \(target.name) must be unique and NOT NULL")
        }
        for column in target.columns where new.contains(column.name) && (column.isIdentity || column.generated) {
            return try refuse("column \"\(column.name)\" of \(target.name) must take the values of \(source.name)")
        }
        let pairs = Dictionary(uniqueKeysWithValues: key.map { ($0.value, $0.key) })
        let isLinked = made?.isLinked(to: source, by: pairs) ?? target.isLinked(to: source, by: pairs)
        guard isLinked else {
            return try refuse(
                "\(target.name) needs a foreign key of \(key.values.sorted().joined(separator: ", ")) that refers to "
                    + "\(key.keys.sorted().joined(separator: ", ")) of \(source.name), ON DELETE CASCADE, validated and not "
                    + "deferrable; make it before, by addConstraint in a Migration of its own"
                    + (made == nil ? "" : ", or with the table"))
        }
    }
}

extension TableDescription {
    /// Whether rows have just one of each, at once, and none has NULL.
    fileprivate func isKey(_ columns: Set<String>) -> Bool {
        indexes.contains { $0.identifiesRows && Set($0.columns) == columns && $0.columns.count == columns.count }
    }

    /// - Parameter pairs: the columns of the table referred to, by those of this one.
    fileprivate func isLinked(to other: TableDescription, by pairs: [String: String]) -> Bool {
        constraints.contains { constraint in
            guard constraint.kind == "f", constraint.references == other.name, let key = constraint.foreignKey else {
                return false
            }
            return constraint.isValidated && !constraint.isDeferrable && key.onDelete == "c"
                && ["a", "r", "c"].contains(key.onUpdate)
                && constraint.columns.count == pairs.count
                && zip(constraint.columns, key.columns).allSatisfy { pairs[$0] == $1 }
        }
    }
}

extension CreateTable {
    fileprivate func isKey(_ names: Set<String>) -> Bool {
        if let primaryKey, Set(primaryKey) == names { return true }
        let isNotNull = names.allSatisfy { name in
            primaryKey?.contains(name) == true || columns.contains { $0.name == name && $0.nullable == false }
        }
        guard isNotNull else { return false }
        if columns.contains(where: { $0.unique == true && [$0.name] == names }) { return true }
        return (constraints ?? []).contains {
            $0.unique?.deferrable == nil && $0.unique.map { Set($0.columns) } == names
        }
    }

    fileprivate func isLinked(to other: TableDescription, by pairs: [String: String]) -> Bool {
        referred.contains { _, columns, references in
            guard references.table == other.name.name, references.deferrable == nil, references.onDelete == .cascade,
                [nil, .noAction, .restrict, .cascade].contains(references.onUpdate), columns.count == pairs.count,
                let referred = try? references.columns(of: other, at: "")
            else { return false }
            return zip(columns, referred).allSatisfy { pairs[$0] == $1 }
        }
    }
}
