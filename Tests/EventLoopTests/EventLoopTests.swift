import Foundation
import Synchronization
import Testing

@testable import EventLoop

@Suite("The event loop")
struct EventLoopTests {
    @Test("all isolated code runs on one thread, which is not the caller's")
    func oneThread() async {
        let threads = await withTaskGroup(of: UInt.self) { group in
            for _ in 0..<100 { group.addTask { await onLoop { UInt(pthread_self()) } } }
            return await group.reduce(into: Set()) { $0.insert($1) }
        }
        #expect(threads.count == 1)
    }

    @Test("timers fire in the order of their deadlines, and a cancelled one never")
    func timers() async {
        let fired = await withCheckedContinuation { continuation in
            Task { @EventLoop in
                var fired: [Int] = []
                EventLoop.schedule(after: .milliseconds(20)) { fired.append(2) }
                EventLoop.schedule(after: .milliseconds(5)) { fired.append(1) }
                let cancelled = EventLoop.schedule(after: .milliseconds(10)) { fired.append(-1) }
                cancelled.cancel()
                EventLoop.schedule(after: .milliseconds(40)) { continuation.resume(returning: fired) }
            }
        }
        #expect(fired == [1, 2])
    }

    @Test("a descriptor that becomes readable wakes its watch, until it is cancelled")
    func watch() async {
        var ends: [Int32] = [0, 0]
        #expect(pipe(&ends) == 0)
        defer { ends.forEach { close($0) } }
        let (reading, writing) = (ends[0], ends[1])
        let received = await withCheckedContinuation { continuation in
            Task { @EventLoop in
                var watch: Watch?
                watch = EventLoop.watch(reading, for: .readable) { ready in
                    var byte: UInt8 = 0
                    _ = read(reading, &byte, 1)
                    watch?.cancel()
                    continuation.resume(returning: ready.contains(.readable) ? byte : 0)
                }
                EventLoop.schedule(after: .milliseconds(5)) {
                    var byte: UInt8 = 42
                    _ = write(writing, &byte, 1)
                }
            }
        }
        #expect(received == 42)
    }
}

@EventLoop
private func onLoop<Value: Sendable>(_ body: () -> Value) -> Value {
    body()
}
