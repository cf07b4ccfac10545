import DurablePromises
import Prometheus
import PromiseServer
import Synchronization
import TestSupport
import Testing

@Suite("Limits of a server")
struct LimitTests {
    private static func awaiting(_ awaited: String) -> String {
        envelope("promise.register_callback", #"{"awaited":"\#(awaited)","awaiter":"a"}"#)
    }

    private static let get = envelope("promise.get", #"{"id":"a"}"#)

    @Test("a body that is too long is refused with 413 before it is read, announced or not")
    func body() async throws {
        let promises = MemoryPromises()
        try await withServer(
            promises,
            settings: testSettings {
                $0.limits.bodyBytes = 1000
            }
        ) { server in
            let announced = try server.connect()
            try announced.write("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1001\r\n\r\n")
            let answer = try await announced.readAnswer()
            #expect(answer.status == 413)
            #expect(answer.head.contains("Connection: close"))
            let response = try Response(json: answer.body.utf8)
            #expect(response.status == 413)
            #expect(response.error == "the request has more than 1000 bytes")
            // What still comes is taken, so that the client reads the answer.
            try announced.write(String(repeating: " ", count: 1001))
            #expect(try await announced.readToEnd() == "")

            let chunked = try server.connect()
            try chunked.write("POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n")
            for _ in 0..<2 { try chunked.write("200\r\n" + String(repeating: " ", count: 512) + "\r\n") }
            #expect(try await chunked.readAnswer().status == 413)

            let exact = Self.get + String(repeating: " ", count: 1000 - Self.get.utf8.count)
            #expect(try await server.post(exact).http == 404)
        }
        #expect(promises.asked.count == 1)
    }

    @Test("ids, tags, addresses and names of workers have limits, inside of other requests as well")
    func contents() async throws {
        let promises = MemoryPromises()
        try await withServer(
            promises,
            settings: testSettings {
                $0.limits.idBytes = 10
                $0.limits.tags = 2
                $0.limits.tagBytes = 20
                $0.limits.roots = 2
            }
        ) { server in
            let long = "12345678901"
            let create = #"{"id":"a","timeoutAt":5,"tags":{"1":"","2":"","3":""}}"#
            let inner = envelope("promise.create", create)
            for (kind, data, word) in [
                ("promise.get", #"{"id":"\#(long)"}"#, "an id has 11 bytes; at most 10"),
                ("promise.create", create, "3 tags; at most 2"),
                ("promise.create", #"{"id":"a","timeoutAt":5,"tags":{"1":"123456789012345678901"}}"#, "longer than 20"),
                ("task.fence", #"{"id":"a","version":1,"action":\#(inner)}"#, "3 tags"),
                ("task.create", #"{"pid":"p","ttl":1,"action":\#(inner)}"#, "3 tags"),
                ("task.create", #"{"pid":"\#(long)","ttl":1,"action":\#(inner)}"#, "a pid"),
                ("task.acquire", #"{"id":"a","version":1,"pid":"\#(long)","ttl":1}"#, "a pid"),
                ("task.heartbeat", #"{"pid":"p","tasks":[{"id":"\#(long)","version":1}]}"#, "an id"),
                ("schedule.get", #"{"id":"\#(long)"}"#, "a schedule's id"),
                (
                    "task.heartbeat",
                    #"{"pid":"p","tasks":[{"id":"a","version":1},{"id":"b","version":1},{"id":"c","version":1}]}"#,
                    "promises of 3 roots; at most 2"
                ),
                (
                    "task.suspend",
                    #"{"id":"a","version":1,"actions":[\#(Self.awaiting("b")),\#(Self.awaiting("c:1"))]}"#,
                    "promises of 3 roots; at most 2"
                ),
            ] {
                let (http, response) = try await server.post(envelope(kind, data))
                #expect(http == 400, "\(kind) \(data)")
                #expect(response.error?.contains(word) == true, "\(response.error ?? "")")
            }
            #expect(promises.asked.isEmpty)
            // Of one root there may be any number.
            let many = ["a", "a:1", "a:2", "b"].map { #"{"id":"\#($0)","version":1}"# }.joined(separator: ",")
            #expect(try await server.post(envelope("task.heartbeat", #"{"pid":"p","tasks":[\#(many)]}"#)).http == 200)
            #expect(try await server.post(envelope("promise.get", #"{"id":"1234567890"}"#)).http == 404)
            for name in ["\(long)/a", "a%20b/p", "a/p%0A", "a%2Fb/p"] {
                #expect(try await server.request("GET", "/poll/\(name)").status == 400, "\(name)")
            }
        }
    }

    @Test("one connection too many is told so; when one ends there is room again")
    func connections() async throws {
        try await withServer(
            settings: testSettings {
                $0.limits.connections = 2
            }
        ) { server in
            do {
                let kept = [try server.connect(), try server.connect()]
                for connection in kept {
                    try connection.write("GET /health HTTP/1.1\r\nHost: x\r\n\r\n")
                    #expect(try await connection.readAnswer().status == 200)
                }
                let third = try server.connect()
                #expect(try await third.readToEnd().hasPrefix("HTTP/1.1 503 "))
            }
            try await eventually("there is room") { try await server.request("GET", "/health").status == 200 }
        }
    }

    @Test("who begins a request and does not end it is told so, and let go")
    func slowRequests() async throws {
        try await withServer(
            settings: testSettings {
                $0.limits.requestTimeout = .milliseconds(100)
            }
        ) { server in
            let body = try server.connect()
            try body.write("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{")
            #expect(try await body.readToEnd().hasPrefix("HTTP/1.1 408 "))
            let head = try server.connect()
            try head.write("POST / HTTP/1.1\r\nHost:")
            #expect(try await head.readToEnd() == "")
            let silent = try server.connect()
            #expect(try await silent.readToEnd() == "")
        }
    }

    @Test("bytes that drip in do not prolong a request's time")
    func drips() async throws {
        try await withServer(
            settings: testSettings {
                $0.limits.requestTimeout = .milliseconds(200)
            }
        ) { server in
            let connection = try server.connect()
            try connection.write("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 10000\r\n\r\n")
            let end = ContinuousClock.now + .seconds(5)
            var text = ""
            // Writing fails once the server has closed.
            while ContinuousClock.now < end, text.isEmpty {
                try? connection.write(" ")
                text = (try? await connection.read("408", within: .milliseconds(20)) { !$0.isEmpty }) ?? ""
            }
            #expect(text.hasPrefix("HTTP/1.1 408 "))
        }
    }

    @Test("a connection on which nothing is asked for long is closed")
    func idle() async throws {
        try await withServer(
            settings: testSettings {
                $0.limits.idleTimeout = .milliseconds(100)
            }
        ) { server in
            let connection = try server.connect()
            try connection.write("GET /health HTTP/1.1\r\nHost: x\r\n\r\n")
            #expect(try await connection.readToEnd().hasSuffix("ok\n"))
        }
    }

    @Test("an answer may take longer than a request, and longer than a connection may be silent")
    func slowAnswers() async throws {
        let promises = MemoryPromises { _ in try await Task.sleep(for: .milliseconds(400)) }
        try await withServer(
            promises,
            settings: testSettings {
                $0.limits.requestTimeout = .milliseconds(100)
                $0.limits.idleTimeout = .milliseconds(100)
            }
        ) { (server) async throws in
            #expect(try await server.post(Self.get).http == 404)
        }
    }

    /// What a promise is that is much larger than what the kernels of both sides take for a connection.
    private static let large = 16 << 20

    private static func promises() async throws -> MemoryPromises {
        let promises = MemoryPromises()
        let value = PromiseValue(data: String(repeating: "x", count: large))
        let creation = PromiseCreation(id: "a", timeoutAt: .max, param: value)
        #expect(try await promises.process(Request(.createPromise(creation))).status == 200)
        return promises
    }

    private static func ask(_ header: String) -> String {
        "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: \(get.utf8.count)\r\n\(header)\r\n\(get)"
    }

    @Test("an answer is sent to its end to whoever reads slowly, and the connection goes on after it")
    func slowReaders() async throws {
        try await withServer(
            try await Self.promises(),
            settings: testSettings {
                $0.limits.requestTimeout = .seconds(3)
                // After the answer there is as much time for the next request.
                $0.limits.idleTimeout = .seconds(5)
            }
        ) { server in
            let last = try RawConnection(port: server.port, receiveBuffer: 65536)
            try last.write(Self.ask("Connection: close\r\n"))
            let kept = try RawConnection(port: server.port, receiveBuffer: 65536)
            try kept.write(Self.ask(""))
            // Longer than any of these times, and than what a client has to close that was sent everything.
            async let ofLast = last.missingBytes(readingFor: .seconds(7))
            async let ofKept = kept.missingBytes(readingFor: .seconds(7))
            #expect(try await ofKept == 0)
            try kept.write("GET /health HTTP/1.1\r\nHost: x\r\n\r\n")
            #expect(try await kept.readAnswer().body.hasSuffix("ok\n"))
            #expect(try await ofLast == 0)
        }
    }

    @Test("a server that stops sends what is being read to its end")
    func stopping() async throws {
        let metrics = ServerMetrics()
        try await withServer(
            try await Self.promises(),
            metrics: metrics,
            settings: testSettings {
                $0.limits.shutdownTimeout = .seconds(20)
            }
        ) { server in
            let connection = try RawConnection(port: server.port, receiveBuffer: 65536)
            try connection.write(Self.ask(""))
            try await eventually("the answer is written") {
                await metrics.registry.text().contains(#"resonate_request_total{kind="promise.get",status="200"} 1"#)
            }
            server.stop()
            #expect(try await connection.missingBytes(readingFor: .seconds(1)) == 0)
        }
    }

    @Test("whoever reads nothing of an answer is let go", arguments: ["", "Connection: close\r\n"])
    func deafReaders(header: String) async throws {
        let metrics = ServerMetrics()
        try await withServer(
            try await Self.promises(),
            metrics: metrics,
            settings: testSettings {
                $0.limits.requestTimeout = .milliseconds(200)
            }
        ) { server in
            let connection = try RawConnection(port: server.port, receiveBuffer: 65536)
            try connection.write(Self.ask(header))
            try await eventually("the answer is written") {
                await metrics.registry.text().contains(#"resonate_request_total{kind="promise.get",status="200"} 1"#)
            }
            try await eventually("the end") {
                await metrics.registry.text().contains("sluice_server_connections 0")
            }
        }
    }

    @Test("a head that is too long is refused")
    func head() async throws {
        try await withServer { server in
            let connection = try server.connect()
            try connection.write(
                "GET /health HTTP/1.1\r\nHost: x\r\nX: \(String(repeating: "x", count: 40_000))\r\n\r\n")
            #expect(try await connection.readToEnd().hasPrefix("HTTP/1.1 431 "))
        }
    }
}
