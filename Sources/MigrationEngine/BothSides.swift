internal import PostgreSQL
internal import SchemaChange

/// What the triggers have noted of an application that writes both sides itself: the rows of which it wrote one alone, or
/// both so that they disagree. Nothing but this tells of a write after the proof.
enum BothSides {
    /// Why the migration cannot go on; nil where there is no such row.
    static func flaw(_ plan: Plan, on connection: PostgresConnection) async throws -> Interruption? {
        for mapping in plan.mappings where mapping.writer == .application {
            guard let condition = mapping.watched else { continue }
            let marker = mapping.marker.quotedIdentifier
            let key = mapping.key.map(\.name.quotedIdentifier).joined(separator: ", ")
            let rows = try await connection.query(
                """
                SELECT concat_ws(', ', \(key)) AS key, \(marker) IS DISTINCT FROM 'd' AS missing
                FROM \(mapping.table.quoted) WHERE \(condition) ORDER BY missing DESC, \(key) LIMIT 5
                """
            ).rows
            guard let first = rows.first else { continue }
            let isMissing = try first.boolean("missing")
            let keys = try rows.filter { try $0.boolean("missing") == isMissing }
                .map { "(\(try $0.text("key")))" }.joined(separator: ", ")
            return isMissing ? missing(mapping.table, keys) : disagreeing(mapping.table, keys)
        }
        return nil
    }

    private static func missing(_ table: TableName, _ keys: String) -> Interruption {
        .stalled(
            reason: "DualWriteMissing",
            message: "somebody wrote the old columns of rows of \(table) and not the new ones, though it was declared "
                + "that every writer writes both: among them keys \(keys); nothing was repaired: find the writer, then "
                + "write both sides of each, or go to Expand and come again, and they are filled"
        )
    }

    private static func disagreeing(_ table: TableName, _ keys: String) -> Interruption {
        .stalled(
            reason: "Mismatch",
            message: "somebody wrote both sides of rows of \(table), and they do not agree: among them keys \(keys); "
                + "nothing was repaired: write both sides of each as forward and backward have them"
        )
    }
}

extension LedgerRecord {
    /// The same, of a migration that is verified and not contracted: after Contract nobody writes the old side.
    func unevenness(on connection: PostgresConnection) async throws -> Interruption? {
        phase == .backfill ? try await BothSides.flaw(plan, on: connection) : nil
    }
}
