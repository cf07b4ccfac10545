/// What one statement of SQL does that lint has a word for, and which tables it locks.
///
/// Locks and rewrites: <https://www.postgresql.org/docs/15/sql-altertable.html#SQL-ALTERTABLE-NOTES>.
struct StatementLint {
    struct Remark: Hashable {
        var code: LintCode
        var message: String
        var table: String?
    }

    var remarks: [Remark] = []
    /// Tables on which it takes a lock that stops writers, or readers.
    var locks: [String] = []
    /// Tables that it makes.
    var makes: [String] = []
    /// Constraints that it adds NOT VALID, and such as it validates, as `table.name`.
    var unvalidated: [String] = []
    var validates: [String] = []
    /// What it names for good.
    var newNames: [String] = []

    init(_ tokens: [SQLToken]) {
        var reader = SQLReader(tokens)
        read(&reader)
    }

    mutating func remark(_ code: LintCode, _ message: String, table: String? = nil) {
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
        case "update", "delete", "insert", "with", "merge": write(all)
        case "revoke":
            remark(.revokes, "the old version may need the right that goes")
        case "reassign":
            remark(.changesOwner, "REASSIGN OWNED gives away whatever the role owns, Sluice's tables among it")
        default: break
        }
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

    /// A statement that writes rows, with all that it has in WITH.
    private mutating func write(_ reader: SQLReader) {
        if reader.contains("select *") || reader.selectsStar {
            remark(.selectStar, "SELECT * takes whatever columns there are that day")
        }
        for var part in reader.writingParts { writePart(&part) }
    }

    private mutating func writePart(_ reader: inout SQLReader) {
        if reader.accept("insert into") {
            let table = reader.name() ?? "the table"
            if reader.accept("as") { _ = reader.name() }
            if reader.isAt("values") || reader.isAt("select") {
                remark(.insertByPosition, "values go into the columns of \(table) by their order", table: table)
            }
        } else if reader.accept("update") || reader.accept("delete from") {
            _ = reader.accept("only")
            let table = reader.name() ?? "the table"
            if !reader.choosesRows {
                remark(
                    .writesAllRows, "every row of \(table) is locked until the transaction is over", table: table)
            }
        } else if reader.accept("merge into") {
            _ = reader.accept("only")
            let table = reader.name() ?? "the table"
            remark(
                .writesAllRows, "every row of \(table) that MERGE finds is locked until the transaction is over",
                table: table)
        }
    }
}

extension SQLReader {
    /// Where a statement that writes begins: here, in parentheses after AS, and after those.
    fileprivate var writingParts: [SQLReader] {
        var parts: [SQLReader] = []
        var reader = self
        var before: SQLToken?
        while let token = reader.next {
            let begins = before == nil || before?.isSign("(") == true || before?.isSign(")") == true
            if begins, ["insert", "update", "delete", "merge"].contains(where: token.isWord) {
                var inside = SQLReader(reader.rest)
                if before?.isSign("(") == true { inside = inside.untilClosed }
                parts.append(inside)
            }
            before = token
            reader.skip()
        }
        return parts
    }

    /// Up to the parenthesis that closes what was open before.
    private var untilClosed: SQLReader {
        var depth = 0
        for (offset, token) in rest.enumerated() {
            if token.isSign("(") { depth += 1 }
            if token.isSign(")") {
                depth -= 1
                if depth < 0 { return SQLReader(rest.prefix(offset)) }
            }
        }
        return self
    }

    /// Whether it has a WHERE that names anything of a row: `WHERE true` and `WHERE 1 = 1` do not.
    fileprivate var choosesRows: Bool {
        var reader = self
        while !reader.isAtEnd {
            if reader.accept("where") {
                let condition = reader.rest.prefix { !$0.isWord("returning") }
                let constants = ["true", "false", "not", "and", "or", "null", "is", "distinct", "from"]
                return condition.contains { token in
                    token.identifier != nil && !constants.contains { token.isWord($0) }
                }
            }
            if reader.parenthesized() == nil { reader.skip() }
        }
        return false
    }

    /// The table that a foreign key in it refers to.
    var referenced: String? {
        var reader = self
        while !reader.isAtEnd {
            if reader.accept("references") { return reader.name() }
            reader.skip()
        }
        return nil
    }

    /// Whether it selects all columns of something: `*` after SELECT, a comma or a dot.
    var selectsStar: Bool {
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
