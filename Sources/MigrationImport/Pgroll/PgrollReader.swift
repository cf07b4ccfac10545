import SchemaChange

/// Reads operations of pgroll into a ``MigrationDraft``.
struct PgrollReader {
    var draft: MigrationDraft
    let schema: String

    init(_ draft: MigrationDraft, schema: String) {
        self.draft = draft
        self.schema = schema
    }

    mutating func read(_ operation: PgrollOperation) throws(Refusal) {
        switch operation {
        case .createTable(let fields): try createTable(fields)
        case .dropTable(let fields): try draft.dropTable(fields.name)
        case .renameTable(let fields): try draft.renameTable(fields.from, to: fields.to)
        case .addColumn(let fields): try addColumn(fields)
        case .dropColumn(let fields): try draft.dropColumn(fields.column, of: fields.table, down: fields.down?.nonEmpty)
        case .renameColumn(let fields): try draft.renameColumn(fields.from, of: fields.table, to: fields.to)
        case .alterColumn(let fields): try alterColumn(fields)
        case .createIndex(let fields): try createIndex(fields)
        case .dropIndex(let fields): try draft.dropIndex(fields.name)
        case .createConstraint(let fields): try createConstraint(fields)
        case .dropConstraint(let fields): try dropConstraint(fields)
        case .dropConstraintOfColumns(let fields): try dropConstraint(fields)
        case .renameConstraint(let fields):
            try draft.renameConstraint(fields.from, of: fields.table, to: fields.to)
        case .setReplicaIdentity(let fields): try setReplicaIdentity(fields)
        case .sql(let fields): try runSQL(fields)
        }
    }

    // MARK: Tables

    private mutating func createTable(_ fields: PgrollOperation.CreateTable) throws(Refusal) {
        var table = CreateTable(table: fields.name, columns: [], comment: fields.comment?.nonEmpty)
        var constraints: [NewConstraint] = []
        var key: [String] = []
        for column in fields.columns {
            let (new, named) = try self.column(column)
            table.columns.append(new)
            constraints += named
            if column.pk == true { key.append(column.name) }
        }
        for constraint in fields.constraints ?? [] {
            let new = try self.constraint(constraint)
            if let primary = new.primaryKey {
                guard key.isEmpty else { throw Refusal("there are two primary keys") }
                if constraint.name != "\(fields.name)_pkey" {
                    draft.note(
                        "the primary key of \(fields.name) is called \(fields.name)_pkey, not \(constraint.name).")
                }
                key = primary.columns
            } else {
                constraints.append(new)
            }
        }
        if !key.isEmpty { table.primaryKey = key }
        if !constraints.isEmpty { table.constraints = constraints }
        try draft.createTable(table)
    }

    /// A column, and those of its constraints that have names. pgroll's columns are NOT NULL unless they say otherwise.
    private func column(
        _ fields: PgrollOperation.Column
    ) throws(Refusal) -> (TableColumn, [NewConstraint]) {
        var column = TableColumn(
            name: fields.name, type: fields.type, default: fields.default, generated: try generated(fields.generated),
            comment: fields.comment?.nonEmpty)
        if fields.nullable != true, fields.pk != true { column.nullable = false }
        if fields.unique == true { column.unique = true }
        var constraints: [NewConstraint] = []
        if let check = fields.check { constraints.append(try self.check(check)) }
        if let reference = fields.references { constraints.append(try self.reference(reference, of: fields.name)) }
        return (column, constraints)
    }

    private func generated(_ fields: PgrollOperation.Generated?) throws(Refusal) -> TableColumn.Generated? {
        guard let fields else { return nil }
        if let expression = fields.expression?.nonEmpty { return .init(expression: expression) }
        guard let identity = fields.identity else { return nil }
        if identity.sequence_options?.nonEmpty != nil {
            throw Refusal("sequence_options of a generated column are not taken over; \(DDLReader.hint)")
        }
        return .init(identity: identity.user_specified_values?.uppercased() == "BY DEFAULT" ? .byDefault : .always)
    }

    private mutating func addColumn(_ fields: PgrollOperation.AddColumn) throws(Refusal) {
        if fields.column.pk == true {
            throw Refusal(
                "a column of the primary key cannot be added to a table that is there; add the column, and in a file of its own "
                    + "the primary key, by create_constraint")
        }
        let (column, constraints) = try column(fields.column)
        try draft.addColumn(column, to: fields.table, up: fields.up?.nonEmpty, constraints: constraints)
    }

    private mutating func alterColumn(_ fields: PgrollOperation.AlterColumn) throws(Refusal) {
        var alteration = MigrationDraft.Alteration(
            table: fields.table, column: fields.column, type: fields.type, nullable: fields.nullable,
            unique: fields.unique?.name, up: fields.up, down: fields.down)
        switch fields.default {
        case .keep: break
        case .take: alteration.default = .drop
        case .set(let text): alteration.default = .set(text)
        }
        switch fields.comment {
        case .keep: break
        case .take: alteration.comment = ""
        case .set(let text): alteration.comment = text
        }
        if let check = fields.check {
            _ = try self.check(check)
            alteration.check = NewCheck(name: check.name, constraint: check.constraint)
        }
        if let reference = fields.references {
            alteration.references = try self.reference(reference, of: fields.column)
        }
        if let name = fields.name {
            guard alteration.isEmpty else {
                throw Refusal("it gives the column a new name and changes it as well; \(MigrationDraft.split)")
            }
            return try draft.renameColumn(fields.column, of: fields.table, to: name)
        }
        guard !alteration.isEmpty else { throw Refusal("it changes nothing") }
        try draft.alter(alteration)
    }

    private mutating func setReplicaIdentity(_ fields: PgrollOperation.SetReplicaIdentity) throws(Refusal) {
        var change = SetReplicaIdentity(table: fields.table)
        switch fields.identity.type.lowercased() {
        case "default": change.identity = .primaryKey
        case "full": change.identity = .full
        case "nothing": change.identity = .nothing
        case "index":
            guard let index = fields.identity.index?.nonEmpty else { throw Refusal("identity has no index") }
            change.index = index
        case let other: throw Refusal("the identity type \"\(other)\" is not known")
        }
        try draft.setReplicaIdentity(change)
    }
}

extension MigrationDraft.Alteration {
    /// Whether nothing is to become of the column but what `up` and `down` say.
    fileprivate var isEmpty: Bool {
        type == nil && nullable == nil && self.default == .keep && check == nil && unique == nil && references == nil
            && comment == nil
    }
}

extension String {
    /// Nil where there is nothing but space.
    var nonEmpty: String? { allSatisfy(\.isWhitespace) ? nil : self }
}
