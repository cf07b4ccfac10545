/// What a plan means for the database as it is: pure.
public struct LiveLint: Sendable {
    let plan: Plan
    let migration: String
    let hasViews: Bool
    let tables: [TableFacts]
    let database: DatabaseFacts

    /// - Parameter migration: whose plan it is, `namespace/name`.
    public init(_ plan: Plan, migration: String, hasViews: Bool = false, tables: [TableFacts], database: DatabaseFacts)
    {
        self.plan = plan
        self.migration = migration
        self.hasViews = hasViews
        self.tables = tables
        self.database = database
    }

    public var findings: [Finding] {
        tables.flatMap(ofTable) + plan.mappings.flatMap(explicitNull) + pooler
    }

    /// Where in the spec the change of a mapping stands.
    public func path(of mapping: Mapping) -> String {
        let index = plan.changes.indices.first { Plan.token(migration: migration, index: $0) == mapping.token }
        return index.map { PlanBuilder.path($0, plan.changes[$0]) } ?? "changes"
    }

    private func path(of table: TableName) -> String {
        let index = plan.changes.firstIndex { $0.tables.contains(table.name) }
        return index.map { PlanBuilder.path($0, plan.changes[$0]) } ?? "changes"
    }

    /// How many columns the plan adds to a table, from Expand to Contract.
    private func added(to table: TableName) -> Int {
        let statements = plan.steps.flatMap { step -> [String] in
            if case .statements(let apply, _) = step.action { apply } else { [] }
        }
        return statements.count { $0.hasPrefix("ALTER TABLE \(table.quoted) ADD COLUMN") }
    }

    private func ofTable(_ facts: TableFacts) -> [Finding] {
        var findings: [Finding] = []
        let path = path(of: facts.name)
        let added = added(to: facts.name)
        func add(_ code: LintCode, _ message: String, _ severity: Finding.Severity? = nil) {
            findings.append(Finding(code, severity, at: path, message, table: facts.name.description))
        }
        if facts.hasRowSecurity {
            add(.rowSecurity, "\(facts.name) has row-level security")
        }
        if hasViews, !facts.columnReaders.isEmpty {
            add(
                .columnGrants,
                "\(Self.list(facts.columnReaders)) may read single columns of \(facts.name): through a versioned view that is "
                    + "not enough, PostgreSQL asks for all that the view shows")
        }
        if !facts.unvalidated.isEmpty, plan.mappings.contains(where: { $0.table == facts.name }) {
            add(
                .uncheckedRows,
                "\(Self.list(facts.unvalidated)) of \(facts.name) is NOT VALID: a row that breaks it cannot be filled")
        }
        guard added > 0 else { return findings }
        let left = TableFacts.mostAttributes - facts.attributes
        if left < added {
            add(
                .attributeNumbers,
                "\(facts.name) has used \(facts.attributes) of \(TableFacts.mostAttributes) column numbers, "
                    + "and \(added) more are needed")
        } else if left - added < 100 {
            add(
                .attributeNumbers,
                "\(facts.name) has used \(facts.attributes) of \(TableFacts.mostAttributes) column numbers, "
                    + "which dropped columns do not give back; \(added) more are needed", .warning)
        }
        if !facts.publications.isEmpty || !database.logicalSlots.isEmpty {
            let readers =
                (facts.publications.map { "publication \($0)" } + database.logicalSlots.map { "slot \($0)" })
            add(
                .logicalReplication,
                "changes of \(facts.name) are read by \(Self.list(readers)): a subscriber that lacks the new columns stops"
            )
        }
        if !facts.positional.isEmpty {
            add(
                .positionalConsumers,
                "\(Self.list(facts.positional)) may use the columns of \(facts.name) by their order, or whole rows")
        }
        return findings
    }

    private func explicitNull(_ mapping: Mapping) -> [Finding] {
        guard !hasViews, !mapping.isWrittenByApplication, mapping.required.isEmpty,
            let facts = tables.first(where: { $0.name == mapping.table }),
            let column = mapping.old.first(where: { facts.defaults.contains($0.name) })
        else { return [] }
        return [
            Finding(
                .explicitNull, at: path(of: mapping),
                "\(column.name) has a default, and every new column may be NULL: a row that version 2 inserts with NULLs is taken for one of version 1"
            )
        ]
    }

    private var pooler: [Finding] {
        guard database.isPooled else { return [] }
        return [
            Finding(
                .pooler, at: "database",
                "a pooler stands between Sluice and PostgreSQL; in transaction mode it loses the settings of a session, and notifications"
            )
        ]
    }

    private static func list(_ names: [String]) -> String {
        let shown = names.prefix(5).joined(separator: ", ")
        return names.count > 5 ? "\(shown) and \(names.count - 5) more" : shown
    }
}
