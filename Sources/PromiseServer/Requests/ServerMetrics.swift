public import DurablePromises
public import Prometheus

/// What a server counts.
public final class ServerMetrics: Sendable {
    public let registry: MetricsRegistry

    private let scheduledPromises: Counter
    private let deliveries: Family<Counter>
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

    /// Schedules have made so many promises.
    public func scheduled(_ count: Int) {
        scheduledPromises.increment(by: UInt64(count))
    }

    /// Tells how much is in a store, whenever somebody asks.
    public func watch(_ store: PromiseStore) {
        watch { try? await store.backlog() }
    }

    func watch(_ backlog: @escaping @Sendable () async -> StoreBacklog?) {
        typealias Part = MetricsRegistry.Part<StoreBacklog>
        let most = StoreBacklog.most
        registry.gauges(
            [
                Part("sluice_store_promises", "Promises, as PostgreSQL estimates them.") {
                    $0.promises.map { Double($0) }
                },
                Part("sluice_store_messages", "Messages that have not arrived, at most \(most).") {
                    Double($0.messages)
                },
                Part("sluice_store_due_timers", "Timers whose time has come, at most \(most).") {
                    Double($0.dueTimers)
                },
            ],
            read: backlog
        )
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
