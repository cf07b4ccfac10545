import Testing

@testable import RemotePromises

@Suite("Server-sent events")
struct ServerSentEventsTests {
    @Test("come whole, whichever byte the pieces end at; comments, other fields and ends without data are passed over")
    func pieces() throws {
        let text = Array(": ping\n\ndata: {\"a\":\"ä\"}\n\nid: 7\ndata:b\r\ndata: c\r\n\r\n\n\ndata: unfinished\n".utf8)
        for first in 0...text.count {
            var events = ServerSentEvents()
            var found: [String] = []
            for piece in [text[..<first], text[first...]] {
                events.append(Array(piece))
                while let event = try events.next() { found.append(String(decoding: event, as: UTF8.self)) }
            }
            #expect(found == ["{\"a\":\"ä\"}", "b\nc"], "split at \(first)")
        }
    }

    @Test("a server that is gone is asked again at once, then more and more rarely, not by all at the same moment")
    func backoff() {
        let early = PollBackoff { 0 }
        let late = PollBackoff { 0.999 }
        #expect(early.pause(failures: 0) == .milliseconds(50))
        #expect(late.pause(failures: 0) < .milliseconds(100))
        #expect(early.pause(failures: 5) == .milliseconds(1600))
        #expect(early.pause(failures: 1000) == .seconds(15))
        #expect(late.pause(failures: 1000) < .seconds(30))
    }
}
