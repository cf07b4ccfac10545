import KubernetesClient
import Prometheus
import TestSupport
import Testing

@Suite("What clients tell of themselves")
struct ClientMetricsTests {
    @Test("each request is counted with the answer's status, or as an error, and so is each repetition")
    func counts() async throws {
        let server = try ScriptedServer { number in
            switch number {
            case 1: .answer("429 Too Many Requests", headers: ["Retry-After: 0"])
            case 2: .answer("404 Not Found")
            case 3: .answer("403 Forbidden")
            default: .hangUp
            }
        }
        defer { server.stop() }
        let registry = MetricsRegistry()
        let metrics = ClientMetrics(registry)
        let client = KubernetesClient(ClusterConfiguration(server: server.url), metrics: metrics)
        let host = "127.0.0.1:\(server.port)"
        #expect(await registry.text().contains("_duration_seconds_count{verb=\"PUT\",host=\"\(host)\"} 0\n"))
        #expect(try await client.find(.configMaps, ObjectKey("x", in: "y")) == nil)
        await #expect(throws: KubernetesError.self) {
            try await client.watch(DynamicObject.self, .configMaps, WatchOptions(resourceVersion: "0"))
        }
        // One more client of the same registry.
        let other = client.withOwnConnection(timeout: .seconds(5))
        await #expect(throws: KubernetesError.self) { try await other.create(.configMaps, in: "y", [:]) }
        let text = await registry.text()
        for line in [
            "rest_client_requests_total{code=\"429\",method=\"GET\",host=\"\(host)\"} 1",
            "rest_client_requests_total{code=\"404\",method=\"GET\",host=\"\(host)\"} 1",
            "rest_client_requests_total{code=\"403\",method=\"GET\",host=\"\(host)\"} 1",
            "rest_client_requests_total{code=\"<error>\",method=\"POST\",host=\"\(host)\"} 1",
            "rest_client_request_duration_seconds_count{verb=\"GET\",host=\"\(host)\"} 3",
            "rest_client_request_retries_total{code=\"429\",verb=\"GET\",host=\"\(host)\"} 1",
        ] {
            #expect(text.contains(line + "\n"), "\(line) is not in\n\(text)")
        }
    }
}
