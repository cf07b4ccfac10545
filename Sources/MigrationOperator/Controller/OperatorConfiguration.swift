public import KubernetesClient

/// What an operator process is told when it starts.
public struct OperatorConfiguration: Sendable {
    public var cluster: ClusterConfiguration
    /// Where to look for Migrations; empty means everywhere.
    public var namespaces: [String] = []
    /// Unlike that of every other process: it owns leases and is named in events.
    public var identity: String
    /// The namespace of the Lease by which one process is elected.
    public var leaseNamespace: String = "sluice-system"
    public var leaseName = "sluice"
    /// For how long a task in a target database outlives its worker.
    public var workerLease: Duration = .seconds(15)
    /// The times of the Lease: how long it keeps others out, when a leader gives up, how often it tries.
    public var leadership: (lease: Duration, renewDeadline: Duration, retry: Duration) = (
        .seconds(15), .seconds(10), .seconds(2)
    )
    /// Objects that are reconciled at the same time, of each kind; in one namespace at most half as many.
    public var concurrency = 8
    /// Migrations that are worked on at the same time; in one namespace at most half as many. Each has up to
    /// `backfill.workers` and four sessions in its database.
    public var concurrentMigrations = 16
    /// How often a proof at rest is looked at, and with it what the old version wrote since and what the application wrote
    /// to one side alone.
    public var proofInterval: Duration = Timing.proofInterval
    /// For the `User-Agent`.
    public var version = "dev"

    public init(cluster: ClusterConfiguration, identity: String) {
        self.cluster = cluster
        self.identity = identity
    }
}
