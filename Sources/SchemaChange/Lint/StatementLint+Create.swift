/// What CREATE and DROP do.
extension StatementLint {
    mutating func create(_ reader: inout SQLReader) {
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

    mutating func drop(_ reader: inout SQLReader) {
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
        } else if reader.isAt("owned") {
            remark(.dropsOwned, "whatever the role owns goes, and its rights with it")
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
}
