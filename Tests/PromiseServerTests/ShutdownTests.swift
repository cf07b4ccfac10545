import DurablePromises
import PromiseServer
import Synchronization
import TestSupport
import Testing

@Suite("The end of a server")
struct ShutdownTests {
    @Test("what is running is finished, streams end in good order, silent connections are closed, nothing new is taken")
    func graceful() async throws {
        let (gate, opening) = AsyncStream.makeStream(of: Void.self)
        let isAsked = Atomic(false)
        let promises = MemoryPromises { _ in
            isAsked.store(true, ordering: .relaxed)
            for await _ in gate { break }
        }
        try await withServer(promises) { server in
            let busy = try server.connect()
            let body = envelope("promise.get", #"{"id":"a"}"#)
            try busy.write("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: \(body.utf8.count)\r\n\r\n\(body)")
            let idle = try server.connect()
            try idle.write("GET /health HTTP/1.1\r\nHost: x\r\n\r\n")
            _ = try await idle.readAnswer()
            let stream = try server.connect()
            try stream.write("GET /poll/g/p HTTP/1.1\r\nHost: x\r\n\r\n")
            _ = try await stream.read("a stream") { $0.hasSuffix("\r\n\r\n") }
            try await eventually("the request is being answered") { isAsked.load(ordering: .relaxed) }

            server.stop()
            #expect(try await idle.readToEnd() == "")
            #expect(try await stream.readToEnd() == "0\r\n\r\n")
            try await eventually("nobody listens") { (try? server.connect()) == nil }
            opening.yield()
            let answer = try await busy.readToEnd()
            #expect(answer.hasPrefix("HTTP/1.1 404 "))
            #expect(answer.contains("Connection: close"))
            try await server.untilStopped()
        }
    }

    @Test("a request that does not end is cut when the time is over")
    func hanging() async throws {
        let (gate, opening) = AsyncStream.makeStream(of: Void.self)
        let isAsked = Atomic(false)
        let promises = MemoryPromises { _ in
            isAsked.store(true, ordering: .relaxed)
            for await _ in gate { break }
        }
        try await withServer(
            promises,
            settings: testSettings {
                $0.limits.shutdownTimeout = .milliseconds(200)
            }
        ) { server in
            let busy = try server.connect()
            let body = envelope("promise.get", #"{"id":"a"}"#)
            try busy.write("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: \(body.utf8.count)\r\n\r\n\(body)")
            try await eventually("the request is being answered") { isAsked.load(ordering: .relaxed) }
            server.stop()
            #expect(try await busy.readToEnd() == "")
            try await server.untilStopped()
        }
        opening.yield()
    }
}
