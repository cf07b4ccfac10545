/// The columns that others take the place of, in one plan, by what the others are called until Contract.
struct Successors {
    private var interims: [TableName: [String: String]] = [:]

    init(_ probes: [DependentsProbe] = []) {
        for probe in probes { interims[probe.table, default: [:]][probe.column] = probe.interim }
    }

    func replaces(_ columns: [String], of table: TableName) -> Bool {
        columns.contains { interims[table]?[$0] != nil }
    }

    /// As the columns are called that stand for these until Contract.
    func names(of columns: [String], in table: TableName) -> [String] {
        columns.map { interims[table]?[$0] ?? $0 }
    }
}
