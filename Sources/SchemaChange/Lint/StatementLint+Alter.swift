/// What ALTER does.
extension StatementLint {
    mutating func alter(_ reader: inout SQLReader) {
        if reader.containsOutside("owner to"), !reader.containsOutside("rename") {
            remark(.changesOwner, "Sluice has to own what it changes, or may act as its owner")
        }
        if reader.accept("alter table") || reader.accept("alter foreign table") {
            alterTable(&reader)
        } else if reader.isAt("alter index") || reader.isAt("alter materialized view") || reader.isAt("alter view") {
            let isIndex = reader.isAt("alter index")
            while !reader.accept("index"), !reader.accept("view") { reader.skip() }
            _ = reader.accept("if exists")
            let name = reader.name()
            if reader.accept("rename to"), let new = reader.name() {
                newNames.append(new)
                if !isIndex {
                    remark(.renames, "the old version does not find \(name ?? "it") under its new name")
                }
            }
            if reader.accept("set tablespace") {
                remark(.tableRewrites, "SET TABLESPACE copies \(name ?? "it") while nobody may use it")
            }
        } else if reader.accept("alter type") {
            let type = reader.name() ?? "it"
            if reader.isAt("rename") {
                remark(.renames, "the old version knows \(type), or its value, by the old name")
            }
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
        } else if reader.accept("alter schema") {
            let schema = reader.name() ?? "it"
            if reader.isAt("rename") { remark(.renames, "the old version looks for its tables in \(schema)") }
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
        } else if clause.contains("detach partition") {
            if clause.contains("concurrently") {
                remark(.outsideTransaction, "DETACH PARTITION CONCURRENTLY cannot run in a transaction")
            } else {
                remark(.detachLocks, "DETACH PARTITION waits for everybody who uses \(table), and others behind it")
            }
        } else if clause.contains("row level security") {
            remark(.changesRowSecurity, "every version sees other rows of \(table) at once", table: table)
        } else if clause.isAt("inherit") || clause.isAt("no inherit") {
            remark(.changesInheritance, "whoever reads the parent of \(table) sees its rows, or does not any more")
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
        } else if clause.isAt("drop default") {
            remark(
                .dropsDefault, "the old version may insert rows of \(table) without \(column)", table: table)
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
}
