/// What a chain of migrations leaves behind, as far as it can be looked up in a catalog: tables, columns with their types,
/// indexes, constraints, values of enums. What a later change takes away or renames, an earlier one does not ask for.
public struct ExpectedShape: Hashable, Sendable {
    /// One thing that the database has, or does not have any more.
    struct Expectation: Hashable, Sendable {
        var isPresent: Bool
        /// Of a column: the type that was asked for, as SQL writes it; nil where any will do.
        var type: String?
        /// The columns that it goes with, where they are known.
        var columns: [String] = []
        /// Which change says so, for people.
        var origin: String
    }

    struct Table: Hashable, Sendable {
        var presence: Expectation
        var columns: [String: Expectation] = [:]
        var indexes: [String: Expectation] = [:]
        var constraints: [String: Expectation] = [:]
    }

    var tables: [String: Table] = [:]
    /// By the type's name as the manifest writes it: its values.
    var enumValues: [String: [String: Expectation]] = [:]
    /// The changes that cannot be looked up, for people: what statements of one's own did, for one.
    public private(set) var unchecked: [String] = []

    public init() {}

    /// The tables to be looked at.
    public var tableNames: [String] { tables.keys.sorted() }
    /// The types whose values are to be looked at.
    public var enumTypes: [String] { enumValues.keys.sorted() }
    /// The types that columns are to have.
    public var types: [String] {
        Set(tables.values.flatMap(\.columns.values).compactMap(\.type)).sorted()
    }

    /// What `migration` changes, on top of what is expected so far.
    public mutating func apply(_ changes: [Change], of migration: String) {
        for (index, change) in changes.enumerated() {
            apply(change, "\(migration): changes[\(index)].\(change.key)")
        }
    }

    private mutating func apply(_ change: Change, _ origin: String) {
        func there(_ type: String? = nil, with columns: [String] = []) -> Expectation {
            Expectation(isPresent: true, type: type, columns: columns, origin: origin)
        }
        switch change {
        case .createTable(let change):
            var table = Table(presence: there())
            for column in change.columns {
                table.columns[column.name] = there(column.isSerial ? nil : column.type)
            }
            for constraint in change.constraints ?? [] {
                guard let name = constraint.name else { continue }
                table.constraints[name] = there(with: constraint.columns)
            }
            tables[change.table] = table
        case .dropTable(let change):
            tables[change.table] = Table(presence: Expectation(isPresent: false, origin: origin))
        case .renameTable(let change):
            var table = tables[change.table] ?? Table(presence: there())
            table.presence = there()
            tables[change.to] = table
            tables[change.table] = Table(presence: Expectation(isPresent: false, origin: origin))
        case .addColumn(let change):
            within(change.table, origin) { table in
                table.columns[change.column.name] = there(change.column.type)
                for name in change.constraintNames?.all ?? [] {
                    table.constraints[name] = there(with: [change.column.name])
                }
            }
        case .dropColumn(let change):
            within(change.table, origin) { $0.drop(change.column, origin) }
        case .renameColumn(let change):
            within(change.table, origin) { $0.rename(change.column, to: change.to, origin) }
        case .replaceColumns(let change):
            within(change.table, origin) { $0.replace(change, origin) }
        case .moveToTable(let change):
            for column in change.columns {
                let type = tables[change.table]?.columns[column.name]?.type
                within(change.table, origin) { $0.drop(column.name, origin) }
                within(change.to, origin) { $0.columns[column.newName] = there(type) }
            }
        case .alterColumn(let change):
            within(change.table, origin) { table in
                if let replacement = change.replacement {
                    table.replace(replacement, origin)
                } else {
                    let type = change.type ?? table.columns[change.column]?.type
                    table.columns[change.column] = there(type)
                }
                for name in change.dropConstraints ?? [] {
                    table.constraints[name] = Expectation(isPresent: false, origin: origin)
                }
                for name in change.constraintNames?.all ?? [] { table.constraints[name] = there(with: [change.column]) }
            }
        case .createIndex(let change):
            let columns = change.columns.compactMap(\.column) + (change.include ?? [])
            within(change.table, origin) { $0.indexes[change.indexName] = there(with: columns) }
        case .dropIndex(let change):
            within(change.table, origin) { $0.indexes[change.name] = Expectation(isPresent: false, origin: origin) }
        case .addConstraint(let change):
            within(change.table, origin) { table in
                if let name = change.constraint.name {
                    table.constraints[name] = there(with: change.constraint.columns)
                }
            }
        case .dropConstraint(let change):
            within(change.table, origin) { $0.constraints[change.name] = Expectation(isPresent: false, origin: origin) }
        case .renameConstraint(let change):
            within(change.table, origin) { table in
                let columns = table.constraints[change.from]?.columns ?? []
                table.constraints[change.from] = Expectation(isPresent: false, origin: origin)
                table.constraints[change.to] = there(with: columns)
            }
        case .addEnumValue(let change):
            enumValues[change.type, default: [:]][change.value] = there()
        case .setReplicaIdentity, .setComment, .sql:
            unchecked.append(origin)
        }
    }

    private mutating func within(_ table: String, _ origin: String, _ body: (inout Table) -> Void) {
        body(&tables[table, default: Table(presence: Expectation(isPresent: true, origin: origin))])
    }
}

extension ExpectedShape.Table {
    /// What stands on a column goes with it; a check's columns are not known, so it is not asked for any more.
    fileprivate mutating func drop(_ column: String, _ origin: String) {
        columns[column] = .init(isPresent: false, origin: origin)
        forget(column)
    }

    /// What stands on the column comes with it.
    fileprivate mutating func rename(_ column: String, to name: String, _ origin: String) {
        let type = columns[column]?.type
        columns[column] = .init(isPresent: false, origin: origin)
        columns[name] = .init(isPresent: true, type: type, origin: origin)
        func renamed(_ expectation: ExpectedShape.Expectation) -> ExpectedShape.Expectation {
            var renamed = expectation
            renamed.columns = expectation.columns.map { $0 == column ? name : $0 }
            return renamed
        }
        indexes = indexes.mapValues(renamed)
        constraints = constraints.mapValues(renamed)
    }

    fileprivate mutating func replace(_ change: ReplaceColumns, _ origin: String) {
        for column in change.from { drop(column, origin) }
        for column in change.to {
            columns[column.name] = .init(isPresent: true, type: column.type, origin: origin)
        }
    }

    private mutating func forget(_ column: String) {
        func stays(_ expectation: ExpectedShape.Expectation) -> Bool {
            !expectation.isPresent || !(expectation.columns.isEmpty || expectation.columns.contains(column))
        }
        indexes = indexes.filter { stays($0.value) }
        constraints = constraints.filter { stays($0.value) }
    }
}
