import DurablePromises
import Logging
import RemotePromises
import Synchronization
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

    @Test("what is wrong with a server is said without the password of its URL", .timeLimit(.minutes(1)))
    func secrets() async throws {
        let server = try ScriptedServer { _ in .answer("502 Bad Gateway", body: "what a proxy says") }
        defer { server.stop() }
        let lines = Mutex<[String]>([])
        let logger = Logger(label: "test") { _ in LineLog(level: .trace) { line in lines.withLock { $0.append(line) } }
        }
        let url = "http://me:secret@127.0.0.1:\(server.port)"
        let client = HTTPPromiseClient(url: url, random: { 0 }, logger: logger)
        let error = await #expect(throws: PromiseError.self) {
            try await client.process(Request(.getPromise(id: "a")))
        }
        #expect(error?.message == "POST \(server.url)/ was answered with HTTP status 502")
        let listening = Task { for await _ in client.messages(group: "g", id: "1") {} }
        defer { listening.cancel() }
        try await eventually("it is logged") { lines.withLock { !$0.isEmpty } }
        #expect(lines.withLock { $0[0] }.contains("GET \(server.url)/poll/g/1 was answered with HTTP status 502"))
        #expect(!lines.withLock { $0.contains { $0.contains("secret") } })
    }
}
