internal import SchemaChange

/// What is done to the rows of a chunk. Each is one autocommitted statement: the fence, the rows, the checkpoint.
enum ChunkStatement {
    /// Gives rows without a side their new columns. Rows that have one are their writers'.
    case fill(Mapping)
    /// Counts the rows of each side, and those that break their side's invariant.
    case compare(Mapping)

    var mapping: Mapping {
        switch self {
        case .fill(let mapping), .compare(let mapping): mapping
        }
    }

    /// Whether its tally counts every row of the chunk, and not only those that it changed.
    var counts: Bool {
        if case .compare = self { true } else { false }
    }

    /// The number of the first parameter that a condition may use.
    static let firstFree = 11

    /// Answers one row: whether the fence stood (`fenced`), whether the file is still the one (`here`), whether the checkpoint
    /// was there to be moved (`moved`), and the chunk's tally. But for `moved`, nothing was done where one is false.
    ///
    /// Parameters: migration, epoch, walk, step, range, new position (an array; NULL leaves it), done, rows that it passes
    /// (NULL: those that it found), the relation and the filenode that must be there (NULL: whatever is), then those of the
    /// chunk's condition.
    func sql(of chunk: Chunk) -> String {
        let marker = mapping.marker.quotedIdentifier
        let rows: String
        switch self {
        case .fill:
            let assignments = mapping.new.map { "\($0.stored) = (\(mapping.forward[$0.name]!))" } + ["\(marker) = 'o'"]
            rows = """
                filled AS (
                    UPDATE \(chunk.table) SET \(assignments.joined(separator: ", "))
                    WHERE \(marker) IS NULL AND \(chunk.condition) AND EXISTS (SELECT FROM here)
                    RETURNING 1
                ),
                found AS (
                    SELECT count(*) AS rows, 0::bigint AS old_side, 0::bigint AS new_side, 0::bigint AS mismatches,
                        '{}'::text[] AS examples FROM filled
                )
                """
        case .compare:
            rows = Self.comparison(of: mapping, in: chunk.table, where: chunk.condition)
        }
        return """
            WITH fence AS MATERIALIZED (\(Fence.query)),
            here AS MATERIALIZED (
                SELECT 1 FROM fence WHERE $9::oid IS NULL OR pg_relation_filenode($9::oid) = $10::oid
            ),
            \(rows),
            moved AS (
                UPDATE sluice.checkpoint c SET "position" = coalesce($6::text[], c."position"), done = $7::boolean,
                    rows = c.rows + coalesce($8::bigint, found.rows),
                    old_side = c.old_side + found.old_side, new_side = c.new_side + found.new_side,
                    mismatches = c.mismatches + found.mismatches, examples = (c.examples || found.examples)[1:5]
                FROM found
                WHERE c.migration = $1 AND c.walk = $3::bigint AND c.step = $4 AND c.range = $5::int
                    AND EXISTS (SELECT FROM here)
                RETURNING 1
            )
            SELECT EXISTS (SELECT FROM fence) AS fenced, EXISTS (SELECT FROM here) AS here,
                EXISTS (SELECT FROM moved) AS moved, rows, old_side, new_side, mismatches, to_json(examples) AS examples
            FROM found
            """
    }

    private static func comparison(of mapping: Mapping, in table: String, where condition: String) -> String {
        let key = mapping.key.map(\.quoted).joined(separator: ", ")
        return """
            compared AS (
                SELECT concat_ws(', ', \(key)) AS key, \(mapping.marker.quotedIdentifier) AS side,
                    \(mapping.violation) AS broken
                FROM \(table) WHERE \(condition)
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
        """
        WITH \(Self.comparison(of: mapping, in: mapping.table.quoted, where: "true"))
        SELECT rows, old_side, new_side, mismatches, to_json(examples) AS examples FROM found
        """
    }
}
