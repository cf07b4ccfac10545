import Foundation
import Synchronization

/// How long operations took, of any number of clients, until a time is over.
final class Measurement: Sendable {
    private let clock = ContinuousClock()
    private let began: ContinuousClock.Instant
    private let end: ContinuousClock.Instant
    private let usedBefore: Double
    private let milliseconds = Mutex<[Double]>([])

    init(seconds: Double) {
        began = clock.now
        end = began + .seconds(seconds)
        usedBefore = Self.usedSeconds
    }

    var isOver: Bool { clock.now >= end }

    func time<Value>(_ operation: () async throws -> Value) async throws -> Value {
        let start = clock.now
        let value = try await operation()
        let taken = (clock.now - start) / .milliseconds(1)
        milliseconds.withLock { $0.append(taken) }
        return value
    }

    /// The time that a share of the operations stayed within, in milliseconds.
    func percentile(_ share: Double) -> Double {
        let sorted = milliseconds.withLock { $0 }.sorted()
        return sorted.isEmpty ? 0 : sorted[min(sorted.count - 1, Int(Double(sorted.count) * share))]
    }

    /// One object on one line. `cpu_seconds` is what this process used, PostgreSQL not counted.
    func json(subject: String, clients: Int) -> String {
        """
        {"subject": "\(subject)", "clients": \(clients), "operations": \(milliseconds.withLock { $0.count }), \
        "seconds": \((clock.now - began) / .seconds(1)), "p50_ms": \(percentile(0.5)), "p99_ms": \(percentile(0.99)), \
        "cpu_seconds": \(Self.usedSeconds - usedBefore)}
        """
    }

    private static var usedSeconds: Double {
        Double(Foundation.clock()) / Double(CLOCKS_PER_SEC)
    }
}
