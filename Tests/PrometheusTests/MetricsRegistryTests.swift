import Prometheus
import Synchronization
import Testing

@Suite("Metrics")
struct MetricsRegistryTests {
    @Test("are told in Prometheus' text format, in the order in which they were made")
    func text() async {
        let registry = MetricsRegistry()
        let requests = registry.counters("requests_total", "Requests answered.", labels: "kind", "status")
        let streams = registry.gauge("streams", "Open streams,\nat present.")
        requests.with("b", "200").increment()
        requests.with("a", "404").increment(by: 3)
        requests.with("b", "200").increment()
        streams.add(5)
        streams.add(-1)
        registry.gauge("tasks", "Tasks by state.") { [.init(0.5, labels: ["state": #"a"b\c"#]), .init(2)] }
        #expect(
            await registry.text() == #"""
                # HELP requests_total Requests answered.
                # TYPE requests_total counter
                requests_total{kind="a",status="404"} 3
                requests_total{kind="b",status="200"} 2
                # HELP streams Open streams,\nat present.
                # TYPE streams gauge
                streams 4
                # HELP tasks Tasks by state.
                # TYPE tasks gauge
                tasks{state="a\"b\\c"} 0.5
                tasks 2

                """#
        )
    }

    @Test("a histogram counts what took at most as long as each bound, itself included")
    func histogram() async {
        let registry = MetricsRegistry()
        let seconds = registry.histograms(
            "duration_seconds", "Durations.", labels: "kind", bounds: [.milliseconds(1), .seconds(1)]
        )
        let histogram = seconds.with("x")
        for duration in [Duration.microseconds(500), .milliseconds(1), .milliseconds(2), .seconds(2)] {
            histogram.observe(duration)
        }
        #expect(
            await registry.text().split(separator: "\n").dropFirst(2) == [
                #"duration_seconds_bucket{kind="x",le="0.001"} 2"#,
                #"duration_seconds_bucket{kind="x",le="1"} 3"#,
                #"duration_seconds_bucket{kind="x",le="+Inf"} 4"#,
                #"duration_seconds_sum{kind="x"} 2.0035"#,
                #"duration_seconds_count{kind="x"} 4"#,
            ]
        )
    }

    @Test("a number that cannot be looked up in time is left out, and the others are told")
    func slow() async {
        let registry = MetricsRegistry()
        registry.gauge("slow", "Hangs.") {
            try? await Task.sleep(for: .seconds(3600))
            return [.init(1)]
        }
        registry.counter("fast_total", "Does not.").increment()
        let text = await registry.text()
        #expect(!text.contains("\nslow 1"))
        #expect(text.contains("\nfast_total 1"))
    }

    @Test("numbers that belong together are looked up once whenever somebody asks")
    func together() async {
        let registry = MetricsRegistry()
        let looks = Mutex(0)
        typealias Part = MetricsRegistry.Part<Double>
        let parts = [Part("a", "One.") { $0 }, Part("b", "None.") { _ in nil }, Part("c", "Twice.") { $0 * 2 }]
        registry.gauges(parts) {
            let look = looks.withLock { looks in
                looks += 1
                return looks
            }
            return look == 3 ? nil : Double(look)
        }
        let heads = [
            "# HELP a One.\n# TYPE a gauge\n", "# HELP b None.\n# TYPE b gauge\n# HELP c Twice.\n# TYPE c gauge\n",
        ]
        #expect(await registry.text() == heads[0] + "a 1\n" + heads[1] + "c 2\n")
        #expect(await registry.text() == heads[0] + "a 2\n" + heads[1] + "c 4\n")
        #expect(await registry.text() == heads[0] + heads[1])
    }
}
