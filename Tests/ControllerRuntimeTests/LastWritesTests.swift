import KubernetesClient
import Synchronization
import Testing

@testable import ControllerRuntime

@Suite("What we wrote last")
struct LastWritesTests {
    @Test(
        "a cache is waited for until it has our write, but not for ever",
        arguments: [
            ("8", 0, false), ("9", 0, true), ("10", 0, true), ("8", 29, false), ("8", 30, true), (nil, 0, true),
        ])
    func reached(_ cached: String?, _ seconds: Int, _ isReached: Bool) throws {
        let clock = Clock()
        let writes = LastWrites(now: { clock.now })
        let written = try object(version: "9")
        writes.wrote(written)
        clock.advance(by: .seconds(seconds))
        let seen = try cached.map { try object(version: $0).metadata }
        #expect(writes.isReached(by: seen, for: written.key) == isReached)
        let old = try object(version: "8").metadata
        #expect(writes.isReached(by: old, for: written.key) == isReached, "what is reached is forgotten")
    }
}

private final class Clock: Sendable {
    private let instant = Mutex(ContinuousClock.now)
    var now: ContinuousClock.Instant { instant.withLock { $0 } }
    func advance(by duration: Duration) { instant.withLock { $0 += duration } }
}

private func object(version: String) throws -> DynamicObject {
    try DynamicObject(["metadata": ["name": "a", "namespace": "shop", "resourceVersion": .string(version)]])
}
