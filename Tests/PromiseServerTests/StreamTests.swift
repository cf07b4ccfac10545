import DurablePromises
import PromiseServer
import Synchronization
import TestSupport
import Testing

@Suite("Streams of messages")
struct StreamTests {
    private static let head = """
        HTTP/1.1 200 OK\r
        Content-Type: text/event-stream\r
        Cache-Control: no-store\r
        Transfer-Encoding: chunked\r
        Connection: close\r
        \r

        """

    private func open(_ server: TestServer, _ name: String = "workers/p1", headers: String = "") async throws
        -> RawConnection
    {
        let connection = try server.connect()
        try connection.write("GET /poll/\(name) HTTP/1.1\r\nHost: far:1234\r\n\(headers)\r\n")
        let text = try await connection.read("the head of an answer") { $0.contains("\r\n\r\n") }
        guard text == Self.head else { throw TestFailure("not the head of a stream: \(text)") }
        return connection
    }

    private func chunk(_ frame: String) -> String {
        "\(String(frame.utf8.count, radix: 16))\r\n\(frame)\r\n"
    }

    @Test(
        "a message is one line of ASCII after data:, ended by two line feeds, and counts as delivered when it is written"
    )
    func frames() async throws {
        let promises = MemoryPromises()
        let arrived = Atomic(0)
        try await withServer(promises) { server in
            let connection = try await open(server)
            promises.send(.execute(TaskReference(id: "é\n", version: 3)), to: "workers/p1") {
                if $0 { arrived.add(1, ordering: .relaxed) }
            }
            let frame =
                "data: "
                + #"{"kind":"execute","head":{"serverUrl":"http://far:1234"},"data":{"task":{"id":"\u00e9\n","version":3}}}"#
                + "\n\n"
            _ = try await connection.read("the frame") { $0 == chunk(frame) }
            let record = PromiseRecord(id: "a", state: .resolved, timeoutAt: 5, createdAt: 1, settledAt: 2)
            promises.send(.unblock(record), to: "workers/p1") { if $0 { arrived.add(1, ordering: .relaxed) } }
            let second =
                "data: "
                + #"{"kind":"unblock","head":{},"data":{"promise":{"id":"a","state":"resolved","param":{},"value":{},"tags":{},"timeoutAt":5,"createdAt":1,"settledAt":2}}}"#
                + "\n\n"
            _ = try await connection.read("the second frame") { $0 == chunk(second) }
            try await eventually("both are acknowledged") { arrived.load(ordering: .relaxed) == 2 }
            let metrics = try await server.request("GET", "/metrics").body
            #expect(metrics.contains(#"resonate_messages_total{kind="execute"} 1"#))
            #expect(metrics.contains(#"resonate_deliveries_total{status="delivered"} 2"#))
            #expect(metrics.contains("sluice_server_streams 1"))
        }
    }

    @Test("a client of HTTP/1.0 gets the frames alone")
    func withoutChunks() async throws {
        let promises = MemoryPromises()
        try await withServer(promises) { server in
            let connection = try server.connect()
            try connection.write("GET /poll/workers/p1 HTTP/1.0\r\n\r\n")
            _ = try await connection.read("the head") { $0.hasSuffix("\r\n\r\n") && !$0.contains("chunked") }
            promises.send(.execute(TaskReference(id: "a", version: 0)), to: "workers/p1")
            let frame = #"data: {"kind":"execute","head":{},"data":{"task":{"id":"a","version":0}}}"# + "\n\n"
            _ = try await connection.read("the frame") { $0 == frame }
        }
    }

    @Test("a server that has a name of its own says it in its messages")
    func ownName() async throws {
        let promises = MemoryPromises()
        try await withServer(
            promises,
            settings: testSettings {
                $0.url = "https://promises.example"
            }
        ) { server in
            let connection = try await open(server)
            promises.send(.execute(TaskReference(id: "a", version: 0)), to: "workers/p1")
            _ = try await connection.read("the frame") { $0.contains(#""serverUrl":"https://promises.example""#) }
        }
    }

    @Test("a stream says that it is there")
    func pings() async throws {
        try await withServer(settings: testSettings { $0.limits.pingInterval = .milliseconds(20) }) { server in
            let connection = try server.connect()
            try connection.write("GET /poll/workers/p1 HTTP/1.1\r\nHost: x\r\n\r\n")
            let pings = chunk(": ping\n\n") + chunk(": ping\n\n")
            _ = try await connection.read("two pings") { $0.hasPrefix(Self.head + pings) }
        }
    }

    @Test("a stream is ended in good order when its time is over")
    func rotation() async throws {
        try await withServer(
            settings: testSettings {
                $0.limits.streamDuration = .milliseconds(100)
            }
        ) { server in
            let start = ContinuousClock.now
            let connection = try server.connect()
            try connection.write("GET /poll/workers/p1 HTTP/1.1\r\nHost: x\r\n\r\n")
            #expect(try await connection.readToEnd() == Self.head + "0\r\n\r\n")
            #expect(ContinuousClock.now - start >= .milliseconds(95))
            // The name is free again.
            #expect(try await server.request("GET", "/metrics").body.contains("sluice_server_streams 0"))
        }
    }

    @Test("of two streams of one name the newer one stays")
    func newest() async throws {
        let promises = MemoryPromises()
        try await withServer(promises) { server in
            let old = try await open(server)
            let other = try await open(server, "workers/p2")
            let new = try await open(server)
            #expect(try await old.readToEnd() == "0\r\n\r\n")
            promises.send(.execute(TaskReference(id: "a", version: 0)), to: "workers/p1")
            promises.send(.execute(TaskReference(id: "b", version: 0)), to: "workers/p2")
            _ = try await new.read("the message of the new one") { $0.contains(#""id":"a""#) }
            _ = try await other.read("the message of the other one") { $0.contains(#""id":"b""#) }
            #expect(try await server.request("GET", "/metrics").body.contains("sluice_server_streams 2"))
        }
    }

    @Test("a message that its client does not read is not acknowledged, and is given back when the client is gone")
    func unread() async throws {
        let promises = MemoryPromises()
        let ends = Mutex<[Bool]>([])
        func taken() -> Int { ends.withLock { $0.count { $0 } } }
        // More than the sockets' buffers have room for.
        let data = String(repeating: "x", count: 1 << 20)
        let promise = PromiseRecord(id: "a", state: .resolved, value: .init(data: data), timeoutAt: 1, createdAt: 0)
        let count = 64
        try await withServer(promises) { server in
            var known = -1
            do {
                let connection = try await open(server)
                for _ in 0..<count {
                    promises.send(.unblock(promise), to: "workers/p1") { isTaken in ends.withLock { $0.append(isTaken) }
                    }
                }
                try await eventually("nothing more is taken", every: .milliseconds(300)) {
                    defer { known = taken() }
                    return known > 0 && taken() == known
                }
                #expect(known < count && ends.withLock { $0.count } == known)
                _ = connection
            }
            try await eventually("the others are given back") { ends.withLock { $0.count } == count }
            #expect(taken() == known)
        }
    }

    @Test("a client that goes away leaves its place")
    func gone() async throws {
        try await withServer(
            settings: testSettings {
                $0.limits.streams = 1
            }
        ) { server in
            do {
                let connection = try await open(server)
                let full = try await server.request("GET", "/poll/workers/p2")
                #expect(full.status == 503)
                #expect(full.head.contains("Retry-After: "))
                // One of the same name takes the place of the one that is there.
                _ = try await open(server)
                _ = try await connection.readToEnd()
            }
            try await eventually("there is room") { try await open(server, "workers/p2") }
        }
    }
}
