/// What lets one worker, and no older one, change a migration's rows: an epoch that is minted in the target database.
///
/// Every statement of a worker takes the fence row `FOR SHARE` and does nothing unless it still carries the worker's
/// epoch. A plain read would not do: a stalled worker could commit after another one took over.
public struct Fence: Hashable, Sendable {
    /// `sluice.migration.id`.
    public let migration: String
    public let epoch: Int64

    public init(migration: String, epoch: Int64) {
        self.migration = migration
        self.epoch = epoch
    }

    /// One row while the fence stands. Parameters `$1` and `$2` are the migration and the epoch.
    public static let query = "SELECT 1 FROM sluice.migration WHERE id = $1 AND fence = $2 FOR SHARE"
}

/// Another worker has taken over: nothing of what was asked has happened.
public struct FenceLost: Error, Hashable, Sendable, CustomStringConvertible {
    public let fence: Fence

    public init(_ fence: Fence) {
        self.fence = fence
    }

    public var description: String {
        "another worker has taken over \(fence.migration) from epoch \(fence.epoch)"
    }
}
