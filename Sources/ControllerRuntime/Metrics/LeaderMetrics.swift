public import Prometheus

/// Whether this process leads, under client-go's name (`tools/leaderelection/metrics.go`). Label `name`: the lease's name.
public struct LeaderMetrics: Sendable {
    private let status: Family<Gauge>

    /// - Parameter registry: where it is read. It must not have it yet.
    public init(_ registry: MetricsRegistry) {
        status = registry.gauges(
            "leader_election_master_status", "1 while this process holds the lease, else 0.", labels: "name")
    }

    /// 0 until it is set.
    func status(of lease: String) -> Gauge { status.with(lease) }
}
