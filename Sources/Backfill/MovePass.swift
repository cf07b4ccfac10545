internal import SchemaChange

/// What is done to the rows of a chunk whose columns go to another table.
public enum MovePass: Sendable {
    /// Gives the other table's rows what they lack.
    case fill
    /// Counts the rows whose sides are not the same.
    case compare

    /// Common table expressions for a ``ChunkStatement``, the last of which is `found`.
    ///
    /// The rows to be filled are locked, so that whoever writes one of them, on either side, comes before or after: what is
    /// read here is what is written there. A row that is not among them is the same on both sides, and its writers keep it so.
    func rows(of move: ColumnMove, where condition: String) -> String {
        switch self {
        case .fill:
            """
            chosen AS MATERIALIZED (
                SELECT \(move.insertedValues("sluice_from")) FROM \(move.table.quoted) AS sluice_from
                WHERE \(condition) AND EXISTS (SELECT FROM here) AND \(move.isUnfilled("sluice_from"))
                FOR NO KEY UPDATE
            ),
            filled AS (
                INSERT INTO \(move.to.quoted) AS sluice_to (\(move.insertedColumns)) SELECT * FROM chosen
                \(move.fillIfThere)
                RETURNING 1
            ),
            found AS (
                SELECT count(*) AS rows, 0::bigint AS old_side, 0::bigint AS new_side, 0::bigint AS mismatches,
                    '{}'::text[] AS examples, 0::bigint AS digest FROM filled
            )
            """
        case .compare:
            """
            compared AS (
                \(move.comparison(where: condition, digest: RowDigest.of(move, from: "sluice_from", to: "sluice_to")))
            ),
            found AS (
                SELECT count(*) AS rows, 0::bigint AS old_side, 0::bigint AS new_side,
                    count(*) FILTER (WHERE broken) AS mismatches,
                    coalesce((array_agg(key) FILTER (WHERE broken))[1:5], '{}') AS examples,
                    \(RowDigest.combined) AS digest
                FROM compared
            )
            """
        }
    }
}
