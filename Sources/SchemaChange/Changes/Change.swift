/// One entry of a migration's `changes`: exactly one key, the kind of change.
public enum Change: Hashable, Sendable {
    case addColumn(AddColumn)
    case alterColumn(AlterColumn)
    case replaceColumns(ReplaceColumns)
    case renameColumn(RenameColumn)
    case dropColumn(DropColumn)
    case sql(SQLChange)

    /// What every kind knows how to do. Each kind's file holds its fields, its steps and their undoing, side by side.
    var kind: any ChangeKind {
        switch self {
        case .addColumn(let change): change
        case .alterColumn(let change): change
        case .replaceColumns(let change): change
        case .renameColumn(let change): change
        case .dropColumn(let change): change
        case .sql(let change): change
        }
    }

    /// The kind, as the manifest spells it.
    public var key: String {
        switch self {
        case .addColumn: "addColumn"
        case .alterColumn: "alterColumn"
        case .replaceColumns: "replaceColumns"
        case .renameColumn: "renameColumn"
        case .dropColumn: "dropColumn"
        case .sql: "sql"
        }
    }

    /// The tables that it touches, as the manifest names them.
    public var tables: [String] {
        kind.tables
    }
}

extension Change: Codable {
    private enum Key: String, CodingKey, CaseIterable {
        case addColumn, alterColumn, replaceColumns, renameColumn, dropColumn, sql
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
        switch key {
        case .addColumn: self = .addColumn(try container.decode(AddColumn.self, forKey: key))
        case .alterColumn: self = .alterColumn(try container.decode(AlterColumn.self, forKey: key))
        case .replaceColumns: self = .replaceColumns(try container.decode(ReplaceColumns.self, forKey: key))
        case .renameColumn: self = .renameColumn(try container.decode(RenameColumn.self, forKey: key))
        case .dropColumn: self = .dropColumn(try container.decode(DropColumn.self, forKey: key))
        case .sql: self = .sql(try container.decode(SQLChange.self, forKey: key))
        }
    }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: Key.self)
        switch self {
        case .addColumn(let change): try container.encode(change, forKey: .addColumn)
        case .alterColumn(let change): try container.encode(change, forKey: .alterColumn)
        case .replaceColumns(let change): try container.encode(change, forKey: .replaceColumns)
        case .renameColumn(let change): try container.encode(change, forKey: .renameColumn)
        case .dropColumn(let change): try container.encode(change, forKey: .dropColumn)
        case .sql(let change): try container.encode(change, forKey: .sql)
        }
    }
}
