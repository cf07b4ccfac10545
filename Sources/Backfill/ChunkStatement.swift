public import SchemaChange

/// What is done to the rows of a chunk. Each is one autocommitted statement: the fence, the rows, the checkpoint.
public enum ChunkStatement: Sendable {
    /// Gives rows without a side their new columns. Rows that have one are their writers'.
    case fill(Mapping)
    /// The same of several mappings of one table, in one pass, for rows that have no side of any: a row that has one of some
    /// is left to a pass of its own. There has to be at least one.
    case fillTogether([Mapping])
    /// Counts the rows of each side, and those that break their side's invariant.
    case compare(Mapping)
    /// Gives the rows of a partition that was attached a side: the new one, where a new column is given, as to a row that is
    /// inserted. Its triggers do the rest.
    case adopt(Mapping, isArchived: Bool)
    /// The same two of columns that go to another table.
    case move(ColumnMove, MovePass)

    var mapping: Mapping {
        switch self {
        case .fill(let mapping), .compare(let mapping), .adopt(let mapping, _): mapping
        case .fillTogether(let mappings): mappings[0]
        case .move(let move, _): move.walked
        }
    }

    /// By what it is walked, if `wanted` is asked for.
    ///
    /// Pages are sound where every row version that is written meanwhile is right. Of columns that go to another table, and where
    /// the application writes both sides, a row that nobody has filled may be written and stay so: on another page, which the
    /// walk may have passed. A comparison could pass a row that is written meanwhile, or count it twice, and a proof tells how many
    /// it has compared: unless it is made in one snapshot, see ``SnapshotWalk``.
    func method(_ wanted: WalkMethod) -> WalkMethod {
        switch self {
        case .compare, .move: .keys
        case .fill, .fillTogether, .adopt: mapping.writer == .application ? .keys : wanted
        }
    }

    /// Whether no row is written. Then its tally counts every row of the chunk, else only those that it changed.
    public var isReading: Bool {
        switch self {
        case .compare, .move(_, .compare): true
        case .fill, .fillTogether, .adopt, .move(_, .fill): false
        }
    }

    /// The number of the first parameter that a condition may use.
    static let firstFree = 11

    /// Answers one row: whether the fence stood (`fenced`), whether the file is still the one (`here`), whether the checkpoint
    /// was there to be moved (`moved`), the chunk's tally, and of pages that are written how many rows stayed on theirs
    /// (`heap_only`). But for `moved`, nothing was done where one is false.
    ///
    /// Parameters: migration, epoch, walk, step, range, new position (an array; NULL leaves it), done, rows that it passes
    /// (NULL: those that it found), the relation and the filenode that must be there (NULL: whatever is), then those of the
    /// chunk's condition.
    func sql(of chunk: Chunk) -> String {
        let isUnfilled = filled.map { "\($0.marker.quotedIdentifier) IS NULL" }.joined(separator: " AND ")
        var rows: String {
            if case .move(let move, let pass) = self { return pass.rows(of: move, where: chunk.condition) }
            guard let assignments else {
                return Self.comparison(of: mapping, in: chunk.table, where: chunk.condition)
            }
            return """
                filled AS (
                    UPDATE \(chunk.table) SET \(assignments.joined(separator: ", "))
                    WHERE \(isUnfilled) AND \(chunk.condition) AND EXISTS (SELECT FROM here)
                    RETURNING 1
                ),
                found AS (
                    SELECT count(*) AS rows, 0::bigint AS old_side, 0::bigint AS new_side, 0::bigint AS mismatches,
                        '{}'::text[] AS examples, 0::bigint AS digest FROM filled
                )
                """
        }
        return """
            WITH fence AS MATERIALIZED (\(Fence.query)),
            here AS MATERIALIZED (
                SELECT \(Self.heapOnly) AS heap_only FROM fence WHERE $9::oid IS NULL OR pg_relation_filenode($9::oid) = $10::oid
            ),
            \(rows),
            moved AS (
                UPDATE sluice.checkpoint c SET "position" = coalesce($6::text[], c."position"), done = $7::boolean,
                    rows = c.rows + coalesce($8::bigint, found.rows),
                    old_side = c.old_side + found.old_side, new_side = c.new_side + found.new_side,
                    mismatches = c.mismatches + found.mismatches, examples = (c.examples || found.examples)[1:5],
                    digest = c.digest # found.digest
                FROM found
                WHERE c.migration = $1 AND c.walk = $3::bigint AND c.step = $4 AND c.range = $5::int
                    AND EXISTS (SELECT FROM here)
                RETURNING 1
            )
            SELECT EXISTS (SELECT FROM fence) AS fenced, EXISTS (SELECT FROM here) AS here,
                EXISTS (SELECT FROM moved) AS moved, rows, old_side, new_side, mismatches, to_json(examples) AS examples,
                digest, \(isReading ? "NULL" : "\(Self.heapOnly) - (SELECT heap_only FROM here)") AS heap_only
            FROM found
            """
    }

    /// Heap-only updates of this session in the file's relation that no view shows yet. From this statement's begin to its end
    /// these are its own.
    private static let heapOnly = "pg_stat_get_xact_tuples_hot_updated($9::oid)"

    /// The mappings whose new columns rows are given.
    private var filled: [Mapping] {
        if case .fillTogether(let mappings) = self { mappings } else { [mapping] }
    }

    /// What a row without a side is given; nil where it is given none.
    private var assignments: [String]? {
        let marker = mapping.marker.quotedIdentifier
        switch self {
        case .fill, .fillTogether:
            return filled.flatMap { mapping in
                mapping.new.map { "\($0.stored) = (\(mapping.forward[$0.name]!))" }
                    + ["\(mapping.marker.quotedIdentifier) = 'o'"]
            }
        case .compare, .move:
            return nil
        case .adopt(_, isArchived: true):
            return ["\(marker) = NULL"]
        case .adopt(_, isArchived: false):
            let isNew = "(\(mapping.new.map { "\($0.stored) IS NOT NULL" }.joined(separator: " OR ")))"
            func unless(_ present: String, _ other: String) -> String {
                "CASE WHEN \(isNew) THEN \(present) ELSE \(other) END"
            }
            return mapping.new.map { "\($0.stored) = \(unless($0.stored, "(\(mapping.forward[$0.name]!))"))" }
                + ["\(marker) = \(unless("NULL", "'o'"))"]
        }
    }

    /// Whether a row is broken is asked once: it costs more than all the rest.
    private static func comparison(of mapping: Mapping, in table: String, where condition: String) -> String {
        let key = mapping.key.map(\.quoted).joined(separator: ", ")
        return """
            compared AS (
                SELECT concat_ws(', ', \(key)) AS key, \(mapping.marker.quotedIdentifier) AS side,
                    \(mapping.violation) AS broken, \(RowDigest.of(mapping)) AS digest
                FROM \(table) WHERE \(condition)
            ),
            counted AS (
                SELECT count(*) AS rows, count(*) FILTER (WHERE side = 'o') AS old_side,
                    count(*) FILTER (WHERE side = 'n') AS new_side,
                    coalesce(array_agg(key) FILTER (WHERE broken), '{}') AS broken, \(RowDigest.combined) AS digest
                FROM compared
            ),
            found AS (
                SELECT rows, old_side, new_side, cardinality(broken)::bigint AS mismatches, broken[1:5] AS examples, digest
                FROM counted
            )
            """
    }

    /// Of a comparison: all rows of `condition` at once, and no checkpoint.
    ///
    /// - Parameters:
    ///   - table: quoted: the mapping's, or a partition of it.
    ///   - also: what it answers besides.
    func reading(_ table: String? = nil, where condition: String, also: String? = nil) -> String {
        let comparison =
            if case .move(let move, let pass) = self {
                pass.rows(of: move, where: condition)
            } else {
                Self.comparison(of: mapping, in: table ?? mapping.table.quoted, where: condition)
            }
        return """
            WITH \(comparison)
            SELECT rows, old_side, new_side, mismatches, to_json(examples) AS examples, digest\(also.map { ", \($0)" } ?? "")
            FROM found
            """
    }
}
