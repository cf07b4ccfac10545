public import Prometheus

/// What controllers tell of themselves, under controller-runtime's names (`pkg/internal/controller/metrics`). Label
/// `controller`: its name.
///
/// Made once for a registry, and shared by all controllers.
public struct ControllerMetrics: Sendable {
    /// What one controller counts.
    struct Series: Sendable {
        let succeeded: Counter
        let requeued: Counter
        let failed: Counter
        let errors: Counter
        let terminalErrors: Counter
        let seconds: Histogram
        let activeWorkers: Gauge
        let workers: Gauge
    }

    /// From 5 ms to a minute.
    static let bounds: [Duration] = [
        .milliseconds(5), .milliseconds(10), .milliseconds(25), .milliseconds(50), .milliseconds(100),
        .milliseconds(250), .milliseconds(500), .seconds(1), .milliseconds(2500), .seconds(5), .seconds(10),
        .seconds(30), .seconds(60),
    ]

    private let reconciles: Family<Counter>
    private let errors: Family<Counter>
    private let terminalErrors: Family<Counter>
    private let seconds: Family<Histogram>
    private let activeWorkers: Family<Gauge>
    private let workers: Family<Gauge>

    /// - Parameters:
    ///   - registry: where they are read. It must have none of these yet.
    ///   - names: of controllers whose series shall be there, at 0, before the controllers are.
    public init(_ registry: MetricsRegistry, names: [String] = []) {
        reconciles = registry.counters(
            "controller_runtime_reconcile_total", "Reconciles, by what came of them.", labels: "controller", "result")
        errors = registry.counters(
            "controller_runtime_reconcile_errors_total", "Reconciles that failed.", labels: "controller")
        terminalErrors = registry.counters(
            "controller_runtime_terminal_reconcile_errors_total", "Reconciles that failed for good.",
            labels: "controller")
        seconds = registry.histograms(
            "controller_runtime_reconcile_time_seconds", "How long a reconcile takes.", labels: "controller",
            bounds: Self.bounds)
        workers = registry.gauges(
            "controller_runtime_max_concurrent_reconciles",
            "Workers, which is how many reconciles there can be at once.",
            labels: "controller")
        activeWorkers = registry.gauges(
            "controller_runtime_active_workers", "Workers that reconcile at present.", labels: "controller")
        for name in names { _ = series(of: name) }
    }

    func series(of name: String) -> Series {
        Series(
            succeeded: reconciles.with(name, "success"), requeued: reconciles.with(name, "requeue_after"),
            failed: reconciles.with(name, "error"), errors: errors.with(name),
            terminalErrors: terminalErrors.with(name), seconds: seconds.with(name),
            activeWorkers: activeWorkers.with(name), workers: workers.with(name))
    }
}
