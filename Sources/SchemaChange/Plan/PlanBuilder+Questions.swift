/// What is wrong with changes, and what PostgreSQL has to be asked about them, before there is a plan.
extension PlanBuilder {
    /// What is wrong with `changes` that can be seen without a database.
    public static func flaws(in changes: [Change], writer: DualWriter = .database) -> [PlanError] {
        if changes.isEmpty { return [PlanError(.invalidChange, at: "changes", "there are none; name at least one")] }
        let flaws = changes.enumerated().flatMap { index, change in
            let unknown = change.tables.filter { $0.isEmpty || $0.unicodeScalars.contains("\0") }.map { _ in
                PlanError(
                    .unknownTable, at: path(index, change), "a table's name has at least one character, and no NUL")
            }
            // What is altered under its own name is not named here.
            let names = change.kind.newColumns.compactMap { place, column in
                place.isEmpty
                    ? nil
                    : column.name.flawAsColumnName.map {
                        PlanError(.invalidChange, at: "\(path(index, change)).\(place)name", $0)
                    }
            }
            return unknown + names + change.kind.flaws(at: path(index, change))
        }
        return flaws + flawsOfNames(changes) + (writer == .application ? flawsWithoutTriggers(changes) : [])
    }

    /// Both names of a column are there until Contract, so neither is free for another before.
    private static func flawsOfNames(_ changes: [Change]) -> [PlanError] {
        let renames = changes.enumerated().compactMap { index, change -> (path: String, rename: RenameColumn)? in
            if case .renameColumn(let rename) = change { (path(index, change), rename) } else { nil }
        }
        return renames.compactMap { path, rename in
            guard
                let other = renames.first(where: { $0.rename.table == rename.table && $0.rename.column == rename.to }),
                other.path != path
            else { return nil }
            return PlanError(
                .columnExists, at: "\(path).to",
                "\(other.path) renames the column of that name, which keeps it until Contract; give a third name here, and "
                    + "this one in a later Migration, once the archive of that one is gone")
        }
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
        try requirePartitionable(changes, in: catalog)
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
}
