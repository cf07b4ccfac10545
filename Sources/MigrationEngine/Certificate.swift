public import Foundation

/// The result of a verification of every row, bound to the migration, the plan, the triggers, and the server and database on
/// which it was made. It can be checked again: what it says of each range is also in the ledger's checkpoints, and every row
/// can be compared with it.
///
/// One of before ledger version 6 has no ``migration``, ``database``, ``walk``, ``ranges`` and ``checksum``. It holds as
/// long as the checkpoints of its walk say what it says, until the rows are verified anew.
public struct Certificate: Sendable, Hashable, Codable {
    public var planHash: String
    public var rowsCompared: Int64
    /// Rows that the old side wrote last.
    public var oldSide: Int64
    /// Rows that the new side wrote last.
    public var newSide: Int64
    public var mismatches: Int64
    /// Of the triggers that keep it true: object ids, states, sources and row versions.
    public var triggers: String
    /// `pg_current_wal_lsn()` when the last chunk had been compared.
    public var walPosition: String
    public var systemIdentifier: String
    public var timeline: Int
    public var at: Date
    /// True where no row was compared: somebody said that the database had it already.
    public var baseline: Bool?
    /// `namespace/name`.
    public var migration: String?
    /// Its name on the server.
    public var database: String?
    /// The number of the walk whose checkpoints say the same.
    public var walk: Int64?
    /// What was compared, about ``Range/limit`` of them; of each table they cover all rows.
    public var ranges: [Range]?
    /// Of all the rest, `sha256:…`. It tells what was changed afterwards, not who wrote it.
    public var checksum: String?

    public init(
        planHash: String,
        rowsCompared: Int64,
        oldSide: Int64,
        newSide: Int64,
        mismatches: Int64,
        triggers: String,
        walPosition: String,
        systemIdentifier: String,
        timeline: Int,
        at: Date,
        baseline: Bool? = nil,
        migration: String? = nil,
        database: String? = nil,
        walk: Int64? = nil,
        ranges: [Range]? = nil
    ) {
        self.planHash = planHash
        self.rowsCompared = rowsCompared
        self.oldSide = oldSide
        self.newSide = newSide
        self.mismatches = mismatches
        self.triggers = triggers
        self.walPosition = walPosition
        self.systemIdentifier = systemIdentifier
        self.timeline = timeline
        self.at = at
        self.baseline = baseline
        self.migration = migration
        self.database = database
        self.walk = walk
        self.ranges = ranges
    }
}
