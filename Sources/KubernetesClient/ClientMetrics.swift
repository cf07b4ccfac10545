public import Prometheus

/// What clients of an API server tell of themselves, under client-go's names (`tools/metrics/metrics.go`).
///
/// Made once for a registry, and shared by all clients.
public struct ClientMetrics: Sendable {
    /// What one client counts. Label `host`: the server's address.
    struct Series: Sendable {
        let host: String
        let requests: Family<Counter>
        let seconds: Family<Histogram>
        let retries: Family<Counter>

        /// A request was sent, and answered after `duration`: with a status, or not at all. Of a watch, the answer's head
        /// counts.
        func sent(_ method: String, status: Int?, after duration: Duration) {
            requests.with(status.map(String.init) ?? "<error>", method, host).increment()
            seconds.with(method, host).observe(duration)
        }

        /// It is sent again after an answer of `status`.
        func retried(_ method: String, status: Int) {
            retries.with(String(status), method, host).increment()
        }
    }

    private static let methods = ["GET", "POST", "PUT", "PATCH", "DELETE"]

    private let requests: Family<Counter>
    private let seconds: Family<Histogram>
    private let retries: Family<Counter>

    /// - Parameter registry: where they are read. It must have none of these yet.
    public init(_ registry: MetricsRegistry) {
        requests = registry.counters(
            "rest_client_requests_total", "Requests to the API server, by the status of the answer.",
            labels: "code", "method", "host")
        seconds = registry.histograms(
            "rest_client_request_duration_seconds", "How long the API server takes to answer.", labels: "verb", "host")
        retries = registry.counters(
            "rest_client_request_retries_total", "Requests sent again, by the status that caused it.",
            labels: "code", "verb", "host")
    }

    /// - Parameter server: the server's URL.
    func series(of server: String) -> Series {
        let host = server.firstRange(of: "://").map { String(server[$0.upperBound...].prefix { $0 != "/" }) } ?? server
        for method in Self.methods { _ = seconds.with(method, host) }
        return Series(host: host, requests: requests, seconds: seconds, retries: retries)
    }
}
