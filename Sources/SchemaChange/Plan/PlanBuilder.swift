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
    private var purge: [Step] = []
    var mappings: [Mapping] = []
    var fills: [FillTrigger] = []
    /// What is done at Contract before, and after, all changes.
    var unlinking: [Step] = []
    var linking: [Step] = []
    var wayBack: [Step] = []
    /// Columns that are just there from Expand on.
    var addedColumns: [(table: TableName, column: String)] = []
    /// The defaults that new columns have for who writes through a view, by `schema.table.column`.
    var viewDefaults: [String: String] = [:]
    var wholeTables: [TableName] = []
    private var otherTables: [TableName] = []
    /// The columns that get it.
    private var notNull: Set<String> = []
    /// By the token of their mapping, where PostgreSQL has such names.
    var requirements: [String: RequirementNames] = [:]
    /// Constraints of new columns, by the token of their mapping: they come after the proof.
    var provenConstraints: [String: [CarriedDependents.Part]] = [:]
    /// Indexes and constraints that go over to new columns, by the change that they go with.
    var carriedNames: [String: String] = [:]
    private var taken: [String: String] = [:]
    /// The columns that go into the archive, by the change that sends them there.
    private var leaving: [String: String] = [:]
    /// The columns that the expressions of each change name besides its own.
    private var reads: [(path: String, table: TableName, column: String)] = []
    /// The columns that indexes and constraints are about.
    private var needs: [(path: String, table: TableName, column: String)] = []

    /// What is wrong with `changes` that can be seen without a database.
    public static func flaws(in changes: [Change], writer: DualWriter = .database) -> [PlanError] {
        if changes.isEmpty { return [PlanError(.invalidChange, at: "changes", "there are none; name at least one")] }
        let flaws = changes.enumerated().flatMap { index, change in
            change.kind.flaws(at: path(index, change))
        }
        return flaws + (writer == .application ? flawsWithoutTriggers(changes) : [])
    }

    /// What the application cannot write, or SQL cannot check.
    private static func flawsWithoutTriggers(_ changes: [Change]) -> [PlanError] {
        let unchecked = changes.enumerated().compactMap { index, change in
            change.kind.replacement?.forwardBy == nil
                ? nil
                : PlanError(
                    .invalidChange, at: "\(path(index, change)).forwardBy",
                    "with dualWrite.by: Application both sides are checked by SQL; give forward, or leave dualWrite out"
                )
        }
        if changes.contains(where: { $0.kind.replacement != nil }) { return unchecked }
        return [
            PlanError(
                .invalidChange, at: "dualWrite.by",
                "Application is for changes with two sides, replaceColumns or alterColumn with to, and there is none; "
                    + "leave it out")
        ]
    }

    /// What PostgreSQL must be asked before ``plan(_:hash:migration:catalog:references:)``.
    public static func checks(for changes: [Change], catalog: Catalog) throws(PlanError) -> [ExpressionCheck] {
        let catalog = catalog.expecting(changes)
        var checks: [ExpressionCheck] = []
        for (index, change) in changes.enumerated() {
            checks += try change.kind.checks(at: path(index, change), in: catalog)
        }
        return checks
    }

    /// What else PostgreSQL must accept before ``plan(_:writer:hash:migration:catalog:references:)``.
    public static func trials(for changes: [Change], catalog: Catalog) throws(PlanError) -> [Trial] {
        let catalog = catalog.expecting(changes)
        var trials: [Trial] = []
        for (index, change) in changes.enumerated() {
            trials += try change.kind.trials(at: path(index, change), in: catalog)
        }
        return trials
    }

    /// The columns whose dependents are carried over.
    public static func probes(for changes: [Change], migration: String, catalog: Catalog) throws(PlanError)
        -> [DependentsProbe]
    {
        var probes: [DependentsProbe] = []
        for (index, change) in changes.enumerated() {
            let token = Plan.token(migration: migration, index: index)
            probes += try change.kind.probes(at: path(index, change), token: token, in: catalog)
        }
        return probes
    }

    /// The tables, indexes and views that `changes` make, by where they name them: none may be there yet.
    public static func newRelations(in changes: [Change]) -> [(path: String, name: String)] {
        changes.enumerated().flatMap { index, change in
            change.kind.newRelations.map { ("\(path(index, change)).\($0.path)", $0.name) }
        }
    }

    /// The types that `changes` name, by where they do: PostgreSQL must know each of them.
    public static func types(in changes: [Change]) -> [(path: String, type: String)] {
        changes.enumerated().flatMap { index, change in
            change.kind.types.map { ("\(path(index, change)).\($0.path)", $0.type) }
        }
    }

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

    /// Says that a table goes away or is called otherwise, so that no other change of the migration, and no other
    /// migration of which something is in force, may count on it.
    mutating func takesWhole(_ table: TableDescription, at path: String) throws(PlanError) {
        let others = changes.count { $0.tables.first == table.name.name }
        guard others <= 1 else {
            throw PlanError(
                .invalidChange, at: path,
                "another change is about \(table.name) as well; put this one into a Migration of its own")
        }
        wholeTables.append(table.name)
    }

    /// Says that the plan is about another name as well, so that whoever else is waits for it.
    mutating func alsoTouches(_ table: TableName) {
        otherTables.append(table)
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
        (references[check] ?? []).compactMap { name in
            table.column(name).map { Column(name: name, type: $0.type, baseType: $0.baseType) }
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

    /// Says that an index or a constraint is about columns, so that no other change of the migration may take them away.
    mutating func needs(_ columns: some Sequence<String>, of table: TableDescription, at path: String) {
        needs += columns.map { (path, table.name, $0) }
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
    mutating func addNullable(
        _ phase: Phase, _ column: TableDescription.ColumnDescription, of table: TableName
    ) {
        let notNull = NotNull(table: table, column: column.name, token: token, requirement: column.requirement)
        for step in notNull.steps.reversed() {
            let title = step.apply.isEmpty ? step.title : "undoing: \(step.title)"
            add(phase, "un-" + step.name, title, table: table, lock: step.lock, apply: step.revert, revert: step.apply)
        }
    }

    // MARK: Order

    private var contractSteps: [Step] { viewDrops + unlinking + (byPhase[.contract] ?? []) + linking }

    private func finish(_ changes: [Change], hash: String) throws(PlanError) -> Plan {
        try requireWhatIsRead()
        try requireViewsWhereShown()
        for (index, change) in changes.enumerated() {
            for name in change.tables { _ = try catalog.tableByThen(name, at: Self.path(index, change)) }
        }
        var tables = changedTables
        tables += otherTables.filter { !tables.contains($0) }
        let writes = Set(leaving.keys).union(mappings.flatMap { m in m.new.map { "\(m.table).\($0.name)" } })
        return Plan(
            hash: hash,
            changes: changes,
            mappings: mappings,
            steps: (byPhase[.expand] ?? []) + dualWriteSteps + backfillSteps + contractSteps,
            purge: (viewPurge.map { [$0] } ?? []) + purge,
            repair: repairStep,
            wayBack: wayBack.isEmpty ? nil : wayBack,
            guardedTables: triggeredTables,
            tokens: (mappings.map(\.token) + fills.map(\.token)).sorted(),
            tables: tables,
            writes: writes.sorted(),
            touches: writes.union(reads.map { "\($0.table).\($0.column)" }).sorted(),
            wholeTables: wholeTables.isEmpty ? nil : wholeTables
        )
    }

    /// Each table that a change is about, in order.
    var changedTables: [TableName] {
        var tables: [TableName] = []
        for change in changes {
            for name in change.tables {
                guard let table = try? catalog.tableByThen(name, at: "").name, !tables.contains(table) else { continue }
                tables.append(table)
            }
        }
        return tables
    }

    var newTables: [TableName] {
        changes.flatMap(\.kind.newRelations).map { TableName(schema: catalog.schema, name: $0.name) }
    }

    func isLeaving(_ column: String, of table: TableName) -> Bool {
        leaving["\(table).\(column)"] != nil
    }

    /// What one change's triggers write and Contract renames, another's cannot read: it may be stale there, or gone.
    private func requireWhatIsRead() throws(PlanError) {
        for (path, table, column) in reads + needs {
            guard let other = leaving["\(table).\(column)"], other != path else { continue }
            throw PlanError(
                .invalidExpression,
                at: path,
                "it names column \"\(column)\", which \(other) takes away; put this change into a Migration of its own, "
                    + "or name other columns"
            )
        }
    }
}
