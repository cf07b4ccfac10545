import Foundation
import KubernetesClient
import Testing

@testable import ControllerRuntime

@Suite("Events on their way")
struct EventBufferTests {
    private let start = Date(timeIntervalSince1970: 1_700_000_000)

    private func event(_ name: String, version: String = "1") -> EventBuffer.Recorded {
        EventBuffer.Recorded(
            regarding: ObjectReference(namespace: "shop", name: name, uid: name, resourceVersion: version),
            type: "Normal", reason: "Started", action: "Start", note: "It began.")
    }

    @Test("what comes beyond the queue's end is dropped and counted, and takes nobody's place")
    func bounded() {
        var buffer = EventBuffer(capacity: 2)
        for name in ["a", "b", "c", "d"] { buffer.record(event(name), at: start) }
        #expect(buffer.dropped == 2)
        #expect(buffer.next()?.event.regarding.name == "a")
        #expect(buffer.next()?.event.regarding.name == "b")
        #expect(buffer.next() == nil)
        buffer.record(event("c"), at: start)
        #expect(buffer.next()?.count == 1)
    }

    @Test("a repetition is a count of the first one, within six minutes of the last; while it waits it takes no room")
    func series() throws {
        var buffer = EventBuffer(capacity: 2)
        for second in 0..<5 { buffer.record(event("a", version: "\(second)"), at: start + Double(second)) }
        let firstWrite = buffer.next()
        let first = try #require(firstWrite)
        #expect(first.count == 5 && first.last == start + 4)
        #expect(buffer.next() == nil)
        buffer.record(event("a"), at: start + 4 + 359)
        let secondWrite = buffer.next()
        let second = try #require(secondWrite)
        #expect(second.count == 6 && second.name == first.name)
        buffer.record(event("a"), at: start + 4 + 359 + 360)
        let thirdWrite = buffer.next()
        let third = try #require(thirdWrite)
        #expect(third.count == 1 && third.name != first.name)
        #expect(buffer.dropped == 0)
    }

    @Test("however many different ones there are within six minutes, no more are kept in mind than there is room for")
    func memory() {
        var buffer = EventBuffer(capacity: 10)
        for number in 0..<1000 {
            buffer.record(event("\(number)"), at: start)
            let write = buffer.next()
            #expect(write?.event.regarding.name == "\(number)")
            #expect(buffer.remembered <= 10)
        }
        #expect(buffer.dropped == 0)
    }
}
