/// Constraints that are put in force without a look at the rows under a lock that stops writers.
extension PlanBuilder {
    /// Rows that break it are looked for in Backfill; or in Expand, where it is put in force there.
    ///
    /// - Parameters:
    ///   - phase: when it is put in force.
    ///   - locksTable: whether the table may be locked for as long as it takes, where there is no other way.
    mutating func addConstraint(
        _ constraint: NewConstraint, to table: TableDescription, in phase: Phase, locksTable: Bool = false,
        at path: String
    ) throws(PlanError) {
        let name = constraint.name ?? ""
        let constrained = "\(name) of \(table.name)"
        if let check = constraint.check {
            lookForViolators(
                "check", of: constrained, in: table, phase,
                "SELECT \(table.keyText) FROM \(table.name.quoted) WHERE (\(check)) IS FALSE LIMIT 5")
            addInTwoSteps("check", constraint, to: table, in: phase)
        } else if let key = constraint.foreignKey {
            let place = "\(path).foreignKey.references"
            let referred = try catalog.tableByThen(key.references.table, at: place)
            let columns = try key.references.columns(of: referred, at: place)
            try table.requireNoneLike(key.meaning(referringTo: columns, of: referred.name), at: path)
            lookForViolators(
                "foreign-key", of: constrained, in: table, phase, table.orphans(key.columns, columns, referred))
            addInTwoSteps("foreign-key", constraint, to: table, in: phase, referred: referred.name)
        } else if let key = constraint.unique ?? constraint.primaryKey {
            addKey(key, named: name, isPrimary: constraint.primaryKey != nil, to: table, in: phase)
        } else if let column = constraint.notNull?.column {
            lookForNulls(column, in: table, phase)
            addNotNull(phase, column, of: table.name)
        } else {
            guard table.isSmall || locksTable else {
                throw PlanError(
                    .wouldLock, at: path,
                    "PostgreSQL adds an exclusion constraint only with a look at all of \(table.name) "
                        + "(\(table.bytes >> 20) MiB) under a lock that stops reads and writes; move the rows to a table "
                        + "that was created with it, or say lockTable: true if they may be stopped")
            }
            let alter = "ALTER TABLE \(table.name.quoted)"
            add(
                phase, "exclusion", "adding \(constrained)", table: table.name,
                apply: ["\(alter) ADD CONSTRAINT \(name.quotedIdentifier) \(constraint.clause(referred: nil))"],
                revert: ["\(alter) DROP CONSTRAINT IF EXISTS \(name.quotedIdentifier)"], isLast: true)
        }
    }

    /// Through an index that is built while others write, which then becomes the constraint.
    private mutating func addKey(
        _ key: NewConstraint.Key, named name: String, isPrimary: Bool, to table: TableDescription, in phase: Phase
    ) {
        let constrained = "\(name) of \(table.name)"
        lookForViolators(
            "unique", of: constrained, in: table, phase, table.duplicates(of: key.columns.map(\.quotedIdentifier)))
        if isPrimary {
            for column in key.columns where table.column(column)?.notNull != true {
                lookForNulls(column, in: table, phase)
                addNotNull(phase, column, of: table.name)
            }
        }
        addIndex(
            phase, "unique", "building the index of \(constrained)",
            .constraint(
                name, isPrimary ? "PRIMARY KEY" : "UNIQUE", of: table.name, token: token,
                definition: ConcurrentIndex.key(key.columns), deferral: key.deferrable?.sql ?? ""),
            lock: "ACCESS EXCLUSIVE")
    }

    /// In force for what is written from now on, then, in a transaction of its own, for the rows that are there.
    private mutating func addInTwoSteps(
        _ word: String, _ constraint: NewConstraint, to table: TableDescription, in phase: Phase,
        referred: TableName? = nil
    ) {
        let name = constraint.name ?? ""
        let clause = constraint.clause(referred: referred?.quoted)
        if let referred, let key = PartitionedForeignKey(name, clause, of: table) {
            return add(key, in: phase, referred: referred)
        }
        let alter = "ALTER TABLE \(table.name.quoted)"
        let quoted = name.quotedIdentifier
        add(
            phase, "\(word)-add", "refusing what breaks \(name) of \(table.name) from now on", table: table.name,
            lock: referred == nil ? "ACCESS EXCLUSIVE" : "SHARE ROW EXCLUSIVE", otherTable: referred,
            apply: ["\(alter) ADD CONSTRAINT \(quoted) \(clause) NOT VALID"]
                + (referred != nil && table.isPartitioned
                    ? [PartitionedForeignKey.refuseOthers(name, of: table.name)] : []),
            revert: ["\(alter) DROP CONSTRAINT IF EXISTS \(quoted)"], isLast: true)
        add(
            phase, "\(word)-validate", "validating \(name) of \(table.name)", table: table.name,
            lock: "SHARE UPDATE EXCLUSIVE", otherTable: referred,
            apply: ["\(alter) VALIDATE CONSTRAINT \(quoted)"], revert: [], isLast: true)
    }

    private mutating func add(_ key: PartitionedForeignKey, in phase: Phase, referred: TableName) {
        add(
            phase, "foreign-key-add", "refusing what breaks \(key.name) in each partition of \(key.table) from now on",
            table: key.table, lock: "SHARE ROW EXCLUSIVE", otherTable: referred,
            apply: [key.addToEach], revert: [key.dropFromEach], isLast: true)
        add(
            phase, "foreign-key-validate", "validating \(key.name) in each partition of \(key.table)", table: key.table,
            lock: "SHARE UPDATE EXCLUSIVE", otherTable: referred, apply: [key.validateEach], revert: [], isLast: true)
        add(
            phase, "foreign-key-join", "giving \(key.table) \(key.name), which its partitions have", table: key.table,
            lock: "SHARE ROW EXCLUSIVE", otherTable: referred, apply: key.add, revert: [key.drop], isLast: true)
    }

    private mutating func lookForNulls(_ column: String, in table: TableDescription, _ phase: Phase) {
        addCheck(
            "\(column)-no-null", "looking for NULL in \(column) of \(table.name)", table: table.name,
            query: """
                SELECT \(table.keyText) FROM \(table.name.quoted) WHERE \(column.quotedIdentifier) IS NULL LIMIT 5
                """,
            message: "\(column) of \(table.name) is NULL in rows that should not have it; give them a value",
            phase: min(phase, .backfill), isLast: true)
    }

    private mutating func lookForViolators(
        _ word: String, of constrained: String, in table: TableDescription, _ phase: Phase, _ query: String
    ) {
        addCheck(
            "\(word)-violators", "looking for rows that break \(constrained)", table: table.name, query: query,
            message: "rows break \(constrained); mend them", phase: min(phase, .backfill), isLast: true)
    }
}

extension TableDescription {
    /// Finds the keys of rows that break a CHECK, or a foreign key of this table to `referred`; nil for other constraints.
    public func violators(of constraint: Constraint, referred: TableDescription?) -> String? {
        if constraint.kind == "f", let key = constraint.foreignKey, let referred {
            return orphans(constraint.columns, key.columns, referred)
        }
        guard constraint.kind == "c",
            let condition = constraint.definition.firstMatch(of: #/(?s)^CHECK (.*?)( NO INHERIT)?$/#)
        else { return nil }
        return "SELECT \(keyText) FROM \(name.quoted) WHERE \(condition.1) IS FALSE LIMIT 5"
    }

    /// Finds the keys of rows that refer to none.
    fileprivate func orphans(_ columns: [String], _ others: [String], _ referred: TableDescription) -> String {
        let own = columns.map { "own.\($0.quotedIdentifier)" }
        let conditions = zip(own, others).map { "referred.\($1.quotedIdentifier) = \($0)" }
        return """
            SELECT \(keyText) FROM \(name.quoted) AS own
            WHERE \(own.map { "\($0) IS NOT NULL" }.joined(separator: " AND ")) AND NOT EXISTS (
                SELECT FROM \(referred.name.quoted) AS referred WHERE \(conditions.joined(separator: " AND "))) LIMIT 5
            """
    }
}
