/// Collects steps and mappings, change by change, and puts them in order.
public struct PlanBuilder {
    let catalog: Catalog
    private let migration: String
    /// The columns that each checked expression names.
    private let references: [ExpressionCheck: [String]]

    private var index = 0
    private var byPhase: [Phase: [Step]] = [:]
    private var purge: [Step] = []
    private var mappings: [Mapping] = []
    private var fills: [FillTrigger] = []
    private var taken: [String: String] = [:]
    /// The columns that go into the archive, by the change that sends them there.
    private var leaving: [String: String] = [:]
    /// The columns that the expressions of each change name besides its own.
    private var reads: [(path: String, table: TableName, column: String)] = []

    /// What is wrong with `changes` that can be seen without a database.
    public static func flaws(in changes: [Change]) -> [PlanError] {
        if changes.isEmpty { return [PlanError(.invalidChange, at: "changes", "there are none; name at least one")] }
        return changes.enumerated().flatMap { index, change in
            change.kind.flaws(at: path(index, change))
        }
    }

    /// What PostgreSQL must be asked before ``plan(_:hash:migration:catalog:references:)``.
    public static func checks(for changes: [Change], catalog: Catalog) throws(PlanError) -> [ExpressionCheck] {
        var checks: [ExpressionCheck] = []
        for (index, change) in changes.enumerated() {
            checks += try change.kind.checks(at: path(index, change), in: catalog)
        }
        return checks
    }

    /// The types that `changes` name, by where they do: PostgreSQL must know each of them.
    public static func types(in changes: [Change]) -> [(path: String, type: String)] {
        changes.enumerated().flatMap { index, change in
            change.kind.newColumns.map { ("\(path(index, change)).\($0.path).type", $0.column.type) }
        }
    }

    /// The plan. `references` answers each of ``checks(for:catalog:)``; `migration` names whose plan it is.
    public static func plan(
        _ changes: [Change],
        hash: String,
        migration: String,
        catalog: Catalog,
        references: [ExpressionCheck: [String]]
    ) throws(PlanError) -> Plan {
        if let flaw = flaws(in: changes).first { throw flaw }
        var builder = PlanBuilder(catalog: catalog, migration: migration, references: references)
        for (index, change) in changes.enumerated() {
            builder.index = index
            try change.kind.plan(into: &builder, at: path(index, change))
        }
        return try builder.finish(changes, hash: hash)
    }

    private init(catalog: Catalog, migration: String, references: [ExpressionCheck: [String]]) {
        self.catalog = catalog
        self.migration = migration
        self.references = references
    }

    private static func path(_ index: Int, _ change: Change) -> String {
        "changes[\(index)].\(change.key)"
    }

    // MARK: For the kinds

    var token: String {
        Plan.token(migration: migration, index: index)
    }

    mutating func add(
        _ phase: Phase,
        _ name: String,
        _ title: String,
        table: TableName?,
        lock: String? = "ACCESS EXCLUSIVE",
        apply: [String],
        revert: [String]?
    ) {
        let step = Step(
            id: "\(phase.rawValue.lowercased())/\(index)/\(name)",
            phase: phase,
            title: title,
            action: .statements(apply: apply, revert: revert),
            table: table,
            lock: apply.isEmpty ? nil : lock
        )
        byPhase[phase, default: []].append(step)
    }

    mutating func addCheck(_ name: String, _ title: String, table: TableName, query: String, message: String) {
        let step = Step(
            id: "backfill/\(index)/\(name)",
            phase: .backfill,
            title: title,
            action: .check(query: query, message: message),
            table: table
        )
        byPhase[.backfill, default: []].append(step)
    }

    mutating func addPurge(_ title: String, table: TableName, _ statements: [String]) {
        let step = Step(
            id: "purge/\(index)",
            phase: .contract,
            title: title,
            action: .statements(apply: statements, revert: nil),
            table: table,
            lock: "ACCESS EXCLUSIVE"
        )
        purge.append(step)
    }

    mutating func addFill(_ fill: FillTrigger) {
        fills.append(fill)
    }

    /// The columns that a checked expression names, with their types.
    func columns(namedBy check: ExpressionCheck, of table: TableDescription) -> [Column] {
        (references[check] ?? []).compactMap { name in
            table.column(name).map { Column(name: name, type: $0.type) }
        }
    }

    /// Each column has one change that may touch it.
    mutating func claim(_ column: String, of table: TableDescription, at path: String) throws(PlanError) {
        if let other = taken.updateValue(path, forKey: "\(table.name).\(column)") {
            throw PlanError(.invalidChange, at: path, "column \"\(column)\" is already changed by \(other)")
        }
    }

    /// Says that `column` goes into the archive at Contract, so that no other change may count on it.
    mutating func leaves(_ column: String, of table: TableDescription, at path: String) {
        leaving["\(table.name).\(column)"] = path
    }

    /// Says which columns a change's triggers read, and refuses those that a trigger cannot.
    mutating func reads(_ columns: some Sequence<String>, of table: TableDescription, at path: String) throws(PlanError)
    {
        for name in columns {
            if table.column(name)?.generated == true {
                throw PlanError(
                    .invalidExpression,
                    at: path,
                    "column \"\(name)\" is generated, and has no value yet when a trigger runs; name what it is made of"
                )
            }
            if ["new", "old", "tg_op", "tg_argv"].contains(name) {
                throw PlanError(
                    .invalidChange,
                    at: path,
                    "a column called \"\(name)\" cannot be told from the trigger's own variable of that name"
                )
            }
            reads.append((path, table.name, name))
        }
    }

    /// Makes a column NOT NULL without a scan under an exclusive lock: by a constraint that is validated first.
    mutating func addNotNull(_ phase: Phase, _ column: String, of table: TableName) {
        for step in NotNull(table: table, column: column, token: token).steps {
            add(phase, step.name, step.title, table: table, lock: step.lock, apply: step.apply, revert: step.revert)
        }
    }

    /// The opposite of ``addNotNull(_:_:of:)``; its undoing is as careful.
    mutating func addNullable(_ phase: Phase, _ column: String, of table: TableName) {
        for step in NotNull(table: table, column: column, token: token).steps.reversed() {
            let title = step.apply.isEmpty ? step.title : "undoing: \(step.title)"
            add(phase, "un-" + step.name, title, table: table, lock: step.lock, apply: step.revert, revert: step.apply)
        }
    }

    /// Two shapes of the same data: columns, triggers, backfill, proof and archive.
    mutating func addMapping(
        table: TableDescription,
        old: [TableDescription.ColumnDescription],
        new: [NewColumn],
        forward: [String: String],
        backward: [String: String],
        at path: String
    ) throws(PlanError) {
        guard !table.key.isEmpty else {
            throw PlanError(
                .noUsableKey,
                at: "\(path).table",
                "\(table.name) has no key by which its rows can be walked; give it a primary key, or a unique index on "
                    + "NOT NULL columns"
            )
        }
        if let trigger = table.beforeRowTriggers.first(where: { !DualWriteTriggers.surrounds($0) }) {
            throw PlanError(
                .unsupportedTable,
                at: "\(path).table",
                "trigger \"\(trigger)\" of \(table.name) would run before or after those that keep both sides right; "
                    + "rename it so that its name sorts between \"!sluice\" and \"~sluice\""
            )
        }
        var names = Set(old.map(\.name) + new.map(\.name))
        for check in Self.mappingChecks(
            table: table, old: old, new: new, forward: forward, backward: backward, at: path)
        {
            names.formUnion(references[check] ?? [])
        }
        var types: [String: String] = [:]
        for column in table.columns { types[column.name] = column.type }
        for column in new { types[column.name] = column.type }
        try reads(names.sorted(), of: table, at: path)
        for column in old {
            try claim(column.name, of: table, at: path)
            leaves(column.name, of: table, at: path)
            if table.key.contains(column.name) || table.referencedColumns.contains(column.name) {
                throw PlanError(
                    .unsupportedTable,
                    at: path,
                    "column \"\(column.name)\" is part of the key of \(table.name), or other tables refer to it; "
                        + "replacing a key is not supported yet"
                )
            }
        }
        for column in new { try claim(column.name, of: table, at: path) }
        func columns(_ names: some Sequence<String>) -> [Column] {
            names.map { Column(name: $0, type: types[$0]!) }
        }
        let mapping = Mapping(
            table: table.name,
            token: token,
            old: columns(old.map(\.name)),
            new: columns(new.map(\.name)),
            forward: forward,
            backward: backward,
            named: columns(names.sorted()),
            notNull: new.filter { $0.nullable == false }.map(\.name),
            key: columns(table.key)
        )
        mappings.append(mapping)
        addColumns(of: mapping)
        addBackfill(of: mapping)
        addArchive(of: mapping)
    }

    /// What must be asked about the expressions of a mapping.
    static func mappingChecks(
        table: TableDescription,
        old: [TableDescription.ColumnDescription],
        new: [NewColumn],
        forward: [String: String],
        backward: [String: String],
        at path: String
    ) -> [ExpressionCheck] {
        let forwards = new.compactMap { column in
            forward[column.name].map { expression in
                ExpressionCheck(
                    path: "\(path).forward.\(column.name)",
                    table: table.name,
                    use: .computed,
                    expression: expression,
                    type: column.type,
                    newColumns: []
                )
            }
        }
        let backwards = old.compactMap { column in
            backward[column.name].map { expression in
                ExpressionCheck(
                    path: "\(path).backward.\(column.name)",
                    table: table.name,
                    use: .computed,
                    expression: expression,
                    type: column.type,
                    newColumns: new
                )
            }
        }
        return forwards + backwards
    }

    // MARK: The steps of a mapping, each with its undoing

    private mutating func addColumns(of mapping: Mapping) {
        let table = mapping.table
        add(
            .expand,
            "add-columns",
            "adding \(mapping.new.map(\.name).joined(separator: ", ")) to \(table)",
            table: table,
            apply: mapping.new.map { "ALTER TABLE \(table.quoted) ADD COLUMN \($0.quoted) \($0.type)" },
            revert: mapping.new.map { "ALTER TABLE \(table.quoted) DROP COLUMN IF EXISTS \($0.quoted)" }
        )
    }

    private mutating func addBackfill(of mapping: Mapping) {
        let step = Step(
            id: "backfill/\(index)/fill",
            phase: .backfill,
            title: "filling \(mapping.new.map(\.name).joined(separator: ", ")) of \(mapping.table)",
            action: .backfill(mapping: mappings.count - 1),
            table: mapping.table
        )
        byPhase[.backfill, default: []].append(step)
        add(
            .backfill,
            "analyze",
            "collecting statistics of \(mapping.table)",
            table: mapping.table,
            lock: "SHARE UPDATE EXCLUSIVE",
            apply: ["ANALYZE \(mapping.table.quoted) (\(mapping.new.map(\.quoted).joined(separator: ", ")))"],
            revert: []
        )
    }

    private mutating func addArchive(of mapping: Mapping) {
        let table = mapping.table
        let dualWrite = DualWriteTriggers(mapping: mapping)
        let archive = ArchiveTrigger(mapping: mapping)
        func rename(_ from: String, _ to: String) -> String {
            "ALTER TABLE \(table.quoted) RENAME COLUMN \(from.quotedIdentifier) TO \(to.quotedIdentifier)"
        }
        let title =
            mapping.old.isEmpty
            ? "ending the dual write of \(table)"
            : "archiving \(mapping.old.map(\.name).joined(separator: ", ")) of \(table)"
        add(
            .contract,
            "archive",
            title,
            table: table,
            apply: ["LOCK TABLE \(table.quoted) IN ACCESS EXCLUSIVE MODE"] + dualWrite.drop
                + mapping.old.map { rename($0.name, mapping.archived($0)) } + archive.create,
            revert: ["LOCK TABLE \(table.quoted) IN ACCESS EXCLUSIVE MODE"] + archive.drop
                + mapping.old.map { rename(mapping.archived($0), $0.name) } + dualWrite.create
        )
        let columns = mapping.old.map { mapping.archived($0) } + [mapping.marker]
        addPurge(
            "dropping the archive of \(table)",
            table: table,
            archive.drop + columns.map { "ALTER TABLE \(table.quoted) DROP COLUMN IF EXISTS \($0.quotedIdentifier)" }
        )
    }

    // MARK: Order

    private func finish(_ changes: [Change], hash: String) throws(PlanError) -> Plan {
        try requireWhatIsRead()
        var backfill = byPhase[.backfill] ?? []
        backfill.append(
            Step(id: "backfill/verify", phase: .backfill, title: "comparing every row", action: .verify)
        )
        // A constraint on new columns comes after the proof, which names the rows that would break it.
        for mapping in mappings {
            for column in mapping.notNull {
                for step in NotNull(table: mapping.table, column: column, token: mapping.token).steps {
                    backfill.append(
                        Step(
                            id: "backfill/\(mapping.token)/\(column)/\(step.name)",
                            phase: .backfill,
                            title: step.title,
                            action: .statements(apply: step.apply, revert: step.revert),
                            table: mapping.table,
                            lock: step.lock
                        )
                    )
                }
            }
        }
        var tables: [TableName] = []
        for (index, change) in changes.enumerated() {
            for name in change.tables {
                let table = try catalog.table(name, at: Self.path(index, change)).name
                if !tables.contains(table) { tables.append(table) }
            }
        }
        let writes = Set(leaving.keys).union(mappings.flatMap { m in m.new.map { "\(m.table).\($0.name)" } })
        return Plan(
            hash: hash,
            changes: changes,
            mappings: mappings,
            steps: (byPhase[.expand] ?? []) + dualWriteSteps + backfill + (byPhase[.contract] ?? []),
            purge: purge,
            tables: tables,
            writes: writes.sorted(),
            touches: writes.union(reads.map { "\($0.table).\($0.column)" }).sorted()
        )
    }

    /// What one change's triggers write and Contract renames, another's cannot read: it may be stale there, or gone.
    private func requireWhatIsRead() throws(PlanError) {
        for (path, table, column) in reads {
            guard let other = leaving["\(table).\(column)"], other != path else { continue }
            throw PlanError(
                .invalidExpression,
                at: path,
                "it names column \"\(column)\", which \(other) takes away; put this change into a Migration of its own, "
                    + "or name other columns"
            )
        }
    }

    /// All triggers of a table in one transaction, with the markers that they write.
    ///
    /// Undoing it drops the markers, since without triggers they would soon be wrong: what is filled next is all rows.
    private var dualWriteSteps: [Step] {
        var tables: [TableName] = []
        for table in mappings.map(\.table) + fills.map(\.table) where !tables.contains(table) { tables.append(table) }
        return tables.enumerated().map { index, table in
            let mapped = mappings.filter { $0.table == table }
            let triggers = mapped.map(DualWriteTriggers.init)
            let filled = fills.filter { $0.table == table }
            func marker(_ mapping: Mapping) -> String { mapping.marker.quotedIdentifier }
            return Step(
                id: "dualwrite/\(index)",
                phase: .dualWrite,
                title: "creating the triggers of \(table)",
                action: .statements(
                    apply: mapped.map { "ALTER TABLE \(table.quoted) ADD COLUMN \(marker($0)) text" }
                        + triggers.flatMap(\.create) + filled.flatMap(\.create),
                    revert: triggers.flatMap(\.drop) + filled.flatMap(\.drop)
                        + mapped.map { "ALTER TABLE \(table.quoted) DROP COLUMN IF EXISTS \(marker($0))" }
                ),
                table: table,
                lock: mapped.isEmpty ? "SHARE ROW EXCLUSIVE" : "ACCESS EXCLUSIVE"
            )
        }
    }
}
