internal import SchemaChange

/// SQL over the key by which a table is walked: row comparison, which an index on the key serves as it is.
struct Keyset {
    let table: TableName
    let key: [Column]

    init(_ mapping: Mapping) {
        table = mapping.table
        key = mapping.key
    }

    private var columns: String {
        key.map(\.quoted).joined(separator: ", ")
    }

    /// The key as text, one output column for each of its columns, under names of their own: `ORDER BY id` would mean the
    /// text if that were called `id` too.
    var selection: String {
        key.enumerated().map { "\($0.element.quoted)::text AS sluice_key_\($0.offset + 1)" }.joined(separator: ", ")
    }

    /// Parameters are numbered from `first`.
    func after(parametersFrom first: Int) -> String {
        "(\(columns)) > (\(parameters(from: first)))"
    }

    func upTo(parametersFrom first: Int) -> String {
        "(\(columns)) <= (\(parameters(from: first)))"
    }

    private func parameters(from first: Int) -> String {
        key.enumerated().map { "$\(first + $0.offset)::text::\($0.element.type)" }.joined(separator: ", ")
    }

    /// The rows between two keys, as a condition and its parameters, which are numbered from `first`.
    func between(_ lower: [String]?, _ upper: [String]?, parametersFrom first: Int) -> (
        condition: String, values: [String]
    ) {
        var conditions: [String] = []
        var values: [String] = []
        if let lower {
            conditions.append(after(parametersFrom: first))
            values += lower
        }
        if let upper {
            conditions.append(upTo(parametersFrom: first + values.count))
            values += upper
        }
        return (conditions.isEmpty ? "true" : conditions.joined(separator: " AND "), values)
    }

    /// The key of the row that ends a chunk of `$1` rows; no row when fewer are left.
    func boundary(_ lower: [String]?, _ upper: [String]?) -> (sql: String, values: [String]) {
        let (condition, values) = between(lower, upper, parametersFrom: 2)
        let sql = """
            SELECT \(selection) FROM \(table.quoted) WHERE \(condition) ORDER BY \(columns) OFFSET $1::bigint - 1 LIMIT 1
            """
        return (sql, values)
    }

    /// Keys that cut the table into `$1` ranges of about the same size, from a sample of `$2` percent of its pages.
    var splitPoints: String {
        """
        SELECT DISTINCT ON (tile) \(selection)
        FROM (SELECT \(columns), ntile($1::int) OVER (ORDER BY \(columns)) AS tile
            FROM \(table.quoted) TABLESAMPLE SYSTEM ($2::real) REPEATABLE (1)) AS sample
        WHERE tile > 1 ORDER BY tile, \(columns)
        """
    }
}
