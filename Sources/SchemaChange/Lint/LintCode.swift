/// Everything that lint looks for. `docs/lint.md` has a line for each.
public enum LintCode: String, Codable, Hashable, Sendable, CaseIterable {
    case unreadableManifest = "UnreadableManifest"

    // The text of SQL.
    case unreadableSQL = "UnreadableSQL"
    case transactionControl = "TransactionControl"
    case outsideTransaction = "OutsideTransaction"
    case copiesFromClient = "CopiesFromClient"
    case dynamicSQL = "DynamicSQL"
    case sessionSetting = "SessionSetting"

    // Locks for as long as something takes.
    case createIndexLocks = "CreateIndexLocks"
    case reindexLocks = "ReindexLocks"
    case alterTypeRewrites = "AlterTypeRewrites"
    case addColumnRewrites = "AddColumnRewrites"
    case tableRewrites = "TableRewrites"
    case constraintScans = "ConstraintScans"
    case constraintBuildsIndex = "ConstraintBuildsIndex"
    case validatesTogether = "ValidatesTogether"
    case setNotNullScans = "SetNotNullScans"
    case attachScans = "AttachScans"
    case detachLocks = "DetachLocks"
    case domainScans = "DomainScans"
    case refreshLocks = "RefreshLocks"
    case writesAllRows = "WritesAllRows"
    case locksTable = "LocksTable"
    case locksSeveralTables = "LocksSeveralTables"
    case dropIndexLocks = "DropIndexLocks"

    // What a version of the application still uses.
    case dropsColumn = "DropsColumn"
    case dropsTable = "DropsTable"
    case dropsObject = "DropsObject"
    case dropsCascade = "DropsCascade"
    case dropsNotNull = "DropsNotNull"
    case dropsDefault = "DropsDefault"
    case dropsOwned = "DropsOwned"
    case revokes = "Revokes"
    case changesOwner = "ChangesOwner"
    case changesRowSecurity = "ChangesRowSecurity"
    case changesInheritance = "ChangesInheritance"
    case truncates = "Truncates"
    case renames = "Renames"
    case addColumnNotNull = "AddColumnNotNull"
    case disablesTriggers = "DisablesTriggers"
    case selectStar = "SelectStar"
    case insertByPosition = "InsertByPosition"

    // The way back, and the queue.
    case missingRollback = "MissingRollback"
    case missingContractRollback = "MissingContractRollback"
    case unnamedTable = "UnnamedTable"
    case ifNotExists = "IfNotExists"
    case enumValue = "EnumValue"

    // Names and types.
    case nameTooLong = "NameTooLong"
    case charType = "CharType"
    case jsonType = "JSONType"
    case timestampWithoutZone = "TimestampWithoutZone"
    case varcharLimit = "VarcharLimit"
    case smallKey = "SmallKey"
    case serialType = "SerialType"

    // Two sides of the same data.
    case sameNameUnseen = "SameNameUnseen"
    case backwardLoses = "BackwardLoses"
    case forwardLoses = "ForwardLoses"
    case keepsNothing = "KeepsNothing"
    case contractUnguarded = "ContractUnguarded"

    // What only the database knows.
    case attributeNumbers = "AttributeNumbers"
    case explicitNull = "ExplicitNull"
    case roundTripLoses = "RoundTripLoses"
    case rowFails = "RowFails"
    case logicalReplication = "LogicalReplication"
    case pooler = "Pooler"
    case positionalConsumers = "PositionalConsumers"
    case rowSecurity = "RowSecurity"
    case columnGrants = "ColumnGrants"
    case uncheckedRows = "UncheckedRows"

    /// Unless it depends on where it stands.
    public var severity: Finding.Severity {
        switch self {
        case .unreadableManifest, .unreadableSQL, .transactionControl, .outsideTransaction, .copiesFromClient,
            .createIndexLocks,
            .reindexLocks, .alterTypeRewrites, .addColumnRewrites, .tableRewrites, .constraintScans,
            .constraintBuildsIndex, .validatesTogether, .setNotNullScans, .domainScans, .dropsColumn, .dropsTable,
            .dropsOwned,
            .truncates, .renames, .addColumnNotNull, .disablesTriggers, .nameTooLong, .attributeNumbers:
            .error
        case .dynamicSQL, .sessionSetting, .attachScans, .refreshLocks, .writesAllRows, .locksTable,
            .locksSeveralTables, .dropIndexLocks, .dropsObject, .dropsCascade, .dropsNotNull, .selectStar,
            .dropsDefault, .revokes, .changesOwner, .changesRowSecurity, .changesInheritance, .detachLocks,
            .columnGrants, .uncheckedRows,
            .insertByPosition, .missingRollback, .missingContractRollback, .unnamedTable, .charType, .jsonType,
            .smallKey, .sameNameUnseen, .backwardLoses, .forwardLoses, .keepsNothing, .contractUnguarded,
            .explicitNull, .roundTripLoses, .rowFails, .logicalReplication, .pooler, .positionalConsumers, .rowSecurity:
            .warning
        case .ifNotExists, .enumValue, .timestampWithoutZone, .varcharLimit, .serialType:
            .info
        }
    }

    /// Whether it is about how long a lock is held, which a table of ``smallTable`` bytes makes bearable.
    public var isForgivenWhenSmall: Bool {
        switch self {
        case .createIndexLocks, .reindexLocks, .alterTypeRewrites, .addColumnRewrites, .tableRewrites,
            .constraintScans, .constraintBuildsIndex, .validatesTogether, .setNotNullScans:
            true
        default: false
        }
    }

    /// In bytes, with indexes and TOAST: 1 MiB is read or rewritten in a few milliseconds.
    public static let smallTable: Int64 = 1 << 20

    /// The safe way, where it is the same everywhere.
    public var remedy: String? {
        switch self {
        case .unreadableManifest: "see `kubectl explain migration.spec`, or the README"
        case .unreadableSQL: "write one statement of SQL as psql would send it"
        case .transactionControl: "leave it out: the statements of a phase run in one transaction"
        case .outsideTransaction:
            "it cannot run here: the statements of a phase run in one transaction. Run it by hand, and for an index use "
                + "createIndex or dropIndex"
        case .copiesFromClient: "write INSERT, or load the rows by hand before"
        case .dynamicSQL: "write the statements themselves, so that they can be looked at"
        case .sessionSetting: "leave it out: each transaction waits 200 ms for a lock and is tried again"
        case .createIndexLocks: "use createIndex, which builds it concurrently"
        case .reindexLocks: "run REINDEX CONCURRENTLY by hand, or build another one with createIndex"
        case .alterTypeRewrites:
            "use alterColumn with type: the column is filled beside the old one and takes its place"
        case .addColumnRewrites:
            "use addColumn with forward (or default, if it is not volatile); for an identity add the column, fill it, and give it "
                + "its default at Contract"
        case .tableRewrites: "copy the table online (pg_repack), or do it in a maintenance window"
        case .constraintScans:
            "use addConstraint; or add it NOT VALID here, and VALIDATE it in another Migration or phase"
        case .constraintBuildsIndex:
            "use addConstraint, or createIndex with unique, and then ADD CONSTRAINT … USING INDEX"
        case .validatesTogether:
            "validate it in another phase (contract) or Migration, so that ACCESS EXCLUSIVE is let go in between; or use addConstraint"
        case .setNotNullScans:
            "use alterColumn with nullable: false, which proves it by a CHECK that is validated while others write"
        case .attachScans: "give the table a validated CHECK that implies the partition's bounds first"
        case .detachLocks: "run DETACH PARTITION … CONCURRENTLY by hand"
        case .domainScans: "add it NOT VALID, and validate it in another Migration"
        case .refreshLocks: "REFRESH MATERIALIZED VIEW CONCURRENTLY, which needs a unique index"
        case .writesAllRows:
            "use addColumn or replaceColumns with forward, which fill in chunks; or name the rows with WHERE"
        case .locksTable: "leave it out: each statement takes the lock that it needs"
        case .locksSeveralTables: "make it one Migration a table, in order by dependsOn"
        case .dropIndexLocks: "use dropIndex, which drops it concurrently and can build it again"
        case .dropsColumn: "use dropColumn, which archives it at Contract and can bring it back"
        case .dropsTable: "use dropTable, which archives it at Contract and can bring it back"
        case .dropsObject: "drop it at contract, when the old version is gone"
        case .dropsCascade: "drop each dependent by name, so that nothing goes that nobody thought of"
        case .dropsNotNull: "use alterColumn with nullable: true, and see that every version reads NULL"
        case .dropsDefault: "use alterColumn with dropDefault, which can be undone, once every version names the column"
        case .dropsOwned: "drop each object by name"
        case .revokes: "revoke it at contract, when the old version is gone"
        case .changesOwner: "change it by hand, and see that Sluice's role may act as the new owner"
        case .changesRowSecurity: "see that every version, and Sluice's role, reads and writes the rows that it needs"
        case .changesInheritance: "change it by hand: a table that inherits is refused by the other kinds of change"
        case .truncates: "delete rows in chunks outside of the Migration, or drop the table with dropTable"
        case .renames: "use renameColumn or renameTable: both names work until Contract"
        case .addColumnNotNull: "use addColumn with default, or with forward and nullable: false"
        case .disablesTriggers: "leave it out: the triggers that keep both sides right must fire"
        case .selectStar: "name the columns: another one would be seen, or break it"
        case .insertByPosition: "name the columns, so that another one does not shift the values"
        case .missingRollback:
            "give rollback, the statements that undo expand; an empty list says that nothing has to be undone"
        case .missingContractRollback: "give contractRollback, or an empty list if nothing has to be undone"
        case .unnamedTable: "name it in tables, so that Migrations of one table queue"
        case .ifNotExists:
            "leave IF NOT EXISTS out: a step is done once, and something else of that name should be an error"
        case .enumValue: "use addEnumValue, which finds the value if it is there"
        case .nameTooLong: "choose a shorter name"
        case .charType: "use text, or varchar with a limit: char pads with spaces"
        case .jsonType: "use jsonb: json has no equality, so DISTINCT and GROUP BY fail"
        case .timestampWithoutZone: "use timestamptz, which means a moment and not what a clock shows somewhere"
        case .varcharLimit: "text with a CHECK is changed more easily than a limit in the type"
        case .smallKey: "use bigint: 2 147 483 647 rows are reached sooner than thought"
        case .serialType: "use GENERATED BY DEFAULT AS IDENTITY, whose sequence goes with the column's rights"
        case .sameNameUnseen:
            "set views: true; or give the new column a name of its own (to), or write version 2 so that it works with either until Contract"
        case .backwardLoses: "name it in backward, or accept that the old version does not see what is written there"
        case .forwardLoses: "name it in forward, or in another change"
        case .keepsNothing: "leave out contract.keepFor (7 days), or give it the time in which you would notice"
        case .contractUnguarded: "name the workloads in rollouts, or say contract: {withoutRollouts: true}"
        case .attributeNumbers: "copy the table (pg_dump and restore, or a new table) to have numbers again"
        case .explicitNull:
            "set views: true, make a new column nullable: false, or let version 2 write a value instead of NULL"
        case .roundTripLoses:
            "mend backward or forward, or accept that these values change once version 2 writes such a row"
        case .rowFails: "mend the rows, or let the expression take them"
        case .logicalReplication:
            "add the new columns on the subscriber first, let consumers of changes ignore sluice_side_…, or leave them out of the publication"
        case .pooler: "give Sluice a URL that leads to PostgreSQL itself, or to a pool in session mode"
        case .positionalConsumers: "name the columns in it before Expand"
        case .columnGrants: "GRANT SELECT on the whole table to the roles that read through the views"
        case .uncheckedRows: "mend the rows that break it, and VALIDATE CONSTRAINT, before Backfill; or drop it"
        case .rowSecurity: "check that the policies hold for the new columns as well; Sluice's role must see every row"
        }
    }
}
