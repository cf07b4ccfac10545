internal import Foundation
internal import PostgreSQL

/// One range of a table's keys or pages, how far it has been walked, and what was counted on the way. It is written by the same
/// statement that does the rows, so it is never ahead of them, nor behind.
struct Checkpoint: Sendable, Hashable {
    let range: Int
    /// Of a range of pages: whose.
    let file: HeapFile?
    /// The key after which the range begins, or its first page; nil at the table's start.
    let lower: [String]?
    /// The key with which it ends, or the page before which it does; nil at the table's end.
    let upper: [String]?
    /// The last key that is done, or where a walk by pages stands, see ``PagedPosition``; nil before the first chunk.
    var position: [String]?
    var tally: ChunkTally
    var isDone: Bool
    /// How many calls of a worker are behind it: with that the next one has the same id, whoever makes it.
    var calls: Int64

    /// Its rows.
    var span: RowSpan {
        RowSpan(file: file, after: file != nil && lower == ["0"] ? nil : lower, upTo: upper)
    }

    /// Of the last range of a file: the page before which the file ended when it was pinned. Nil where that is not known.
    var fileEnd: Int64? {
        guard file != nil, upper == nil else { return nil }
        return isDone ? position?.page : position.flatMap { PagedPosition($0, of: 0) }?.fileEnd
    }

    /// One of which nothing is done.
    init(range: Int, file: HeapFile?, lower: [String]?, upper: [String]?) {
        self.range = range
        self.file = file
        self.lower = lower
        self.upper = upper
        position = nil
        tally = ChunkTally()
        isDone = false
        calls = 0
    }

    init(_ row: PostgresRow) throws {
        range = Int(try row.integer("range"))
        file =
            row["relation"] == nil
            ? nil : HeapFile(relation: try row.integer("relation"), filenode: try row.integer("filenode"))
        lower = try row["lower"].map(Self.key)
        upper = try row["upper"].map(Self.key)
        position = try row["position"].map(Self.key)
        tally = try ChunkTally(row)
        isDone = try row.boolean("done")
        calls = try row.integer("calls")
    }

    private static func key(_ json: String) throws -> [String] {
        try JSONDecoder().decode([String].self, from: Data(json.utf8))
    }

    static let columns = """
        range, relation::bigint, filenode::bigint, to_json(lower) AS lower, to_json(upper) AS upper, to_json("position") AS "position",
        rows, old_side, new_side, mismatches, to_json(examples) AS examples, digest, done, calls
        """
}

/// What chunks counted.
public struct ChunkTally: Sendable, Hashable {
    public var rows: Int64 = 0
    public var oldSide: Int64 = 0
    public var newSide: Int64 = 0
    public var mismatches: Int64 = 0
    /// The keys of a few mismatches.
    public var examples: [String] = []
    /// Of the rows that were compared, see ``RowDigest``: that of two tallies together is the XOR. Nil where some of them were
    /// counted by a version that made none.
    public var digest: Int64? = 0

    public init() {}

    init(_ row: PostgresRow) throws {
        rows = try row.integer("rows")
        oldSide = try row.integer("old_side")
        newSide = try row.integer("new_side")
        mismatches = try row.integer("mismatches")
        examples = try JSONDecoder().decode([String].self, from: Data(try row.text("examples").utf8))
        digest = row["digest"] == nil ? nil : try row.integer("digest")
    }

    public static func += (left: inout ChunkTally, right: ChunkTally) {
        left.rows += right.rows
        left.oldSide += right.oldSide
        left.newSide += right.newSide
        left.mismatches += right.mismatches
        left.examples = Array((left.examples + right.examples).prefix(5))
        left.digest = if let one = left.digest, let other = right.digest { one ^ other } else { nil }
    }
}

/// The table of checkpoints, in the schema that Sluice owns.
public enum CheckpointTable {
    /// Safe to run again.
    public static let schema = [
        table,
        "ALTER TABLE sluice.checkpoint ADD COLUMN IF NOT EXISTS calls bigint NOT NULL DEFAULT 0",
        "ALTER TABLE sluice.checkpoint ADD COLUMN IF NOT EXISTS relation oid",
        "ALTER TABLE sluice.checkpoint ADD COLUMN IF NOT EXISTS filenode oid",
        // NULL in those that are there already: what an older version has compared has no digest.
        "ALTER TABLE sluice.checkpoint ADD COLUMN IF NOT EXISTS digest bigint",
    ]

    /// Room is left in each page, so that an update stays in it.
    private static let table = """
        CREATE TABLE IF NOT EXISTS sluice.checkpoint (
            migration text NOT NULL,
            walk bigint NOT NULL,
            step text NOT NULL,
            range int NOT NULL,
            lower text[],
            upper text[],
            "position" text[],
            rows bigint NOT NULL DEFAULT 0,
            old_side bigint NOT NULL DEFAULT 0,
            new_side bigint NOT NULL DEFAULT 0,
            mismatches bigint NOT NULL DEFAULT 0,
            examples text[] NOT NULL DEFAULT '{}',
            done boolean NOT NULL DEFAULT false,
            PRIMARY KEY (migration, walk, step, range)
        ) WITH (fillfactor = 20)
        """
}
