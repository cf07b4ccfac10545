import DurablePromises
import Prometheus
import Synchronization
import Testing

@testable import PromiseServer

@Suite("What a server counts")
struct ServerMetricsTests {
    @Test("a store is looked at once whenever somebody asks, and its numbers are of that moment")
    func oneLook() async {
        let metrics = ServerMetrics()
        let looks = Mutex<Int64>(0)
        metrics.watch {
            let look = looks.withLock { looks in
                looks += 1
                return looks
            }
            return StoreBacklog(promises: look == 1 ? nil : look, messages: look, dueTimers: look)
        }
        for look in 1...3 {
            let lines = await metrics.registry.text().split(separator: "\n").filter { $0.hasPrefix("sluice_store") }
            let names = (look == 1 ? [] : ["promises"]) + ["messages", "due_timers"]
            #expect(lines.map(String.init) == names.map { "sluice_store_\($0) \(look)" })
        }
    }
}
