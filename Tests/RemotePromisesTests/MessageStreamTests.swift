import DurablePromises
import Logging
import RemotePromises
import TestSupport
import Testing

@Suite("The stream of messages")
struct MessageStreamTests {
    @Test("is opened again at once when it has brought something, however short it was", .timeLimit(.minutes(1)))
    func again() async throws {
        let event = #"data: {"kind":"execute","head":{},"data":{"task":{"id":"a","version":2}}}"#
        let server = try ScriptedServer { _ in
            .write("HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n\(event)\n\n", thenClose: true)
        }
        defer { server.stop() }
        let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        let client = HTTPPromiseClient(url: server.url, random: { 0 }, logger: logger)
        let began = ContinuousClock.now
        var count = 0
        for await message in client.messages(group: "g", id: "1") {
            #expect(message == .execute(TaskReference(id: "a", version: 2)))
            count += 1
            if count == 10 { break }
        }
        // Ten pauses that grow would take a minute.
        #expect(ContinuousClock.now - began < .seconds(10))
        #expect(server.requests.count >= 10)
    }
}
