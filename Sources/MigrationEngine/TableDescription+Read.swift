internal import PostgreSQL
internal import SchemaChange

extension TableDescription {
    /// What the catalog says of a table; nil when there is none of that name.
    static func read(_ name: TableName, on connection: PostgresConnection) async throws -> TableDescription? {
        let rows = try await connection.query(query, [.text(name.schema), .text(name.name)]).rows
        return try rows.first?[0].map { try LedgerJSON.decode(TableDescription.self, from: $0) }
    }
}
