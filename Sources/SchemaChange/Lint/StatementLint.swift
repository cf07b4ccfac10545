/// What one statement of SQL does that lint has a word for, and which tables it locks.
///
/// Locks and rewrites: <https://www.postgresql.org/docs/15/sql-altertable.html#SQL-ALTERTABLE-NOTES>.
struct StatementLint {
    struct Remark: Hashable {
        var code: LintCode
        var message: String
        var table: String?
    }

    private(set) var remarks: [Remark] = []
    /// Tables on which it takes a lock that stops writers, or readers.
    private(set) var locks: [String] = []
    /// Tables that it makes.
    private(set) var makes: [String] = []
    /// Constraints that it adds NOT VALID, and such as it validates, as `table.name`.
    private(set) var unvalidated: [String] = []
    private(set) var validates: [String] = []
    /// What it names for good.
    private(set) var newNames: [String] = []

    init(_ tokens: [SQLToken]) {
        var reader = SQLReader(tokens)
        read(&reader)
    }

    private mutating func remark(_ code: LintCode, _ message: String, table: String? = nil) {
        remarks.append(Remark(code: code, message: message, table: table))
    }

    private mutating func read(_ reader: inout SQLReader) {
        let all = reader
        switch reader.next?.text ?? "" {
        case _ where reader.next?.kind != .word: break
        case "begin", "commit", "rollback", "savepoint", "release", "end", "abort", "start":
            remark(
                .transactionControl, "\(reader.next!.text.uppercased()) would end or nest the transaction of the step")
        case "prepare" where all.isAt("prepare transaction"):
            remark(.transactionControl, "PREPARE TRANSACTION would take the step's transaction away")
        case "vacuum", "checkpoint":
            remark(.outsideTransaction, "\(reader.next!.text.uppercased()) cannot run in a transaction")
        case "alter": alter(&reader)
        case "create": create(&reader)
        case "drop": drop(&reader)
        case "reindex": reindex(all)
        case "cluster": cluster(&reader)
        case "truncate": truncate(&reader)
        case "lock": lock(&reader)
        case "refresh":
            if !all.contains("concurrently") {
                remark(.refreshLocks, "REFRESH MATERIALIZED VIEW stops its readers until it is computed")
            }
        case "copy" where all.contains("from stdin"):
            remark(.copiesFromClient, "COPY FROM STDIN waits for rows that nobody sends")
        case "do", "call", "execute":
            remark(.dynamicSQL, "what \(reader.next!.text.uppercased()) does cannot be seen here")
        case "set": setting(&reader)
        case "update", "delete", "insert", "with", "merge": write(&reader)
        default: break
        }
    }

    // MARK: ALTER

    private mutating func alter(_ reader: inout SQLReader) {
        if reader.accept("alter table") || reader.accept("alter foreign table") {
            alterTable(&reader)
        } else if reader.accept("alter index") || reader.accept("alter materialized view")
            || reader.accept("alter view")
        {
            _ = reader.accept("if exists")
            let name = reader.name()
            if reader.accept("rename to"), let new = reader.name() { newNames.append(new) }
            if reader.accept("set tablespace") {
                remark(.tableRewrites, "SET TABLESPACE copies \(name ?? "it") while nobody may use it")
            }
        } else if reader.accept("alter type") {
            let type = reader.name() ?? "it"
            if reader.accept("add value") {
                remark(
                    .enumValue,
                    "a value that is added to \(type) cannot be taken away, nor be used in the same transaction")
            } else if reader.contains("alter attribute") || reader.contains("drop attribute") {
                remark(.dropsObject, "an attribute of \(type) that is changed is changed for every version at once")
            }
        } else if reader.accept("alter domain") {
            let domain = reader.name() ?? "it"
            if reader.isAt("add"), !reader.contains("not valid") {
                remark(
                    .domainScans,
                    "a constraint of \(domain) is checked in every table that uses it, which are locked meanwhile")
            }
            if reader.isAt("set not null") {
                remark(.domainScans, "SET NOT NULL of \(domain) is checked in every table that uses it")
            }
        } else if reader.isAt("alter system") {
            remark(.outsideTransaction, "ALTER SYSTEM cannot run in a transaction")
        }
    }

    private mutating func alterTable(_ reader: inout SQLReader) {
        _ = reader.accept("if exists")
        _ = reader.accept("only")
        guard let table = reader.name() else { return }
        _ = reader.accept(sign: "*")
        locks.append(table)
        for var clause in reader.clauses { alterTable(table, &clause) }
    }

    private mutating func alterTable(_ table: String, _ clause: inout SQLReader) {
        if clause.accept("add") {
            add(to: table, &clause)
        } else if clause.accept("alter") {
            _ = clause.accept("column")
            alterColumn(of: table, &clause)
        } else if clause.accept("drop") {
            dropPart(of: table, &clause)
        } else if clause.accept("rename") {
            rename(in: table, &clause)
        } else if clause.accept("validate constraint") {
            if let name = clause.name() { validates.append("\(table).\(name)") }
        } else if clause.isAt("set tablespace") || clause.isAt("set logged") || clause.isAt("set unlogged")
            || clause.isAt("set access method")
        {
            let what = clause.rest.prefix(clause.isAt("set access") ? 3 : 2).map { $0.text.uppercased() }
            remark(
                .tableRewrites, "\(what.joined(separator: " ")) rewrites \(table) while nobody may use it", table: table
            )
        } else if clause.isAt("set schema") {
            remark(.renames, "\(table) is not found any more where the old version looks for it", table: table)
        } else if clause.accept("disable trigger") || clause.isAt("disable rule") {
            remark(
                .disablesTriggers, "a trigger of \(table) that does not fire lets the sides of its rows differ",
                table: table)
        } else if clause.accept("attach partition") {
            let partition = clause.name() ?? "the partition"
            remark(
                .attachScans, "ATTACH PARTITION looks at every row of \(partition) while nobody may use it",
                table: partition)
        } else if clause.contains("detach partition"), clause.contains("concurrently") {
            remark(.outsideTransaction, "DETACH PARTITION CONCURRENTLY cannot run in a transaction")
        }
    }

    private mutating func add(to table: String, _ clause: inout SQLReader) {
        var name: String?
        if clause.accept("constraint") {
            name = clause.name()
            name.map { newNames.append($0) }
        }
        let what = name ?? "a constraint"
        if clause.isAt("check") || clause.isAt("foreign key") {
            if let other = clause.referenced { locks.append(other) }
            if clause.containsOutside("not valid") {
                if let name { unvalidated.append("\(table).\(name)") }
            } else {
                remark(
                    .constraintScans,
                    "\(what) of \(table) is checked against every row while nobody may write", table: table)
            }
        } else if clause.isAt("unique") || clause.isAt("primary key") || clause.isAt("exclude") {
            if !clause.containsOutside("using index") {
                remark(
                    .constraintBuildsIndex, "\(what) builds an index of \(table) while nobody may use the table",
                    table: table)
            }
        } else if name == nil {
            _ = clause.accept("column")
            let isIfNotExists = clause.accept("if not exists")
            if isIfNotExists { remark(.ifNotExists, "a column of \(table) that is there already may be another one") }
            addColumn(to: table, &clause)
        }
    }

    private mutating func addColumn(to table: String, _ clause: inout SQLReader) {
        guard let column = clause.name() else { return }
        newNames.append(column)
        let definition = ColumnText(name: column, clause)
        remarks += definition.typeRemarks(isKey: definition.isPrimaryKey).map {
            Remark(code: $0.code, message: $0.message, table: nil)
        }
        if let reason = definition.rewriteReason {
            remark(
                .addColumnRewrites,
                "\(column) gets \(reason), for which \(table) is rewritten while nobody may use it",
                table: table)
        } else if definition.isNotNull, !definition.hasDefault {
            remark(
                .addColumnNotNull,
                "rows that are there, and those that the old version inserts, have no value for \(column)", table: table
            )
        }
        if definition.isUnique || definition.isPrimaryKey {
            remark(
                .constraintBuildsIndex, "\(column) builds an index of \(table) while nobody may use the table",
                table: table)
        }
        if definition.hasCheck {
            remark(
                .constraintScans,
                "the CHECK of \(column) is held against every row of \(table) while nobody may use it",
                table: table)
        }
        if let other = clause.referenced { locks.append(other) }
    }

    private mutating func alterColumn(of table: String, _ clause: inout SQLReader) {
        guard let column = clause.name() else { return }
        if clause.isAt("type") || clause.isAt("set data type") {
            remark(
                .alterTypeRewrites,
                "the type of \(column) is changed for both versions at once, and \(table) is rewritten while nobody may use it",
                table: table)
        } else if clause.isAt("set not null") {
            remark(
                .setNotNullScans, "every row of \(table) is looked at for NULL in \(column) while nobody may use it",
                table: table)
        } else if clause.isAt("drop not null") {
            remark(.dropsNotNull, "the old version may not know that \(column) of \(table) can be NULL", table: table)
        }
    }

    private mutating func dropPart(of table: String, _ clause: inout SQLReader) {
        if clause.accept("constraint") {
            if clause.contains("cascade") {
                remark(.dropsCascade, "CASCADE drops foreign keys of other tables with it", table: table)
            }
            return
        }
        _ = clause.accept("column")
        _ = clause.accept("if exists")
        let column = clause.name() ?? "a column"
        remark(
            .dropsColumn, "\(column) of \(table) goes with what is in it, and the old version may use it", table: table)
        if clause.isAt("cascade") {
            remark(.dropsCascade, "CASCADE drops views and foreign keys that use \(column)", table: table)
        }
    }

    private mutating func rename(in table: String, _ clause: inout SQLReader) {
        if clause.accept("constraint") { return }
        if clause.accept("to") {
            if let new = clause.name() { newNames.append(new) }
            remark(.renames, "the old version does not find \(table) under its new name", table: table)
            return
        }
        _ = clause.accept("column")
        let column = clause.name() ?? "a column"
        if clause.accept("to"), let new = clause.name() { newNames.append(new) }
        remark(.renames, "the old version does not find \(column) of \(table) under its new name", table: table)
    }

    // MARK: CREATE and DROP

    private mutating func create(_ reader: inout SQLReader) {
        _ = reader.accept("create")
        _ = reader.accept("or replace")
        for kind in ["temporary", "temp", "unlogged", "global", "local", "recursive", "constraint"] {
            _ = reader.accept(kind)
        }
        if reader.accept("table") {
            createTable(&reader)
        } else if reader.accept("unique index") || reader.accept("index") {
            createIndex(&reader)
        } else if reader.isAt("database") || reader.isAt("tablespace") {
            remark(.outsideTransaction, "CREATE \(reader.next!.text.uppercased()) cannot run in a transaction")
        } else if reader.accept("view") || reader.accept("materialized view") {
            if let name = reader.name() {
                newNames.append(name)
                makes.append(name)
            }
            if reader.selectsStar {
                remark(.selectStar, "SELECT * of a view is fixed to the columns of today")
            }
        } else if reader.accept("trigger") {
            while !reader.isAtEnd, !reader.accept("on") { reader.skip() }
            if let table = reader.name() { locks.append(table) }
        }
    }

    private mutating func createTable(_ reader: inout SQLReader) {
        if reader.accept("if not exists") {
            remark(.ifNotExists, "a table that is there already may be another one")
        }
        guard let table = reader.name() else { return }
        makes.append(table)
        newNames.append(table)
        if reader.selectsStar { remark(.selectStar, "its columns depend on those of another table as they are today") }
        guard let columns = reader.parenthesized() else { return }
        let clauses = columns.clauses
        let keys = clauses.compactMap { clause -> SQLReader? in
            var clause = clause
            if clause.accept("constraint") { _ = clause.name() }
            return clause.accept("primary key") ? clause.parenthesized() : nil
        }.flatMap { $0.tokens.compactMap(\.identifier) }
        for var clause in clauses {
            if let other = clause.referenced { locks.append(other) }
            if ["constraint", "primary", "unique", "check", "foreign", "exclude", "like"].contains(
                clause.next?.text ?? ""),
                clause.next?.kind == .word
            {
                continue
            }
            guard let column = clause.name() else { continue }
            newNames.append(column)
            let definition = ColumnText(name: column, clause)
            let isKey = definition.isPrimaryKey || keys.contains(column)
            for found in definition.typeRemarks(isKey: isKey) { remark(found.code, found.message) }
        }
    }

    private mutating func createIndex(_ reader: inout SQLReader) {
        if reader.accept("concurrently") {
            return remark(.outsideTransaction, "CREATE INDEX CONCURRENTLY cannot run in a transaction")
        }
        if reader.accept("if not exists") {
            remark(.ifNotExists, "an index that is there already may be another one, or invalid")
        }
        if !reader.isAt("on"), let name = reader.name() { newNames.append(name) }
        _ = reader.accept("on")
        _ = reader.accept("only")
        guard let table = reader.name() else { return }
        locks.append(table)
        remark(.createIndexLocks, "nobody may write \(table) until the index is built", table: table)
    }

    private mutating func drop(_ reader: inout SQLReader) {
        _ = reader.accept("drop")
        let isCascading = reader.contains("cascade")
        let kind = reader.next?.text.uppercased() ?? ""
        if reader.accept("table") || reader.accept("foreign table") {
            _ = reader.accept("if exists")
            for table in reader.names() {
                locks.append(table)
                remark(
                    .dropsTable, "\(table) goes with what is in it, and the old version may use it", table: table)
            }
        } else if reader.accept("index") {
            if reader.isAt("concurrently") {
                remark(.outsideTransaction, "DROP INDEX CONCURRENTLY cannot run in a transaction")
            } else {
                _ = reader.accept("if exists")
                remark(
                    .dropIndexLocks,
                    "DROP INDEX \(reader.name() ?? "") waits for everybody who uses its table, and others wait behind it"
                )
            }
        } else if reader.isAt("database") || reader.isAt("tablespace") {
            remark(.outsideTransaction, "DROP \(kind) cannot run in a transaction")
        } else if reader.accept("trigger") {
            while !reader.isAtEnd, !reader.accept("on") { reader.skip() }
            if let table = reader.name() { locks.append(table) }
        } else if [
            "VIEW", "MATERIALIZED", "FUNCTION", "PROCEDURE", "TYPE", "DOMAIN", "SEQUENCE", "SCHEMA", "EXTENSION",
        ]
        .contains(kind) {
            remark(.dropsObject, "the old version may use the \(kind.lowercased()) that goes")
        }
        if isCascading { remark(.dropsCascade, "CASCADE drops whatever depends on it") }
    }

    // MARK: Others

    private mutating func reindex(_ reader: SQLReader) {
        if reader.contains("concurrently") {
            remark(.outsideTransaction, "REINDEX CONCURRENTLY cannot run in a transaction")
        } else {
            var reader = reader
            _ = reader.accept("reindex")
            _ = reader.parenthesized()
            let isOfTable = reader.accept("table")
            if !isOfTable { _ = reader.accept("index") }
            let name = reader.name()
            remark(
                .reindexLocks, "nobody may write the table until REINDEX is done", table: isOfTable ? name : nil)
        }
    }

    private mutating func cluster(_ reader: inout SQLReader) {
        _ = reader.accept("cluster")
        _ = reader.accept("verbose")
        _ = reader.parenthesized()
        guard let table = reader.name() else {
            return remark(.outsideTransaction, "CLUSTER of all tables cannot run in a transaction")
        }
        locks.append(table)
        remark(.tableRewrites, "CLUSTER rewrites \(table) while nobody may use it", table: table)
    }

    private mutating func truncate(_ reader: inout SQLReader) {
        _ = reader.accept("truncate")
        _ = reader.accept("table")
        for table in reader.names() {
            locks.append(table)
            remark(.truncates, "all rows of \(table) go, and the old version may use them", table: table)
        }
        if reader.contains("cascade") {
            remark(.dropsCascade, "CASCADE empties the tables that refer to it as well")
        }
    }

    private mutating func lock(_ reader: inout SQLReader) {
        _ = reader.accept("lock")
        _ = reader.accept("table")
        let tables = reader.names()
        locks += tables
        remark(
            .locksTable, "\(tables.joined(separator: ", ")) stays locked until the transaction is over",
            table: tables.first)
    }

    private mutating func setting(_ reader: inout SQLReader) {
        reader.skip()
        _ = reader.accept("session")
        _ = reader.accept("local")
        let name = reader.next?.text ?? ""
        if name == "session_replication_role" {
            remark(.disablesTriggers, "triggers would not fire for what follows")
        } else if ["lock_timeout", "statement_timeout", "search_path", "role", "row_security"].contains(name) {
            remark(
                .sessionSetting,
                "\(name) is set by Sluice, so that nobody waits long behind a lock and names mean one thing")
        }
    }

    private mutating func write(_ reader: inout SQLReader) {
        if reader.contains("select *") || reader.selectsStar {
            remark(.selectStar, "SELECT * takes whatever columns there are that day")
        }
        if reader.accept("insert into") {
            let table = reader.name() ?? "the table"
            if reader.accept("as") { _ = reader.name() }
            if reader.isAt("values") || reader.isAt("select") {
                remark(.insertByPosition, "values go into the columns of \(table) by their order", table: table)
            }
        } else if reader.accept("update") || reader.accept("delete from") {
            _ = reader.accept("only")
            let table = reader.name() ?? "the table"
            if !reader.containsOutside("where") {
                remark(
                    .writesAllRows, "every row of \(table) is locked until the transaction is over", table: table)
            }
        }
    }
}

extension SQLReader {
    /// The table that a foreign key in it refers to.
    fileprivate var referenced: String? {
        var reader = self
        while !reader.isAtEnd {
            if reader.accept("references") { return reader.name() }
            reader.skip()
        }
        return nil
    }

    /// Whether it selects all columns of something: `*` after SELECT, a comma or a dot.
    fileprivate var selectsStar: Bool {
        var isSelecting = false
        for (before, token) in zip(rest, rest.dropFirst()) {
            if before.isWord("select") { isSelecting = true }
            if before.isWord("from") { isSelecting = false }
            if isSelecting, token.isSign("*"), before.isWord("select") || before.isSign(",") || before.isSign(".") {
                return true
            }
        }
        return false
    }
}
