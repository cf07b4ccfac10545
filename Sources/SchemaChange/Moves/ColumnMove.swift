/// Columns of one table that go to another one, which has a row for each of theirs, found through a key.
///
/// The values are copied as they are, both ways. So no row has to remember which side was written last: of each row of
/// ``table``, the old columns and those of its row in ``to`` are the same; where it has no row there, all of them are NULL.
public struct ColumnMove: Codable, Hashable, Sendable {
    /// A column of ``table``, and the one of ``to`` that stands for it.
    public struct Pair: Codable, Hashable, Sendable {
        public let from: Column
        public let to: Column
    }

    public let table: TableName
    public let to: TableName
    /// Tells its objects in the database from others': eight hexadecimal digits.
    public let token: String
    public let columns: [Pair]
    public let key: [Pair]
    /// The key by which ``table`` is walked.
    public let walkKey: [Column]
    /// Whether ``to`` was there before the plan.
    public let isToFound: Bool
    /// Statements that give the new columns the comments of the old ones, and what roles may do with those alone.
    public var settings: [String]?

    /// What the old column at `index` is called once it is in the archive.
    public func archived(_ index: Int) -> String { Mapping.archivedName(token: token, index: index) }

    /// The rows that a walk goes over: those of ``table``, by their key, and nothing of their columns.
    public var walked: Mapping {
        Mapping(
            table: table, token: token, old: [], new: [], forward: [:], backward: [:], named: [], notNull: [],
            key: walkKey)
    }

    /// Answers whether the foreign key is in force on which all of this rests: that no row of ``to`` is without one of
    /// ``table``, and goes with it.
    public var linkQuery: String {
        func numbers(_ relation: String, _ columns: [Column]) -> String {
            """
            (SELECT array_agg(attnum ORDER BY attnum) FROM pg_attribute WHERE attrelid = \(relation) \
            AND attname IN (\(columns.map(\.name.quotedLiteral).joined(separator: ", "))) AND NOT attisdropped)
            """
        }
        return """
            SELECT EXISTS (
                SELECT FROM pg_constraint q
                WHERE q.contype = 'f' AND q.conrelid = to_regclass(\(to.quoted.quotedLiteral))
                    AND q.confrelid = to_regclass(\(table.quoted.quotedLiteral))
                    AND q.convalidated AND NOT q.condeferrable AND q.confdeltype = 'c'
                    AND ARRAY(SELECT unnest(q.conkey) ORDER BY 1) = \(numbers("q.conrelid", key.map(\.to)))
                    AND ARRAY(SELECT unnest(q.confkey) ORDER BY 1) = \(numbers("q.confrelid", key.map(\.from)))
            ) AS is_there
            """
    }

    // MARK: SQL over both tables

    /// Two aliases stand for the same logical row.
    func joined(_ from: String, _ to: String) -> String {
        key.map { "\(to).\($0.to.quoted) = \(from).\($0.from.quoted)" }.joined(separator: " AND ")
    }

    func fromValues(_ alias: String) -> [String] { columns.map { "\(alias).\($0.from.quoted)" } }
    func toValues(_ alias: String) -> [String] { columns.map { "\(alias).\($0.to.quoted)" } }

    /// Compared as images, since `1.0 = 1.00`, and since `json` has no `=` at all.
    static func differ(_ left: [String], _ right: [String]) -> String {
        "record_image_ne(ROW(\(left.joined(separator: ", "))), ROW(\(right.joined(separator: ", "))))"
    }

    /// `IS NOT NULL` would be false of a row type some of whose fields are NULL.
    static func anyGiven(_ values: [String]) -> String {
        "(\(values.map { "\($0) IS DISTINCT FROM NULL" }.joined(separator: " OR ")))"
    }

    /// Of a row of ``table`` under the alias `from`: whether ``to`` has not all that it holds. What ``to`` holds instead of
    /// it is no such case, but a mismatch.
    public func isUnfilled(_ from: String) -> String {
        let held = zip(fromValues(from), toValues("sluice_held"))
            .map { "(\($0) IS NOT DISTINCT FROM NULL OR \($1) IS DISTINCT FROM NULL)" }
        return """
            (\(Self.anyGiven(fromValues(from))) AND NOT EXISTS (SELECT FROM \(to.quoted) AS sluice_held \
            WHERE \(joined(from, "sluice_held")) AND \(held.joined(separator: " AND "))))
            """
    }

    /// The end of an `INSERT INTO to AS sluice_to`, for when the row is there already: what it lacks it gets.
    public var fillIfThere: String {
        let set = columns.map { "\($0.to.quoted) = coalesce(sluice_to.\($0.to.quoted), excluded.\($0.to.quoted))" }
        let lacks = columns.map {
            "sluice_to.\($0.to.quoted) IS NOT DISTINCT FROM NULL AND excluded.\($0.to.quoted) IS DISTINCT FROM NULL"
        }
        return """
            ON CONFLICT (\(key.map(\.to.quoted).joined(separator: ", "))) DO UPDATE SET \(set.joined(separator: ", ")) \
            WHERE \(lacks.joined(separator: " OR "))
            """
    }

    /// The columns of ``to`` that an `INSERT` of ours names, and in the same order those of ``table`` that they come from.
    public var insertedColumns: String { (key + columns).map(\.to.quoted).joined(separator: ", ") }
    public func insertedValues(_ alias: String) -> String {
        (key + columns).map { "\(alias).\($0.from.quoted)" }.joined(separator: ", ")
    }

    /// Answers, of a sample of the pages, how many `rows` it has, the `share` of them that will have a row in ``to``, and its
    /// `width` there in bytes.
    public func sample(percent: Double, limit: Int64) -> String {
        let values = (key + columns).map { "s.\($0.from.quoted)" }.joined(separator: ", ")
        let given = Self.anyGiven(fromValues("s"))
        return """
            SELECT count(*) AS rows, coalesce(avg(CASE WHEN \(given) THEN 1.0 ELSE 0.0 END), 0)::float8 AS share, \
            coalesce(avg(pg_column_size(ROW(\(values)))) FILTER (WHERE \(given)), 0)::float8 AS width \
            FROM (SELECT * FROM \(table.quoted) TABLESAMPLE SYSTEM (\(percent)) LIMIT \(limit)) AS s
            """
    }

    /// A query over the rows of ``table`` for which `condition` is true: `key` as text, whether the sides are `broken`, and
    /// as `digest` what an expression over `sluice_from` and `sluice_to` says of both.
    public func comparison(where condition: String, digest: String) -> String {
        """
        SELECT concat_ws(', ', \(walkKey.map { "sluice_from.\($0.quoted)" }.joined(separator: ", "))) AS key, \
        \(Self.differ(fromValues("sluice_from"), toValues("sluice_to"))) AS broken, \(digest) AS digest \
        FROM (SELECT * FROM \(table.quoted) WHERE \(condition)) AS sluice_from \
        LEFT JOIN \(to.quoted) AS sluice_to ON \(joined("sluice_from", "sluice_to"))
        """
    }
}
