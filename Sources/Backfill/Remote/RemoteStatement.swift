internal import SchemaChange

/// The SQL around a call of a worker: what it is asked, and what is done with its answer.
struct RemoteStatement {
    enum Pass: Sendable {
        /// Fills the rows that have no side.
        case fill
        /// Fills those as well, and compares all others: what the new side wrote by SQL, the rest with the answer.
        case compare
    }

    let mapping: Mapping
    let pass: Pass

    private var table: String { mapping.table.quoted }
    private var marker: String { mapping.marker.quotedIdentifier }
    private var key: String { mapping.key.map(\.quoted).joined(separator: ", ") }

    // MARK: Asking

    /// Answers one row: `rows`, a JSON list as a worker gets it, and `count`. Parameters: how many rows at the most, then
    /// the values of `condition`.
    func reading(condition: String) -> String {
        let others = mapping.inputs.filter { !mapping.key.contains($0) }
        let columns = (mapping.key + others).map(\.quoted).joined(separator: ", ")
        let keys = mapping.key.map { Self.json($0, isKey: true) }.joined(separator: ", ")
        let values = mapping.inputs.map { "\($0.name.quotedLiteral), \(Self.json($0, isKey: false))" }
        let wanted = pass == .fill ? "\(marker) IS NULL" : "\(marker) IS DISTINCT FROM 'n'"
        return """
            SELECT coalesce(json_agg(json_build_object('key', json_build_array(\(keys)),
                'old', json_build_object(\(values.joined(separator: ", ")))) ORDER BY \(key)), '[]')::text AS rows,
                count(*) AS count
            FROM (SELECT \(columns) FROM \(table) WHERE \(wanted) AND \(condition) ORDER BY \(key) LIMIT $1::bigint) AS chunk
            """
    }

    /// Numbers that JSON keeps exactly, truth values and JSON as they are; everything else as its text.
    private static func json(_ column: Column, isKey: Bool) -> String {
        let exact = ["smallint", "integer", "bigint", "boolean"]
        let values = ["real", "double precision", "json", "jsonb"]
        let type = column.baseType ?? column.type
        let isPlain = exact.contains(type) || !isKey && values.contains(type)
        return "to_json(\(column.quoted)\(isPlain ? "" : "::text"))"
    }

    // MARK: Answering

    /// Applies an answer to the rows whose inputs are still what was asked about, and moves the checkpoint, in one fenced
    /// statement. Answers one row: `fenced`, and the tally.
    ///
    /// Parameters: migration, epoch, walk, step, range, argument and answer (JSON), done, new position (an array), then the
    /// values of `condition`, which of a comparison bounds the rows that it looks at.
    func applying(condition: String) -> String {
        """
        WITH fence AS MATERIALIZED (\(Fence.query)),
        sent AS MATERIALIZED (\(sent)),
        filled AS (
            UPDATE \(table) AS target SET \(assignments) FROM sent
            WHERE \(sameKey("target")) AND target.\(marker) IS NULL AND \(sameInputs("target"))
                AND EXISTS (SELECT FROM fence)
            RETURNING 1
        ),
        \(found(condition)),
        moved AS (
            UPDATE sluice.checkpoint c SET "position" = coalesce($9::text[], c."position"), done = $8::boolean,
                calls = c.calls + 1, rows = c.rows + found.rows,
                old_side = c.old_side + found.old_side, new_side = c.new_side + found.new_side,
                mismatches = c.mismatches + found.mismatches, examples = (c.examples || found.examples)[1:5],
                digest = c.digest # found.digest
            FROM found
            WHERE c.migration = $1 AND c.walk = $3::bigint AND c.step = $4 AND c.range = $5::int
                AND EXISTS (SELECT FROM fence)
            RETURNING 1
        )
        SELECT EXISTS (SELECT FROM moved) AS fenced, rows, old_side, new_side, mismatches,
            to_json(examples) AS examples, digest FROM found
        """
    }

    /// The rows that were asked about, typed: PostgreSQL's own input conversion, so a value that does not fit is an error.
    private var sent: String {
        func name(_ part: String, _ index: Int) -> String { "sluice_\(part)_\(index + 1)" }
        func record(_ json: String, _ part: String, _ columns: [Column]) -> String {
            let names = columns.enumerated().map { "r.\($1.quoted) AS \(name(part, $0))" }.joined(separator: ", ")
            let types = columns.map { "\($0.quoted) \($0.type)" }.joined(separator: ", ")
            return "LATERAL (SELECT \(names) FROM json_to_record(\(json)) AS r(\(types))) AS \(part)_side"
        }
        let keys = mapping.key.enumerated().map {
            "(chunk.asked -> 'key' ->> \($0))::\($1.type) AS \(name("key", $0))"
        }
        return """
            SELECT \(keys.joined(separator: ", ")), old_side.*, new_side.*
            FROM ROWS FROM (json_array_elements($6::json -> 'rows'), json_array_elements($7::json)) AS chunk(asked, answer),
                \(record("chunk.asked -> 'old'", "old", mapping.inputs)),
                \(record("chunk.answer", "new", mapping.new))
            """
    }

    private var assignments: String {
        (mapping.new.enumerated().map { "\($1.stored) = sent.sluice_new_\($0 + 1)" } + ["\(marker) = 'o'"])
            .joined(separator: ", ")
    }

    private func sameKey(_ row: String) -> String {
        mapping.key.enumerated().map { "\(row).\($1.quoted) = sent.sluice_key_\($0 + 1)" }.joined(separator: " AND ")
    }

    private func images(_ row: String, _ columns: [Column], _ part: String) -> String {
        let stored = columns.map { "\(row).\($0.stored)" }.joined(separator: ", ")
        let given = columns.indices.map { "sent.sluice_\(part)_\($0 + 1)" }.joined(separator: ", ")
        return "ROW(\(stored)), ROW(\(given))"
    }

    private func sameInputs(_ row: String) -> String { "record_image_eq(\(images(row, mapping.inputs, "old")))" }

    private func found(_ condition: String) -> String {
        switch pass {
        case .fill:
            return """
                found AS (
                    SELECT count(*) AS rows, count(*) AS old_side, 0::bigint AS new_side, 0::bigint AS mismatches,
                        '{}'::text[] AS examples, 0::bigint AS digest FROM filled
                )
                """
        case .compare:
            // One that was written after it was read went through the triggers, and is not the worker's any more.
            return """
                compared AS (
                    SELECT concat_ws(', ', \(key)) AS key, \(marker) AS side, \(mapping.violation) OR coalesce(
                        \(marker) = 'o' AND sent.sluice_key_1 IS NOT NULL AND \(sameInputs("target"))
                        AND record_image_ne(\(images("target", mapping.new, "new"))), false) AS broken,
                        \(RowDigest.of(mapping)) AS digest
                    FROM \(table) AS target LEFT JOIN sent ON \(sameKey("target")) WHERE \(condition)
                ),
                found AS (
                    SELECT count(*) AS rows,
                        count(*) FILTER (WHERE side = 'o') + (SELECT count(*) FROM filled) AS old_side,
                        count(*) FILTER (WHERE side = 'n') AS new_side, count(*) FILTER (WHERE broken) AS mismatches,
                        coalesce((array_agg(key) FILTER (WHERE broken))[1:5], '{}') AS examples,
                        \(RowDigest.combined) AS digest
                    FROM compared
                )
                """
        }
    }

    // MARK: Without an answer

    /// A call is over that changed nothing: the next one has another name. Answers a row while the fence stands.
    /// Parameters: migration, epoch, walk, step, range.
    static let passing = """
        WITH fence AS MATERIALIZED (\(Fence.query))
        UPDATE sluice.checkpoint c SET calls = calls + 1
        WHERE c.migration = $1 AND c.walk = $3::bigint AND c.step = $4 AND c.range = $5::int
            AND EXISTS (SELECT FROM fence)
        RETURNING 1
        """
}
