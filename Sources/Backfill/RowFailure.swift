public import PostgreSQL
public import SchemaChange

/// One row on which an expression, a constraint or a trigger fails: found by making chunks smaller until one row is left.
///
/// The row's values are not told, only its key.
public struct RowFailure: Hashable, Sendable, CustomStringConvertible {
    public let table: TableName
    public let keyColumns: [String]
    public let key: [String]
    public let sqlState: String
    /// PostgreSQL's message, without the values that it quotes.
    public let message: String

    init(table: TableName, keyColumns: [String], key: [String], error: PostgresError) {
        self.table = table
        self.keyColumns = keyColumns
        self.key = key
        self.sqlState = error.sqlState ?? "?"
        let constraint = error.constraint.map { "; it is constraint \"\($0)\"" } ?? ""
        self.message = error.messageWithoutValues + constraint
    }

    public var description: String {
        "row (\(keyColumns.joined(separator: ", "))) = (\(key.joined(separator: ", "))) of \(table): \(message) (\(sqlState))"
    }
}

extension PostgresError {
    /// Whether it is the data's fault: what the row holds, not how the statement was run.
    /// Classes 21, 22, 23 and 44, and what PL/pgSQL raises; see <https://www.postgresql.org/docs/15/errcodes-appendix.html>.
    public var isOfData: Bool {
        guard let sqlState else { return false }
        return ["21", "22", "23", "44", "P0"].contains(String(sqlState.prefix(2)))
    }

    /// Its message with everything between double quotes left out: PostgreSQL quotes the offending value there.
    public var messageWithoutValues: String {
        guard isOfData else { return message }
        // Scalars: a value that begins with a combining mark makes one character of it and the quote.
        let parts = message.unicodeScalars.split(separator: "\"", omittingEmptySubsequences: false)
        guard parts.count > 1 else { return message }
        // A value may hold quotes itself, so only what is before the first and after the last is told.
        return "\(String(parts[0]))\"…\"\(String(parts[parts.count - 1]))"
    }
}
