/// Collects steps and mappings, change by change, and puts them in order.
public struct PlanBuilder {
    let catalog: Catalog
    /// All of the migration's.
    let changes: [Change]
    let migration: String
    /// Whether the new version sees its shape of the tables by views.
    let hasViews: Bool
    let writer: DualWriter
    /// The columns that each checked expression names.
    let references: [ExpressionCheck: [String]]
    /// What depends on each column that another takes the place of.
    let dependents: [DependentsProbe: ColumnDependents]
    let successors: Successors

    var index = 0
    var byPhase: [Phase: [Step]] = [:]
    /// What Backfill does once the rows are proven: indexes and constraints.
    var lastOfBackfill: [Step] = []
    var purge: [Step] = []
    var mappings: [Mapping] = []
    var fills: [FillTrigger] = []
    var moves: [ColumnMove] = []
    /// What is done at Contract before, and after, all changes.
    var unlinking: [Step] = []
    var linking: [Step] = []
    var forTheWayBack: [(part: CarriedDependents.Part, mapping: Mapping)] = []
    /// The steps that put columns, `schema.table.column`, into the archive.
    var archives: [String: String] = [:]
    /// The same, by the token of what keeps the archive right.
    var archiveSteps: [String: String] = [:]
    var wayBack: [Step] = []
    var requiredAgain: [RequiredAgain] = []
    var known: [KnownDependents] = []
    /// Columns that are just there from Expand on.
    var addedColumns: [(table: TableName, column: String)] = []
    /// The defaults that new columns have for who writes through a view, by `schema.table.column`.
    var viewDefaults: [String: String] = [:]
    /// See ``Plan/shared`` and ``Plan/tied``.
    var shared: Set<String> = []
    var tied: Set<String> = []
    var wholeTables: [TableName] = []
    var otherTables: [TableName] = []
    /// The columns that get it.
    var notNull: Set<String> = []
    /// By the token of their mapping, where PostgreSQL has such names.
    var requirements: [String: RequirementNames] = [:]
    /// Constraints of new columns, by the token of their mapping: they come after the proof.
    var provenConstraints: [String: [CarriedDependents.Part]] = [:]
    /// Indexes and constraints that go over to new columns, by the change that they go with.
    var carriedNames: [String: String] = [:]
    /// Those that are taken away with the column that they are about: `name of schema.table`.
    var released: Set<String> = []
    var taken: [String: String] = [:]
    /// The columns that go into the archive, by the change that sends them there.
    var leaving: [String: String] = [:]
    /// The columns that the expressions of each change name besides its own.
    var reads: [(path: String, table: TableName, column: String)] = []
    /// The columns that indexes and constraints are about.
    var needs: [(path: String, table: TableName, column: String)] = []

    /// The plan. `references` answers each of ``checks(for:catalog:)``; `migration` names whose plan it is.
    public static func plan(
        _ changes: [Change],
        writer: DualWriter = .database,
        hash: String,
        migration: String,
        catalog: Catalog,
        references: [ExpressionCheck: [String]],
        dependents: [DependentsProbe: ColumnDependents] = [:],
        views: Bool = false
    ) throws(PlanError) -> Plan {
        if let flaw = flaws(in: changes, writer: writer).first { throw flaw }
        try requirePartitionable(changes, in: catalog)
        var builder = PlanBuilder(
            catalog: catalog.expecting(changes), changes: changes, migration: migration, writer: writer,
            references: references, dependents: dependents, hasViews: views)
        for (index, change) in changes.enumerated() {
            builder.index = index
            try change.kind.plan(into: &builder, at: path(index, change))
        }
        return try builder.finish(changes, hash: hash)
    }

    private init(
        catalog: Catalog, changes: [Change], migration: String, writer: DualWriter,
        references: [ExpressionCheck: [String]], dependents: [DependentsProbe: ColumnDependents], hasViews: Bool
    ) {
        self.catalog = catalog
        self.changes = changes
        self.migration = migration
        self.writer = writer
        self.hasViews = hasViews
        self.references = references
        self.dependents = dependents
        successors = Successors(Array(dependents.keys))
    }

    static func path(_ index: Int, _ change: Change) -> String {
        "changes[\(index)].\(change.key)"
    }

    // MARK: For the kinds

    var token: String { token(of: index) }

    /// That of the change at `index`.
    func token(of index: Int) -> String {
        Plan.token(migration: migration, index: index)
    }

    mutating func add(
        _ phase: Phase,
        _ name: String,
        _ title: String,
        table: TableName?,
        lock: String? = "ACCESS EXCLUSIVE",
        otherTable: TableName? = nil,
        undoneAs: TableName? = nil,
        apply: [String],
        revert: [String]?,
        isLast: Bool = false
    ) {
        let step = Step(
            id: id(phase, name),
            phase: phase,
            title: title,
            action: .statements(apply: apply, revert: revert),
            table: table,
            lock: apply.isEmpty ? nil : lock,
            otherTable: otherTable,
            undoneAs: undoneAs
        )
        add(step, isLast: isLast)
    }

    /// - Parameter isLast: whether it waits, in Backfill, until the rows are proven.
    mutating func add(_ step: Step, isLast: Bool) {
        if isLast, step.phase == .backfill {
            lastOfBackfill.append(step)
        } else {
            byPhase[step.phase, default: []].append(step)
        }
    }

    func id(_ phase: Phase, _ name: String) -> String {
        "\(phase.rawValue.lowercased())/\(index)/\(name)"
    }

    mutating func addCheck(
        _ name: String, _ title: String, table: TableName, query: String, message: String, phase: Phase = .backfill,
        isLast: Bool = false
    ) {
        let action = Step.Action.check(query: query, message: message)
        add(Step(id: id(phase, name), phase: phase, title: title, action: action, table: table), isLast: isLast)
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
        (references[check] ?? []).compactMap { table.column($0)?.asColumn }
    }

    /// Makes a column NOT NULL without a scan under an exclusive lock: by a constraint that is validated first.
    ///
    /// Once, whoever else of the migration needs it: the first keeps it until all others are undone.
    mutating func addNotNull(_ phase: Phase, _ column: String, of table: TableName) {
        guard notNull.insert("\(table).\(column)").inserted else { return }
        for step in NotNull(table: table, column: column, token: token).steps {
            add(
                phase, step.name, step.title, table: table, lock: step.lock, apply: step.apply, revert: step.revert,
                isLast: true)
        }
    }

    /// The opposite of ``addNotNull(_:_:of:)``; its undoing is as careful.
    ///
    /// - Parameters:
    ///   - archived: what the column is called in the archive, where Contract takes it there.
    ///   - source: see ``RequiredAgain``.
    mutating func addNullable(
        _ phase: Phase, _ column: TableDescription.ColumnDescription, of table: TableDescription,
        archived: String? = nil, source: String? = nil
    ) {
        let notNull = NotNull(table: table.name, column: column.name, token: token, requirement: column.requirement)
        for step in notNull.steps.reversed() {
            add(
                phase, "un-" + step.name, step.opposite, table: table.name, lock: step.lock, apply: step.revert,
                revert: step.apply)
        }
        requiredAgain.append(
            RequiredAgain(
                step: id(phase, "un-" + notNull.steps[0].name), table: table.name, column: column.name,
                archive: archived == nil ? nil : id(.contract, "archive"), archived: archived, source: source,
                key: keyText(of: table)))
    }
}
