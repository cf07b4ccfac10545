import Logging
import TestSupport
import Testing

@testable import ControllerRuntime

@Suite("Whether a loop is stuck")
struct HeartbeatTests {
    private let start = ContinuousClock.now

    @Test("it is while every worker has a key and none has come to an end with one for long")
    func stuck() {
        var heartbeat = Heartbeat()
        func isAlive(after seconds: Double) -> Bool {
            heartbeat.isAlive(at: start + .seconds(seconds), patience: .seconds(10))
        }
        #expect(isAlive(after: 100), "it does not run yet")
        heartbeat.started(workers: 2)
        #expect(isAlive(after: 100), "it has nothing to do")
        heartbeat.took(at: start)
        #expect(isAlive(after: 100), "another worker is free")
        heartbeat.took(at: start + .seconds(5))
        #expect(isAlive(after: 14) && !isAlive(after: 15))
        heartbeat.finished(at: start + .seconds(20))
        #expect(isAlive(after: 100))
        // Keys that wait while a worker is free are of a tenant that has all that it may.
        #expect(!heartbeat.isAlive(at: start + .seconds(30), patience: .seconds(10), keysWait: true))
        #expect(heartbeat.isAlive(at: start + .seconds(29), patience: .seconds(10), keysWait: true))
        heartbeat.took(at: start + .seconds(20))
        #expect(isAlive(after: 29) && !isAlive(after: 30), "the other one still has its key")
        heartbeat.ended()
        #expect(isAlive(after: 100), "it does not run any more")
    }

    @Test("a controller says so, until a worker gets on")
    func controller() async throws {
        let hold = Latch()
        let controller = Controller<String>(
            name: "test", workers: 1, patience: .milliseconds(20),
            logger: Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() })
        ) { _ in
            try await hold.wait()
            return .done
        }
        #expect(controller.isHealthy)
        controller.queue.add("a")
        let running = Task { await controller.run() }
        try await eventually("it is stuck") { !controller.isHealthy }
        hold.open()
        try await eventually("it goes on") { controller.isHealthy }
        running.cancel()
        await running.value
    }
}
