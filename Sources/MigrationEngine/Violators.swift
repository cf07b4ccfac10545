internal import PostgreSQL
internal import SchemaChange

/// Finds the rows because of which PostgreSQL did not validate a constraint, or build an index.
enum Violators {
    /// Whether an error may be of a constraint that is there: a CHECK or a foreign key that rows break.
    static func arePossible(_ error: PostgresError) -> Bool {
        ["23514", "23503"].contains(error.sqlState) && error.constraint != nil
    }

    /// The error with the keys of the rows, or as it is where none are found: then the statement itself wrote such a row.
    static func named(
        _ error: PostgresError, _ doing: String, on connection: PostgresConnection
    ) async throws -> any Error {
        guard let name = error.constraint, let schema = error.schema, let relation = error.table,
            let table = try await TableDescription.read(TableName(schema: schema, name: relation), on: connection),
            let constraint = table.constraint(name)
        else { return error }
        var referred: TableDescription?
        if let other = constraint.references { referred = try await .read(other, on: connection) }
        guard let query = table.violators(of: constraint, referred: referred) else { return error }
        let found = try await connection.query(query).rows.compactMap { $0[0] }
        guard !found.isEmpty else { return error }
        let isOurs = name.hasPrefix("sluice_")
        return Interruption.stalled(
            reason: "DataNotReady",
            message: "\(doing): rows of \(table.name) break \(isOurs ? "that" : name): \(list(found))")
    }

    /// The keys of rows that are the same in an index that is not valid.
    static func duplicates(in index: ConcurrentIndex, on connection: PostgresConnection) async throws -> [String] {
        guard let table = try await TableDescription.read(index.table, on: connection) else { return [] }
        let rows = try await connection.query(
            """
            SELECT pg_get_indexdef(i.indexrelid, k, false), pg_get_expr(i.indpred, i.indrelid)
            FROM pg_index i CROSS JOIN generate_series(1, i.indnkeyatts) AS k
            WHERE i.indexrelid = to_regclass($1) ORDER BY k
            """,
            [.text(TableName(schema: index.table.schema, name: index.builtAs).quoted)]
        ).rows
        let values = rows.compactMap { $0[0] }
        guard !values.isEmpty else { return [] }
        let query = table.duplicates(of: values, where: rows[0][1])
        return try await connection.query(query).rows.compactMap { $0[0] }
    }

    static func list(_ keys: [String]) -> String { "keys " + keys.map { "(\($0))" }.joined(separator: ", ") }
}
