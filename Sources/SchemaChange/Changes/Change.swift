/// One entry of a migration's `changes`: exactly one key, the kind of change.
public enum Change: Hashable, Sendable {
    case addColumn(AddColumn)
    case alterColumn(AlterColumn)
    case replaceColumns(ReplaceColumns)
    case moveToTable(MoveToTable)
    case renameColumn(RenameColumn)
    case dropColumn(DropColumn)
    case createTable(CreateTable)
    case createIndex(CreateIndex)
    case dropIndex(DropIndex)
    case addConstraint(AddConstraint)
    case dropConstraint(DropConstraint)
    case renameConstraint(RenameConstraint)
    case dropTable(DropTable)
    case renameTable(RenameTable)
    case setReplicaIdentity(SetReplicaIdentity)
    case addEnumValue(AddEnumValue)
    case setComment(SetComment)
    case sql(SQLChange)

    /// What every kind knows how to do. Each kind's file holds its fields, its steps and their undoing, side by side.
    var kind: any ChangeKind {
        switch self {
        case .addColumn(let change): change
        case .alterColumn(let change): change
        case .replaceColumns(let change): change
        case .moveToTable(let change): change
        case .renameColumn(let change): change
        case .dropColumn(let change): change
        case .createTable(let change): change
        case .createIndex(let change): change
        case .dropIndex(let change): change
        case .addConstraint(let change): change
        case .dropConstraint(let change): change
        case .renameConstraint(let change): change
        case .dropTable(let change): change
        case .renameTable(let change): change
        case .setReplicaIdentity(let change): change
        case .addEnumValue(let change): change
        case .setComment(let change): change
        case .sql(let change): change
        }
    }

    /// The kind, as the manifest spells it.
    public var key: String {
        codingKey.rawValue
    }

    /// The tables that it touches, as the manifest names them.
    public var tables: [String] {
        kind.tables
    }
}

extension Change: Codable {
    private enum Key: String, CodingKey, CaseIterable {
        case addColumn, alterColumn, replaceColumns, moveToTable, renameColumn, dropColumn, createTable, createIndex,
            dropIndex,
            addConstraint,
            dropConstraint, renameConstraint, dropTable, renameTable, setReplicaIdentity, addEnumValue, setComment, sql
    }

    private var codingKey: Key {
        switch self {
        case .addColumn: .addColumn
        case .alterColumn: .alterColumn
        case .replaceColumns: .replaceColumns
        case .moveToTable: .moveToTable
        case .renameColumn: .renameColumn
        case .dropColumn: .dropColumn
        case .createTable: .createTable
        case .createIndex: .createIndex
        case .dropIndex: .dropIndex
        case .addConstraint: .addConstraint
        case .dropConstraint: .dropConstraint
        case .renameConstraint: .renameConstraint
        case .dropTable: .dropTable
        case .renameTable: .renameTable
        case .setReplicaIdentity: .setReplicaIdentity
        case .addEnumValue: .addEnumValue
        case .setComment: .setComment
        case .sql: .sql
        }
    }

    public init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: Key.self)
        guard let key = container.allKeys.first, container.allKeys.count == 1 else {
            let kinds = Key.allCases.map(\.rawValue).joined(separator: ", ")
            throw DecodingError.dataCorrupted(
                .init(
                    codingPath: decoder.codingPath,
                    debugDescription: "a change has exactly one key, one of \(kinds); "
                        + "write two changes as two entries of the list"
                )
            )
        }
        func fields<Kind: ChangeKind>() throws -> Kind { try container.decode(Kind.self, forKey: key) }
        switch key {
        case .addColumn: self = .addColumn(try fields())
        case .alterColumn: self = .alterColumn(try fields())
        case .replaceColumns: self = .replaceColumns(try fields())
        case .moveToTable: self = .moveToTable(try fields())
        case .renameColumn: self = .renameColumn(try fields())
        case .dropColumn: self = .dropColumn(try fields())
        case .createTable: self = .createTable(try fields())
        case .createIndex: self = .createIndex(try fields())
        case .dropIndex: self = .dropIndex(try fields())
        case .addConstraint: self = .addConstraint(try fields())
        case .dropConstraint: self = .dropConstraint(try fields())
        case .renameConstraint: self = .renameConstraint(try fields())
        case .dropTable: self = .dropTable(try fields())
        case .renameTable: self = .renameTable(try fields())
        case .setReplicaIdentity: self = .setReplicaIdentity(try fields())
        case .addEnumValue: self = .addEnumValue(try fields())
        case .setComment: self = .setComment(try fields())
        case .sql: self = .sql(try fields())
        }
    }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: Key.self)
        func encode(_ kind: some ChangeKind) throws { try container.encode(kind, forKey: codingKey) }
        try encode(kind)
    }
}

extension Change {
    /// Whether rows are walked for it.
    var walks: Bool {
        switch self {
        case .moveToTable, .renameColumn: true
        default: !kind.newColumns.isEmpty
        }
    }
}
