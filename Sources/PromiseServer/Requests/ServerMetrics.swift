internal import DurablePromises
public import Prometheus

/// What a server counts.
public final class ServerMetrics: Sendable {
    public let registry: MetricsRegistry

    /// Promises that schedules made; counted by whoever makes them.
    public let scheduledPromises: Counter
    /// Messages that were sent, or tried to be, by whether they arrived.
    public let deliveries: Family<Counter>

    private let requests: Family<Counter>
    private let durations: Family<Histogram>
    private let messages: Family<Counter>
    let connections: Gauge
    let streams: Gauge

    public init(registry: MetricsRegistry = MetricsRegistry()) {
        self.registry = registry
        requests = registry.counters(
            "resonate_request_total", "Requests answered.", labels: "kind", "status"
        )
        durations = registry.histograms(
            "resonate_request_duration_seconds", "How long requests took to answer.", labels: "kind"
        )
        messages = registry.counters("resonate_messages_total", "Messages taken for delivery.", labels: "kind")
        deliveries = registry.counters("resonate_deliveries_total", "Deliveries of messages.", labels: "status")
        scheduledPromises = registry.counter("resonate_schedule_promises_total", "Promises made by schedules.")
        connections = registry.gauge("sluice_server_connections", "Open connections.")
        streams = registry.gauge("sluice_server_streams", "Open streams of messages.")
    }

    func answered(_ kind: String, _ status: Int, nanoseconds: Int64) {
        requests.with(kind, String(status)).increment()
        durations.with(kind).observe(nanoseconds: nanoseconds)
    }

    func took(_ message: PromiseMessage) {
        switch message {
        case .execute: messages.with("execute").increment()
        case .unblock: messages.with("unblock").increment()
        }
    }

    func delivered(_ status: String) {
        deliveries.with(status).increment()
    }
}
