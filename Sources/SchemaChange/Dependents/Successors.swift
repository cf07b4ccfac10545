/// The columns that others take the place of, in one plan, by what both are called besides.
struct Successors {
    private struct Names {
        let interim: String
        let archived: String
    }

    private var names: [TableName: [String: Names]] = [:]

    init(_ probes: [DependentsProbe] = []) {
        for probe in probes {
            names[probe.table, default: [:]][probe.column] = Names(interim: probe.interim, archived: probe.archived)
        }
    }

    /// Those of the columns that others take the place of, as `schema.table.column`.
    func replaced(_ columns: [String], of table: TableName) -> [String] {
        columns.filter { names[table]?[$0] != nil }.map { "\(table).\($0)" }
    }

    func replaces(_ columns: [String], of table: TableName) -> Bool {
        !replaced(columns, of: table).isEmpty
    }

    /// As the columns are called that stand for these until Contract.
    func interims(of columns: [String], in table: TableName) -> [String] {
        columns.map { names[table]?[$0]?.interim ?? $0 }
    }

    /// As these themselves are called once they are in the archive.
    func archived(_ columns: [String], of table: TableName) -> [String] {
        columns.map { names[table]?[$0]?.archived ?? $0 }
    }
}
