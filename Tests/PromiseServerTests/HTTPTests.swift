import DurablePromises
import PromiseServer
import Synchronization
import TestSupport
import Testing

@Suite("HTTP")
struct HTTPTests {
    private static let get = envelope("promise.get", #"{"id":"a"}"#)

    @Test("a header that is called resonate:origin is tolerated")
    func originHeader() async throws {
        try await withServer { server in
            let answer = try await server.request("POST", "/", body: Self.get, headers: ["resonate:origin: wf-1:2.3"])
            #expect(answer.status == 404)
            #expect(answer.head.contains("Content-Type: application/json"))
        }
    }

    @Test("an answer is byte for byte what it says it is")
    func bytes() async throws {
        try await withServer { server in
            let connection = try server.connect()
            try connection.write("POST / HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 2\r\n\r\n{}")
            let body =
                #"{"kind":"unknown","head":{"corrId":"0","status":400,"version":"2026-04-01"},"data":"the request has no kind"}"#
            #expect(
                try await connection.readToEnd() == """
                    HTTP/1.1 400 Bad Request\r
                    Content-Type: application/json\r
                    Content-Length: \(body.utf8.count)\r
                    Connection: close\r
                    \r
                    \(body)
                    """
            )
        }
    }

    @Test("paths of older servers are gone, and what does not exist is not found")
    func paths() async throws {
        try await withServer { server in
            for path in ["/promises", "/promises/a", "/tasks/claim", "/schedules/s?x=1"] {
                for method in ["GET", "POST", "PATCH", "DELETE"] {
                    let answer = try await server.request(method, path)
                    #expect(answer.status == 410)
                    #expect(answer.head.contains("Content-Type: application/json"))
                    #expect(answer.body.hasPrefix(#"{"error":""#))
                }
            }
            #expect(try await server.request("GET", "/nothing").status == 404)
            let wrong = try await server.request("GET", "/")
            #expect(wrong.status == 405)
            #expect(wrong.head.contains("Allow: POST"))
        }
    }

    @Test("health is always well, and ready as long as the database answers")
    func health() async throws {
        let isReady = Atomic(true)
        try await withServer(isReady: { isReady.load(ordering: .relaxed) }) { (server) async throws in
            #expect(try await server.request("GET", "/ready").status == 200)
            isReady.store(false, ordering: .relaxed)
            #expect(try await server.request("GET", "/ready").status == 503)
            #expect(try await server.request("GET", "/health").status == 200)
        }
    }

    @Test("requests that are sent without waiting are answered in their order")
    func pipelining() async throws {
        // The first takes longest.
        let turn = Atomic(0)
        let promises = MemoryPromises { _ in
            if turn.add(1, ordering: .relaxed).oldValue == 0 { try await Task.sleep(for: .milliseconds(50)) }
        }
        try await withServer(promises) { server in
            let connection = try server.connect()
            let count = 500
            var text = ""
            for number in 0..<count {
                let body =
                    #"{"kind":"promise.get","head":{"corrId":"\#(number)","version":"2026-04-01"},"data":{"id":"a"}}"#
                text += "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: \(body.utf8.count)\r\n\r\n\(body)"
            }
            try connection.write(text)
            let answers = try await connection.read("all answers") {
                $0.matches(of: /"corrId":"\d+"/).count == count
            }
            let numbers = answers.matches(of: /"corrId":"(\d+)"/).map { Int($0.1) }
            #expect(numbers == Array(0..<count))
        }
    }

    @Test("a client that sends nothing more is answered what it asked, one or several, and its connection closed")
    func halfClosed() async throws {
        try await withServer { server in
            for count in 1...3 {
                let connection = try server.connect()
                let request = "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: \(Self.get.utf8.count)\r\n\r\n\(Self.get)"
                try connection.write(String(repeating: request, count: count))
                connection.endWriting()
                let answers = try await connection.readToEnd()
                #expect(
                    answers.split(separator: "HTTP/1.1 404 ", omittingEmptySubsequences: true).count == count,
                    "\(answers)")
            }
            let cut = try server.connect()
            try cut.write("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\n{")
            cut.endWriting()
            #expect(try await !cut.readToEnd().contains("200"))
        }
    }

    @Test("a body comes in chunks as well, and after it was asked for")
    func bodies() async throws {
        try await withServer { server in
            let chunked = try server.connect()
            let half = Self.get.index(Self.get.startIndex, offsetBy: 20)
            let parts = [Self.get[..<half], Self.get[half...]]
            try chunked.write("POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n")
            for part in parts {
                try chunked.write(String(part.utf8.count, radix: 16) + "\r\n" + part + "\r\n")
            }
            try chunked.write("0\r\n\r\n")
            #expect(try await chunked.readAnswer().status == 404)

            let polite = try server.connect()
            try polite.write(
                "POST / HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: \(Self.get.utf8.count)\r\n\r\n"
            )
            _ = try await polite.read("leave to go on") { $0 == "HTTP/1.1 100 Continue\r\n\r\n" }
            try polite.write(Self.get)
            #expect(try await polite.readAnswer().status == 404)
        }
    }

    @Test("a client of HTTP/1.0 is answered, and its connection closed")
    func oldClients() async throws {
        try await withServer { server in
            let connection = try server.connect()
            try connection.write("GET /health HTTP/1.0\r\n\r\n")
            #expect(try await connection.readToEnd().hasSuffix("\r\n\r\nok\n"))
        }
    }

    @Test("the head of an answer to HEAD is that to GET, without the body")
    func head() async throws {
        try await withServer { server in
            let connection = try server.connect()
            try connection.write("HEAD /health HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
            let text = try await connection.readToEnd()
            #expect(text.contains("Content-Length: 3"))
            #expect(text.hasSuffix("\r\n\r\n"))
        }
    }

    @Test("what is not HTTP is told so, and the connection ends")
    func garbage() async throws {
        try await withServer { server in
            let connection = try server.connect()
            try connection.write("\u{16}\u{03}\u{01} hello\r\n\r\n")
            #expect(try await connection.readToEnd().hasPrefix("HTTP/1.1 400 "))
        }
    }

    @Test("metrics count requests by kind and status; a kind that somebody made up has no line of its own")
    func metrics() async throws {
        try await withServer { server in
            _ = try await server.post(Self.get)
            _ = try await server.post(Self.get)
            _ = try await server.post(envelope("evil\\nkind", "{}"))
            let answer = try await server.request("GET", "/metrics")
            #expect(answer.head.contains("Content-Type: text/plain; version=0.0.4"))
            let lines = Set(answer.body.split(separator: "\n"))
            #expect(lines.contains(#"resonate_request_total{kind="promise.get",status="404"} 2"#))
            #expect(lines.contains(#"resonate_request_total{kind="unknown",status="400"} 1"#))
            #expect(lines.contains(#"resonate_request_duration_seconds_count{kind="promise.get"} 2"#))
            #expect(lines.contains("resonate_schedule_promises_total 0"))
            #expect(lines.contains("# TYPE resonate_messages_total counter"))
            #expect(lines.contains("# TYPE resonate_deliveries_total counter"))
            #expect(!answer.body.contains("evil"))
        }
    }

    @Test("metrics can have a place of their own, and nothing else is served there")
    func ownMetrics() async throws {
        try await withServer(
            settings: testSettings {
                $0.metricsListen = ListenAddress(host: "127.0.0.1", port: 0)
            }
        ) { server in
            let port = try #require(server.metricsPort)
            #expect(try await server.request("GET", "/metrics").status == 404)
            #expect(try await server.request("GET", "/metrics", port: port).status == 200)
            #expect(try await server.request("POST", "/", body: Self.get, port: port).status == 404)
            #expect(try await server.request("GET", "/ready", port: port).status == 200)
        }
    }

    @Test("an address that is taken is said to be")
    func taken() async throws {
        try await withServer { server in
            let error = await #expect(throws: ListenError.self) {
                try await withServer(settings: testSettings { $0.listen.port = server.port }) { _ in () }
            }
            #expect(error?.description.hasPrefix("cannot listen at 127.0.0.1:\(server.port): ") == true)
        }
    }
}
