import KubernetesClient
import Logging
import Prometheus
import Synchronization
import TestSupport
import Testing

@testable import ControllerRuntime

private let logger = Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() })

@Suite("What controllers tell of themselves")
struct MetricsTests {
    /// The lines of a registry that are no comment and no bucket.
    private func lines(_ registry: MetricsRegistry) async -> [String] {
        await registry.text().split(separator: "\n").map(String.init)
            .filter { !$0.hasPrefix("#") && !$0.contains("_bucket") }
    }

    private func value(_ name: String, _ registry: MetricsRegistry) async -> Double? {
        await lines(registry).first { $0.hasPrefix(name + " ") }.flatMap { Double($0.dropFirst(name.count + 1)) }
    }

    @Test("every series whose labels are known is there, at 0, before there is a queue or a controller")
    func beginning() async {
        let registry = MetricsRegistry()
        _ = ControllerMetrics(registry, names: ["a"])
        _ = WorkQueueMetrics(registry, names: ["a"])
        _ = LeaderMetrics(registry).status(of: "sluice")
        #expect(
            await lines(registry) == [
                #"controller_runtime_reconcile_total{controller="a",result="error"} 0"#,
                #"controller_runtime_reconcile_total{controller="a",result="requeue_after"} 0"#,
                #"controller_runtime_reconcile_total{controller="a",result="success"} 0"#,
                #"controller_runtime_reconcile_errors_total{controller="a"} 0"#,
                #"controller_runtime_terminal_reconcile_errors_total{controller="a"} 0"#,
                #"controller_runtime_reconcile_time_seconds_sum{controller="a"} 0"#,
                #"controller_runtime_reconcile_time_seconds_count{controller="a"} 0"#,
                #"controller_runtime_max_concurrent_reconciles{controller="a"} 0"#,
                #"controller_runtime_active_workers{controller="a"} 0"#,
                #"workqueue_depth{name="a"} 0"#,
                #"workqueue_adds_total{name="a"} 0"#,
                #"workqueue_queue_duration_seconds_sum{name="a"} 0"#,
                #"workqueue_queue_duration_seconds_count{name="a"} 0"#,
                #"workqueue_work_duration_seconds_sum{name="a"} 0"#,
                #"workqueue_work_duration_seconds_count{name="a"} 0"#,
                #"workqueue_unfinished_work_seconds{name="a"} 0"#,
                #"workqueue_longest_running_processor_seconds{name="a"} 0"#,
                #"workqueue_retries_total{name="a"} 0"#,
                #"leader_election_master_status{name="sluice"} 0"#,
            ])
    }

    @Test("each outcome of a reconcile is counted, and what waits and is worked on meanwhile")
    func outcomes() async throws {
        struct Failure: Error {}
        let registry = MetricsRegistry()
        let queue = WorkQueue<String>(name: "test", metrics: WorkQueueMetrics(registry))
        let hold = Latch()
        let tries = Mutex(0)
        let controller = Controller<String>(
            name: "test", workers: 1, queue: queue, metrics: ControllerMetrics(registry), logger: logger
        ) { key in
            switch key {
            case "terminal": throw TerminalError(Failure())
            case "failing"
            where tries.withLock({
                $0 += 1; return $0
            }) < 3: throw Failure()
            case "later": return .requeue(after: .seconds(3600))
            case "slow": try await hold.wait()
            default: break
            }
            return .done
        }
        for key in ["terminal", "failing", "later", "good"] { queue.add(key) }
        let running = Task { await controller.run() }
        let results = #"controller_runtime_reconcile_total{controller="test",result="#
        try await eventually("two successes") { await value(results + #""success"}"#, registry) == 2 }
        #expect(await value(results + #""error"}"#, registry) == 3)
        #expect(await value(results + #""requeue_after"}"#, registry) == 1)
        #expect(await value(#"controller_runtime_reconcile_errors_total{controller="test"}"#, registry) == 3)
        #expect(await value(#"controller_runtime_terminal_reconcile_errors_total{controller="test"}"#, registry) == 1)
        #expect(await value(#"controller_runtime_max_concurrent_reconciles{controller="test"}"#, registry) == 1)
        // Two failures and one wish.
        #expect(await value(#"workqueue_retries_total{name="test"}"#, registry) == 3)
        #expect(await value(#"workqueue_adds_total{name="test"}"#, registry) == 6)

        queue.add("slow")
        try await eventually("the worker is busy") {
            await value(#"controller_runtime_active_workers{controller="test"}"#, registry) == 1
        }
        for key in ["good", "good", "slow"] { queue.add(key) }
        #expect(await value(#"workqueue_depth{name="test"}"#, registry) == 1)
        #expect(await value(#"workqueue_adds_total{name="test"}"#, registry) == 9)
        let longest = try #require(
            await value(#"workqueue_longest_running_processor_seconds{name="test"}"#, registry))
        #expect(longest > 0)
        #expect(try #require(await value(#"workqueue_unfinished_work_seconds{name="test"}"#, registry)) >= longest)
        hold.open()
        try await eventually("all is done") { await value(results + #""success"}"#, registry) == 5 }
        #expect(await value(#"controller_runtime_reconcile_time_seconds_count{controller="test"}"#, registry) == 9)
        try await eventually("all is counted") {
            await value(#"workqueue_work_duration_seconds_count{name="test"}"#, registry) == 9
        }
        #expect(await value(#"workqueue_queue_duration_seconds_count{name="test"}"#, registry) == 9)
        #expect(await value(#"workqueue_unfinished_work_seconds{name="test"}"#, registry) == 0)
        running.cancel()
        await running.value
    }

    @Test("a queue that is gone has nothing, and the next of its name goes on with its counts")
    func nextOfItsName() async {
        let registry = MetricsRegistry()
        let metrics = WorkQueueMetrics(registry)
        do {
            let queue = WorkQueue<String>(name: "test", metrics: metrics)
            queue.add("a")
            #expect(await value(#"workqueue_depth{name="test"}"#, registry) == 1)
        }
        #expect(await value(#"workqueue_depth{name="test"}"#, registry) == 0)
        let queue = WorkQueue<String>(name: "test", metrics: metrics)
        queue.add("a")
        queue.add("b")
        #expect(await value(#"workqueue_depth{name="test"}"#, registry) == 2)
        #expect(await value(#"workqueue_adds_total{name="test"}"#, registry) == 3)
    }
}
