public import Prometheus
internal import Synchronization

/// What work queues tell of themselves, under the names of client-go's `util/workqueue/metrics.go`. Label `name`: the queue.
///
/// Made once for a registry, and shared by all queues. Those with one name share its series, as the queues of a process
/// do that comes to lead a second time: the last one made is the one whose depth is told.
public struct WorkQueueMetrics: Sendable {
    /// What a queue has at a moment.
    struct Reading: Sendable {
        var depth = 0
        var unfinished: Duration = .zero
        var longest: Duration = .zero
    }

    /// What a queue counts.
    struct Series: Sendable {
        let additions: Counter
        let retries: Counter
        let waited: Histogram
        let worked: Histogram
    }

    private final class Queues: Sendable {
        private let readers = Mutex<[String: @Sendable () -> Reading?]>([:])

        func set(_ name: String, _ read: @escaping @Sendable () -> Reading?) {
            readers.withLock { $0[name] = read }
        }

        /// Of a queue that is gone: nothing.
        func samples(_ value: (Reading) -> Double) -> [MetricsRegistry.Sample] {
            readers.withLock { $0 }
                .sorted { $0.key < $1.key }
                .map { .init(value($0.value() ?? Reading()), labels: ["name": $0.key]) }
        }
    }

    /// From a millisecond to a quarter of an hour: what waits for an API server, or for its turn after failures.
    static let bounds: [Duration] = [
        .milliseconds(1), .milliseconds(5), .milliseconds(10), .milliseconds(50), .milliseconds(100),
        .milliseconds(500), .seconds(1), .seconds(5), .seconds(10), .seconds(60), .seconds(300), .seconds(1000),
    ]

    private let queues = Queues()
    private let additions: Family<Counter>
    private let retries: Family<Counter>
    private let waited: Family<Histogram>
    private let worked: Family<Histogram>

    /// - Parameters:
    ///   - registry: where they are read. It must have none of these yet.
    ///   - names: of queues whose series shall be there, at 0, before the queues are.
    public init(_ registry: MetricsRegistry, names: [String] = []) {
        let queues = queues
        registry.gauge("workqueue_depth", "Keys that wait for a worker.") { queues.samples { Double($0.depth) } }
        additions = registry.counters("workqueue_adds_total", "Keys added that did not wait yet.", labels: "name")
        waited = registry.histograms(
            "workqueue_queue_duration_seconds", "How long a key waits for a worker.", labels: "name",
            bounds: Self.bounds)
        worked = registry.histograms(
            "workqueue_work_duration_seconds", "How long a worker has a key.", labels: "name", bounds: Self.bounds)
        registry.gauge(
            "workqueue_unfinished_work_seconds", "How long workers have had the keys that they have, all together."
        ) { queues.samples { $0.unfinished / .seconds(1) } }
        registry.gauge(
            "workqueue_longest_running_processor_seconds", "How long the slowest worker has had the key that it has."
        ) { queues.samples { $0.longest / .seconds(1) } }
        retries = registry.counters(
            "workqueue_retries_total", "Keys added for later, after a failure or on request.", labels: "name")
        for name in names {
            _ = series(of: name)
            read(name) { nil }
        }
    }

    func series(of name: String) -> Series {
        Series(
            additions: additions.with(name), retries: retries.with(name), waited: waited.with(name),
            worked: worked.with(name))
    }

    /// Has the queue looked at whenever somebody asks.
    ///
    /// - Parameter queue: what it has now; nil once it is gone.
    func read(_ name: String, _ queue: @escaping @Sendable () -> Reading?) {
        queues.set(name, queue)
    }
}
