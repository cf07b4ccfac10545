internal import CPostgres

/// What a statement answered.
public struct PostgresResult: Sendable {
    /// The names of the result's columns; empty for a statement that returns no rows.
    public let columns: [String]
    public let rows: [PostgresRow]
    /// How many rows the statement selected, inserted, updated or deleted; 0 for one that does not count.
    public let affectedRows: Int
    /// The server's word for what it did: `INSERT 0 1`, `CREATE TABLE`.
    public let commandTag: String

    /// The only row; throws when there is none, or more.
    public func row() throws(PostgresError) -> PostgresRow {
        guard rows.count == 1 else {
            throw PostgresError(.protocolViolation, "a statement was to return one row and returned \(rows.count)")
        }
        return rows[0]
    }
}

extension PostgresResult {
    /// Copies a result of libpq's, whose memory stays the caller's.
    init(copying result: OpaquePointer) {
        let width = PQnfields(result)
        let columns = (0..<width).map { String(cString: PQfname(result, $0)) }
        self.columns = columns
        rows = (0..<PQntuples(result)).map { row in
            PostgresRow(
                columns: columns,
                values: (0..<width).map { column in
                    guard PQgetisnull(result, row, column) == 0 else { return nil }
                    let bytes = UnsafeRawBufferPointer(
                        start: PQgetvalue(result, row, column),
                        count: Int(PQgetlength(result, row, column))
                    )
                    return String(decoding: bytes, as: UTF8.self)
                }
            )
        }
        affectedRows = Int(String(cString: PQcmdTuples(result))) ?? 0
        commandTag = String(cString: PQcmdStatus(result))
    }
}
