import Hummingbird
import Logging
import Synchronization
import TestSupport
import Testing

@testable import OperatorServer

@Suite("A listener")
struct ListenerTests {
    @Test("takes requests for a while after it was asked to end, and then none")
    func lingers() async throws {
        let port = Mutex<Int?>(nil)
        let listener = Listener(
            .init(host: "127.0.0.1", port: 0), Listener.Routes().buildResponder(), logger: Logger(label: "test"))
        let linger = Duration.seconds(2)
        let serving = Task {
            try await listener.run(linger: linger) { found in port.withLock { $0 = found } }
        }
        let found = try await eventually("it listens") { port.withLock { $0 } }
        let start = ContinuousClock.now
        serving.cancel()
        // Nobody is told of a path here: that there is an answer counts.
        #expect(try await Self.status(found) == "404")
        try await serving.value
        #expect(ContinuousClock.now - start >= linger)
        #expect(try await Self.status(found) == "000")
    }

    private static func status(_ port: Int) async throws -> String {
        try await Program.run(
            "curl", ["--silent", "--output", "/dev/null", "--write-out", "%{http_code}", "http://127.0.0.1:\(port)/"]
        ).standardOutput
    }
}
