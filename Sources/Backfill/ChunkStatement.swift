internal import SchemaChange

/// What is done to the rows of a chunk. Each is one autocommitted statement: the fence, the rows, the checkpoint.
enum ChunkStatement {
    /// Gives rows without a side their new columns. Rows that have one are their writers'.
    case fill(Mapping)
    /// Counts the rows of each side, and those that break their side's invariant.
    case compare(Mapping)
    case move(MoveChunk)

    var mapping: Mapping {
        switch self {
        case .fill(let mapping), .compare(let mapping): mapping
        case .move(let chunk): chunk.move.walked
        }
    }

    /// Whether its tally counts every row of the chunk, and not only those that it changed.
    var counts: Bool {
        switch self {
        case .fill: false
        case .compare: true
        case .move(let chunk): chunk.pass == .compare
        }
    }

    /// Answers one row: `fenced` (whether the fence stood) and the chunk's tally.
    ///
    /// Parameters: migration, epoch, walk, step, range, new position (an array), done, rows that it passes (NULL:
    /// those that it found), then the values of `condition`.
    func sql(condition: String) -> String {
        let table = mapping.table.quoted
        let marker = mapping.marker.quotedIdentifier
        let rows: String
        switch self {
        case .fill:
            let assignments = mapping.new.map { "\($0.stored) = (\(mapping.forward[$0.name]!))" } + ["\(marker) = 'o'"]
            rows = """
                filled AS (
                    UPDATE \(table) SET \(assignments.joined(separator: ", "))
                    WHERE \(marker) IS NULL AND \(condition) AND EXISTS (SELECT FROM fence)
                    RETURNING 1
                ),
                found AS (
                    SELECT count(*) AS rows, 0::bigint AS old_side, 0::bigint AS new_side, 0::bigint AS mismatches,
                        '{}'::text[] AS examples FROM filled
                )
                """
        case .compare:
            rows = Self.comparison(of: mapping, where: condition)
        case .move(let chunk):
            rows = chunk.rows(where: condition)
        }
        return """
            WITH fence AS MATERIALIZED (\(Fence.query)),
            \(rows),
            moved AS (
                UPDATE sluice.checkpoint c SET "position" = coalesce($6::text[], c."position"), done = $7::boolean,
                    rows = c.rows + coalesce($8::bigint, found.rows),
                    old_side = c.old_side + found.old_side, new_side = c.new_side + found.new_side,
                    mismatches = c.mismatches + found.mismatches, examples = (c.examples || found.examples)[1:5]
                FROM found
                WHERE c.migration = $1 AND c.walk = $3::bigint AND c.step = $4 AND c.range = $5::int
                    AND EXISTS (SELECT FROM fence)
                RETURNING 1
            )
            SELECT EXISTS (SELECT FROM moved) AS fenced, rows, old_side, new_side, mismatches,
                to_json(examples) AS examples FROM found
            """
    }

    private static func comparison(of mapping: Mapping, where condition: String) -> String {
        let key = mapping.key.map(\.quoted).joined(separator: ", ")
        return """
            compared AS (
                SELECT concat_ws(', ', \(key)) AS key, \(mapping.marker.quotedIdentifier) AS side,
                    \(mapping.violation) AS broken
                FROM \(mapping.table.quoted) WHERE \(condition)
            ),
            found AS (
                SELECT count(*) AS rows, count(*) FILTER (WHERE side = 'o') AS old_side,
                    count(*) FILTER (WHERE side = 'n') AS new_side, count(*) FILTER (WHERE broken) AS mismatches,
                    coalesce((array_agg(key) FILTER (WHERE broken))[1:5], '{}') AS examples FROM compared
            )
            """
    }

    /// Of a comparison: the whole table at once, and no checkpoint.
    var reading: String {
        let comparison =
            if case .move(let chunk) = self {
                chunk.rows(where: "true")
            } else {
                Self.comparison(of: mapping, where: "true")
            }
        return """
            WITH \(comparison)
            SELECT rows, old_side, new_side, mismatches, to_json(examples) AS examples FROM found
            """
    }
}
