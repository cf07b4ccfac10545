import HTTPClient
import TestSupport
import Testing

@Suite("Requests over HTTP")
struct HTTPTransportTests {
    private let transport = HTTPTransport(userAgent: "test")

    private func request(
        _ method: String, _ server: ScriptedServer, _ path: String = "/", body: String? = nil, total: Duration? = nil
    ) -> HTTPRequest {
        HTTPRequest(
            method: method, url: server.url + path, headers: [("X-Test", "yes")], body: body.map { Array($0.utf8) },
            total: total)
    }

    /// The error that a request ends with.
    private func failure(of request: HTTPRequest) async throws -> HTTPError {
        do {
            let answer = try await transport.send(request)
            throw TestFailure("it was answered with \(answer.status)")
        } catch let error as HTTPError {
            return error
        }
    }

    // MARK: Answers

    @Test("any status is an answer, with its headers and its body", arguments: [200, 204, 302, 404, 500, 503])
    func statuses(status: Int) async throws {
        let body = status == 204 ? "" : "what there is to say"
        let server = try ScriptedServer { _ in
            .answer("\(status) Word", headers: ["X-Word: a", "x-word:  b "], body: body)
        }
        defer { server.stop() }
        let answer = try await transport.send(request("POST", server, "/a?b=c", body: "ä€"))
        #expect(answer.status == status)
        #expect(answer.headers["x-word"] == "b")
        #expect(String(decoding: answer.body, as: UTF8.self) == body)
        let sent = try #require(server.requests.first?.text)
        #expect(sent.hasPrefix("POST /a?b=c HTTP/1.1\r\n"))
        #expect(sent.contains("\r\nX-Test: yes\r\n") && sent.contains("\r\nUser-Agent: test\r\n"))
        #expect(sent.contains("\r\nContent-Length: 5\r\n") && sent.hasSuffix("\r\n\r\nä€"))
        #expect(server.requests.count == 1, "a redirection is not followed")
    }

    @Test("a connection is kept for the next request")
    func kept() async throws {
        // All of the process share a cache of connections, in which another's may take the place of this one.
        try await eventually("three requests go over one connection") {
            let server = try ScriptedServer { _ in .answer("200 OK") }
            defer { server.stop() }
            for _ in 1...3 { _ = try await transport.send(request("POST", server, body: "x")) }
            return server.requests.map(\.connection) == [1, 1, 1]
        }
    }

    @Test("a request whose answer is slow keeps no other to that server waiting")
    func slow() async throws {
        let server = try ScriptedServer { number in number == 1 ? .silence : .answer("200 OK") }
        defer { server.stop() }
        try await withThrowingTaskGroup { group in
            group.addTask { try? await transport.send(request("GET", server, "/slow", total: .seconds(20))) }
            try await eventually("the slow one is there") { server.requests.count == 1 }
            let answer = try await transport.send(request("GET", server, "/", total: .seconds(5)))
            #expect(answer.status == 200)
            group.cancelAll()
        }
    }

    @Test("an answer that is larger than may be is not read to its end")
    func mostBytes() async throws {
        let server = try ScriptedServer { _ in .answer("200 OK", body: String(repeating: "x", count: 1001)) }
        defer { server.stop() }
        var request = request("GET", server)
        request.mostBytes = 1001
        #expect(try await transport.send(request).body.count == 1001)
        request.mostBytes = 1000
        let error = try await failure(of: request)
        #expect(error.code == .connection && error.message.contains("arrived before they were read"), "\(error)")
    }

    @Test(
        "what a URL may have of secrets is in no message",
        arguments: [
            ("https://me:secret@h:1/a?token=secret", "https://h:1/a"), ("http://h?token=secret", "http://h"),
            ("http://h/a@b#secret", "http://h/a@b"), ("me:secret@h/a", "h/a"), ("http://h", "http://h"),
            ("http://me@x:secret@h/", "http://h/"),
        ])
    func names(url: String, name: String) {
        #expect(HTTPRequest(method: "GET", url: url).name == "GET \(name)")
    }

    @Test("nor of an error")
    func errors() async throws {
        let request = HTTPRequest(method: "GET", url: "http://me:secret@127.0.0.1:1/a?token=secret")
        let error = try await failure(of: request)
        #expect(error.message.hasPrefix("GET http://127.0.0.1:1/a: ") && !error.message.contains("secret"), "\(error)")
    }

    // MARK: No answer

    @Test("nobody who listens: nothing was sent")
    func refused() async throws {
        let server = try ScriptedServer { _ in .silence }
        server.stop()
        try await eventually("the port is closed") {
            try await failure(of: request("POST", server, body: "x", total: .seconds(1))).code == .refused
        }
        let error = try await failure(of: request("POST", server, body: "x"))
        #expect(!error.mayHaveArrived)
        #expect(!error.message.contains("not known"))
    }

    @Test("no answer in time: it was sent")
    func timeout() async throws {
        let server = try ScriptedServer { _ in .silence }
        defer { server.stop() }
        let error = try await failure(of: request("POST", server, body: "x", total: .milliseconds(100)))
        #expect(error.code == .timeout)
        #expect(error.mayHaveArrived && error.message.hasSuffix("whether the server has done it is not known"))
        #expect(server.requests.count == 1)
    }

    @Test("whoever is cancelled waits no longer")
    func cancelled() async throws {
        let server = try ScriptedServer { _ in .silence }
        defer { server.stop() }
        let request = request("POST", server, body: "x")
        let asking = Task { try await failure(of: request) }
        try await eventually("the server has it") { server.requests.count == 1 }
        asking.cancel()
        let error = try await asking.value
        #expect(error.code == .cancelled && error.mayHaveArrived)
    }

    @Test("a stream that is silent for too long ends")
    func idle() async throws {
        let server = try ScriptedServer { _ in
            .write("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n")
        }
        defer { server.stop() }
        var request = request("GET", server)
        request.idle = .seconds(2)
        let stream = try await transport.open(request)
        #expect(stream.status == 200)
        #expect(try await stream.bytes() == Array("abc".utf8))
        do {
            _ = try await stream.bytes()
            Issue.record("it went on")
        } catch {
            #expect(error.code == .timeout)
        }
    }

    // MARK: Sent once

    /// Has a request answered, and sends another over the connection that was kept, which ends when the server has read it.
    ///
    /// - Parameter staysThere: whether the server listens on.
    private func second(
        _ method: String, body: String? = nil, staysThere: Bool = true
    ) async throws -> (server: ScriptedServer, result: Result<HTTPResponse, HTTPError>) {
        try await eventually("a connection is kept for the second request") {
            let server = try ScriptedServer { $0 == 2 ? .hangUp : .answer("200 OK") }
            _ = try await transport.send(request(method, server, body: body.map { _ in "first" }))
            if !staysThere { server.stop() }
            let result: Result<HTTPResponse, HTTPError>
            do {
                result = .success(try await transport.send(request(method, server, body: body)))
            } catch let error as HTTPError {
                result = .failure(error)
            }
            if server.requests.dropFirst().first?.connection == 1 { return (server, result) }
            server.stop()
            return nil
        }
    }

    @Test("what may not be done twice is not sent again when a kept connection ends", arguments: ["POST", "PATCH"])
    func once(method: String) async throws {
        for body in ["x", String(repeating: "x", count: 300_000)] {
            let (server, result) = try await second(method, body: body)
            defer { server.stop() }
            let error = try #require(throws: HTTPError.self) { try result.get() }
            #expect(error.code == .connection && error.mayHaveArrived)
            #expect(
                error.message.hasSuffix(
                    "the connection ended before the whole answer; whether the server has done it is not known"),
                "\(error)")
            #expect(server.requests.map(\.connection) == [1, 1])
            // The next one is a request of its own.
            _ = try await transport.send(request(method, server, body: "third"))
            #expect(server.requests.count == 3)
        }
    }

    @Test("nor is it taken for refused when nobody listens any more by then")
    func onceAndGone() async throws {
        let (server, result) = try await second("POST", body: "x", staysThere: false)
        let error = try #require(throws: HTTPError.self) { try result.get() }
        #expect(error.code == .connection && error.mayHaveArrived)
        #expect(server.requests.count == 2)
    }

    @Test("what may be done twice is", arguments: ["GET", "PUT", "DELETE"])
    func again(method: String) async throws {
        let (server, result) = try await second(method)
        defer { server.stop() }
        #expect(try result.get().status == 200)
        #expect(server.requests.map(\.connection) == [1, 1, 2])
    }

    @Test("a kept connection that has ended meanwhile is not used")
    func endedMeanwhile() async throws {
        let server = try ScriptedServer { _ in .write("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", thenClose: true) }
        defer { server.stop() }
        for number in 1...3 {
            _ = try await transport.send(request("POST", server, body: "x"))
            try await eventually("its end") { server.ended == number }
        }
        #expect(server.requests.map(\.connection) == [1, 2, 3])
    }
}
