import SchemaChange

/// What the files given so far have made of a schema, as far as what comes after them depends on it.
///
/// A table that it does not have may well be there: made before the first of the files. A table that it has is known
/// whole.
struct SchemaModel: Sendable {
    struct Column: Hashable, Sendable {
        var name: String
        var type: String
        var nullable: Bool
        var `default`: String?
        /// Whether PostgreSQL computes it from the row.
        var isComputed = false
    }

    struct Constraint: Hashable, Sendable {
        enum Kind: Hashable, Sendable {
            case check, unique, primaryKey, foreignKey, exclusion
        }

        var name: String
        var kind: Kind
        var columns: [String]
        /// Of a foreign key.
        var refersTo: References?
    }

    struct Table: Hashable, Sendable {
        var columns: [Column] = []
        var constraints: [Constraint] = []

        func column(_ name: String) -> Column? { columns.first { $0.name == name } }
        func constraint(_ name: String) -> Constraint? { constraints.first { $0.name == name } }

        var primaryKey: [String] { constraints.first { $0.kind == .primaryKey }?.columns ?? [] }

        mutating func update(_ name: String, _ body: (inout Column) -> Void) {
            guard let index = columns.firstIndex(where: { $0.name == name }) else { return }
            body(&columns[index])
        }
    }

    private(set) var tables: [String: Table] = [:]
    /// The table of each index that is none of a constraint's.
    private(set) var indexes: [String: String] = [:]

    func table(_ name: String) -> Table? { tables[name] }
    func column(_ name: String, of table: String) -> Column? { tables[table]?.column(name) }

    // MARK: What changes do to it

    mutating func create(_ new: CreateTable) {
        var table = Table()
        table.columns = new.columns.map { column in
            Column(
                name: column.name, type: column.type,
                nullable: column.nullable != false && new.primaryKey?.contains(column.name) != true
                    && !column.type.isSerial,
                default: column.default, isComputed: column.generated?.expression != nil)
        }
        if let key = new.primaryKey {
            table.constraints.append(.init(name: "\(new.table)_pkey", kind: .primaryKey, columns: key))
        }
        tables[new.table] = table
        for column in new.columns { addConstraints(of: column, to: new.table) }
        for constraint in new.constraints ?? [] { add(constraint, to: new.table) }
    }

    /// Those that stand with a column and have no name, as PostgreSQL names them.
    private mutating func addConstraints(of column: TableColumn, to table: String) {
        if column.unique == true {
            tables[table]?.constraints.append(
                .init(name: objectName(table, column.name, "key"), kind: .unique, columns: [column.name]))
        }
        if let check = column.check {
            add(NewConstraint(name: objectName(table, column.name, "check"), check: check), to: table)
        }
        if let references = column.references {
            tables[table]?.constraints.append(
                .init(
                    name: objectName(table, column.name, "fkey"), kind: .foreignKey, columns: [column.name],
                    refersTo: references))
        }
    }

    mutating func add(_ column: TableColumn, to table: String) {
        tables[table]?.columns.append(
            Column(
                name: column.name, type: column.type, nullable: column.nullable != false, default: column.default,
                isComputed: column.generated?.expression != nil))
        addConstraints(of: column, to: table)
    }

    mutating func add(_ constraint: NewConstraint, to table: String) {
        if let notNull = constraint.notNull {
            update(notNull.column, of: table) { $0.nullable = false }
            return
        }
        guard let name = constraint.name, let known = tables[table] else { return }
        var added = Constraint(name: name, kind: .check, columns: [])
        if let check = constraint.check {
            added.columns = (try? SQLExpression(check))?.mentions(of: known.columns.map(\.name)) ?? []
        } else if let key = constraint.unique {
            added.kind = .unique
            added.columns = key.columns
        } else if let key = constraint.primaryKey {
            added.kind = .primaryKey
            added.columns = key.columns
            for column in key.columns { update(column, of: table) { $0.nullable = false } }
        } else if let key = constraint.foreignKey {
            added.kind = .foreignKey
            added.columns = key.columns
            added.refersTo = key.references
        } else if let exclusion = constraint.exclusion {
            added.kind = .exclusion
            added.columns = exclusion.elements.compactMap(\.column)
        }
        tables[table]?.constraints.append(added)
    }

    mutating func update(_ column: String, of table: String, _ body: (inout Column) -> Void) {
        tables[table]?.update(column, body)
    }

    mutating func dropColumn(_ column: String, of table: String) {
        tables[table]?.columns.removeAll { $0.name == column }
        tables[table]?.constraints.removeAll { $0.columns.contains(column) }
    }

    mutating func renameColumn(_ column: String, of table: String, to name: String) {
        update(column, of: table) { $0.name = name }
        guard let constraints = tables[table]?.constraints else { return }
        for (index, constraint) in constraints.enumerated() {
            tables[table]?.constraints[index].columns = constraint.columns.map { $0 == column ? name : $0 }
        }
        for (other, known) in tables {
            for (index, constraint) in known.constraints.enumerated() where constraint.refersTo?.table == table {
                tables[other]?.constraints[index].refersTo?.columns =
                    constraint.refersTo?.columns?.map { $0 == column ? name : $0 }
            }
        }
    }

    mutating func dropConstraint(_ name: String, of table: String) {
        tables[table]?.constraints.removeAll { $0.name == name }
    }

    mutating func renameConstraint(_ name: String, of table: String, to new: String) {
        guard let index = tables[table]?.constraints.firstIndex(where: { $0.name == name }) else { return }
        tables[table]?.constraints[index].name = new
    }

    mutating func dropTable(_ name: String) {
        tables[name] = nil
        indexes = indexes.filter { $0.value != name }
    }

    mutating func renameTable(_ name: String, to new: String) {
        tables[new] = tables.removeValue(forKey: name)
        indexes = indexes.mapValues { $0 == name ? new : $0 }
        for (other, known) in tables {
            for (index, constraint) in known.constraints.enumerated() where constraint.refersTo?.table == name {
                tables[other]?.constraints[index].refersTo?.table = new
            }
        }
    }

    mutating func addIndex(_ name: String, on table: String) { indexes[name] = table }
    mutating func dropIndex(_ name: String) { indexes[name] = nil }
}

extension String {
    /// A type that brings a sequence of its own.
    var isSerial: Bool {
        ["serial", "bigserial", "smallserial", "serial2", "serial4", "serial8"].contains(lowercasedASCII)
    }
}

/// A name as PostgreSQL makes one for what has none: short enough, the last part whole.
func objectName(_ table: String, _ parts: String...) -> String {
    let end = "_" + parts.last!
    var start = ([table] + parts.dropLast()).joined(separator: "_")
    while start.utf8.count + end.utf8.count > 63 { start.unicodeScalars.removeLast() }
    return start + end
}
