/// A migration of pgroll, as its own schema describes it: <https://github.com/xataio/pgroll/blob/main/schema.json>.
///
/// Read in YAML or JSON. What is not in here is refused by its name.
struct PgrollFile: Decodable {
    var name: String?
    var version_schema: String?
    var operations: [PgrollOperation]
}

/// One entry of `operations`: exactly one key, the operation.
enum PgrollOperation: Decodable {
    case createTable(CreateTable)
    case dropTable(Named)
    case renameTable(Rename)
    case addColumn(AddColumn)
    case dropColumn(DropColumn)
    case renameColumn(RenameColumn)
    case alterColumn(AlterColumn)
    case createIndex(CreateIndex)
    case dropIndex(Named)
    case createConstraint(CreateConstraint)
    case dropConstraint(DropConstraint)
    case dropConstraintOfColumns(DropConstraintOfColumns)
    case renameConstraint(RenameConstraint)
    case setReplicaIdentity(SetReplicaIdentity)
    case sql(RawSQL)

    private enum Key: String, CodingKey, CaseIterable {
        case create_table, drop_table, rename_table, add_column, drop_column, rename_column, alter_column, create_index,
            drop_index, create_constraint, drop_constraint, drop_multicolumn_constraint, rename_constraint,
            set_replica_identity, sql
    }

    init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: Key.self)
        guard let key = container.allKeys.first, container.allKeys.count == 1 else {
            throw DecodingError.dataCorrupted(
                .init(
                    codingPath: decoder.codingPath,
                    debugDescription: "an operation has exactly one key, one of "
                        + Key.allCases.map(\.rawValue).joined(separator: ", ")))
        }
        func fields<Fields: Decodable>() throws -> Fields { try container.decode(Fields.self, forKey: key) }
        switch key {
        case .create_table: self = .createTable(try fields())
        case .drop_table: self = .dropTable(try fields())
        case .rename_table: self = .renameTable(try fields())
        case .add_column: self = .addColumn(try fields())
        case .drop_column: self = .dropColumn(try fields())
        case .rename_column: self = .renameColumn(try fields())
        case .alter_column: self = .alterColumn(try fields())
        case .create_index: self = .createIndex(try fields())
        case .drop_index: self = .dropIndex(try fields())
        case .create_constraint: self = .createConstraint(try fields())
        case .drop_constraint: self = .dropConstraint(try fields())
        case .drop_multicolumn_constraint: self = .dropConstraintOfColumns(try fields())
        case .rename_constraint: self = .renameConstraint(try fields())
        case .set_replica_identity: self = .setReplicaIdentity(try fields())
        case .sql: self = .sql(try fields())
        }
    }
}
