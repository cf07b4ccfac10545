public import SchemaChange

/// By what a backfill is held, or made slower, for the good of everybody else. What is left out is as its accessor in
/// ``ThrottleRules`` says.
public struct ThrottleSettings: Codable, Hashable, Sendable {
    /// How far a standby or a subscriber may be behind, in time.
    public var maxReplicationLag: Limit<SpecDuration>?
    /// The same, in bytes of WAL.
    public var maxReplicationLagBytes: Limit<SpecByteCount>?
    /// How much WAL a replication slot may keep.
    public var maxSlotWAL: Limit<SpecByteCount>?
    /// How much WAL may wait for the archive.
    public var maxArchiveBacklog: Limit<SpecByteCount>?
    /// How long a session may have waited for a lock of the backfill's.
    public var maxBlocked: Limit<SpecDuration>?
    /// How old a transaction may be that keeps dead rows from being vacuumed.
    public var maxTransactionAge: Limit<SpecDuration>?
    /// How many transactions ago the rows were alive that a standby or a slot keeps from being vacuumed.
    public var maxSnapshotAge: Limit<Int64>?
    /// Dead rows of the table, in percent of its live ones.
    public var maxDeadRows: Limit<Int64>?
    public var autovacuum: AutovacuumPolicy?
    public var disk: DiskProbe?
    public var latency: LatencyProbe?
    /// When it may work; always where none is given.
    public var windows: [TimeWindow]?
    public var maxRowsPerSecond: Int64?
    /// How much of its workers may be at work, in percent: 50 of two workers is one, all the time; of one worker it is every
    /// other chunk's time.
    public var share: Int?
    /// How many workers of all migrations together may be at work on the server.
    public var serverWorkers: Int?

    public init() {}
}

/// Which vacuum of the table a backfill waits for. None is in its way; but one against wraparound must come to its end.
public enum AutovacuumPolicy: String, SpecWord, Sendable {
    /// One without which the server would stop accepting writes some day.
    case wraparound = "Wraparound"
    /// Any.
    case any = "Any"
    case ignore = "Ignore"
}

/// Asks how much room is left on disk, which PostgreSQL does not know.
public struct DiskProbe: Codable, Hashable, Sendable {
    /// Answers one row with one number: bytes. It is run with the rights of the backfill, read-only.
    public var query: String
    public var minFree: SpecByteCount

    public init(query: String, minFree: SpecByteCount) {
        self.query = query
        self.minFree = minFree
    }
}

/// A statement as the application makes it, whose time shows what the application feels.
public struct LatencyProbe: Codable, Hashable, Sendable {
    /// Run read-only, again and again, by the role of the backfill.
    public var query: String
    /// What about nine of ten runs may take.
    public var max: SpecDuration

    public init(query: String, max: SpecDuration) {
        self.query = query
        self.max = max
    }
}

/// What of the settings is in force, with the defaults for what is left out.
struct ThrottleRules: Sendable {
    let settings: ThrottleSettings

    init(_ settings: ThrottleSettings) {
        self.settings = settings
    }

    var maxReplicationLag: Duration? { (settings.maxReplicationLag ?? .at(SpecDuration(.seconds(10)))).value?.duration }
    var maxReplicationLagBytes: Int64? { (settings.maxReplicationLagBytes ?? .at(SpecByteCount(1 << 30))).value?.bytes }
    var maxSlotWAL: Int64? { (settings.maxSlotWAL ?? .at(SpecByteCount(16 << 30))).value?.bytes }
    var maxArchiveBacklog: Int64? { (settings.maxArchiveBacklog ?? .at(SpecByteCount(1 << 30))).value?.bytes }
    var maxBlocked: Duration? { (settings.maxBlocked ?? .at(SpecDuration(.milliseconds(100)))).value?.duration }
    var maxTransactionAge: Duration? {
        (settings.maxTransactionAge ?? .at(SpecDuration(.seconds(3600)))).value?.duration
    }
    var maxSnapshotAge: Int64? { (settings.maxSnapshotAge ?? .at(50_000_000)).value }
    var maxDeadRows: Int64? { (settings.maxDeadRows ?? .at(150)).value }
    var autovacuum: AutovacuumPolicy { settings.autovacuum ?? .wraparound }
    var serverWorkers: Int { max(1, settings.serverWorkers ?? 4) }
    /// 0.01 to 1.
    var share: Double { Double(min(100, max(1, settings.share ?? 100))) / 100 }
}
