/// What a kind of change knows of itself. Its file is where its fields, its steps and their undoing stand together.
protocol ChangeKind: Codable, Sendable {
    /// As the manifest names them, in the order of importance.
    var tables: [String] { get }

    /// The columns that it brings into being, by where it names them: `column.`, or nothing if that is the change itself.
    var newColumns: [(path: String, column: NewColumn)] { get }

    /// The columns that it replaces and by what, if it has two sides.
    var replacement: ReplaceColumns? { get }

    /// The types that it names, by where it does: each is one that PostgreSQL knows, and nothing else.
    var types: [(path: String, type: String)] { get }

    /// The tables, indexes and views that it brings into being, by where it names them.
    var newRelations: [(path: String, name: String)] { get }

    /// What is wrong with it that can be seen without a database.
    func flaws(at path: String) -> [PlanError]

    /// What PostgreSQL must be asked about its expressions before it can be planned.
    func checks(at path: String, in catalog: Catalog) throws(PlanError) -> [ExpressionCheck]

    /// What else PostgreSQL must accept.
    func trials(at path: String, in catalog: Catalog) throws(PlanError) -> [Trial]

    /// The columns whose dependents it carries over to those that take their place.
    func probes(at path: String, token: String, in catalog: Catalog) throws(PlanError) -> [DependentsProbe]

    /// What had better be written otherwise, seen without a database.
    func lint(at path: String, _ setting: Lint.Setting) -> [Finding]

    /// Adds its steps and mappings.
    func plan(into builder: inout PlanBuilder, at path: String) throws(PlanError)
}

extension ChangeKind {
    var newColumns: [(path: String, column: NewColumn)] { [] }
    var replacement: ReplaceColumns? { nil }
    var newRelations: [(path: String, name: String)] { [] }
    var types: [(path: String, type: String)] { newColumns.map { ("\($0.path)type", $0.column.type) } }

    func trials(at path: String, in catalog: Catalog) throws(PlanError) -> [Trial] {
        []
    }

    func checks(at path: String, in catalog: Catalog) throws(PlanError) -> [ExpressionCheck] {
        []
    }

    func probes(at path: String, token: String, in catalog: Catalog) throws(PlanError) -> [DependentsProbe] {
        []
    }

    /// The flaws of expressions by their field's name.
    func flaws(of expressions: [String: String?], at path: String) -> [PlanError] {
        expressions.sorted { $0.key < $1.key }.compactMap { field, text in
            text.flatMap(Expression.flaw).map { PlanError(.invalidExpression, at: "\(path).\(field)", $0) }
        }
    }
}
