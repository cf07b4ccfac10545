import DurablePromises
import Foundation
import TestSupport
import Testing

@Suite("sluice server and sluice promise")
struct ServerCommandTests {
    private func withServerProcess(
        _ url: String,
        _ arguments: [String] = [],
        environment: [String: String] = [:],
        _ body: (SluiceProcess, Int) async throws -> Void
    ) async throws {
        try await withSluiceServer(on: url, arguments, environment: environment) { try await body($0.process, $0.port) }
    }

    private func request(
        _ port: Int,
        _ method: String,
        _ path: String,
        _ body: String = ""
    ) async throws -> TestAnswer {
        let connection = try RawConnection(port: port)
        try connection.write(
            "\(method) \(path) HTTP/1.1\r\nHost: x\r\nContent-Length: \(body.utf8.count)\r\n\r\n\(body)")
        return try await connection.readAnswer()
    }

    private func untilReady(_ port: Int) async throws {
        try await eventually("the server is ready", within: .seconds(30)) {
            try await request(port, "GET", "/ready").status == 200
        }
    }

    @Test("it serves promises, and ends with exit code 0 when it is asked to, though a worker listens")
    func serves() async throws {
        try await withTestDatabase { url in
            try await withServerProcess(url) { process, port in
                try await untilReady(port)
                let worker = try RawConnection(port: port)
                try worker.write("GET /poll/workers/p1 HTTP/1.1\r\nHost: x\r\n\r\n")
                let create = #"{"id":"a","timeoutAt":4102444800000,"tags":{"resonate:target":"poll://any@workers"}}"#
                #expect(try await request(port, "POST", "/", envelope("promise.create", create)).status == 200)
                _ = try await worker.read("the task") { $0.contains(#""data":{"task":{"id":"a","version":0}}}"#) }
                let start = ContinuousClock.now
                process.terminate()
                #expect(try await worker.readToEnd().hasSuffix("0\r\n\r\n"))
                #expect(try await process.waitForExit() == 0)
                #expect(ContinuousClock.now - start < .seconds(10))
            }
        }
    }

    @Test("what was promised before it was killed is there after it, and the worker is told")
    func survives() async throws {
        try await withTestDatabase { url in
            try await withServerProcess(url) { process, port in
                try await untilReady(port)
                let create = #"{"id":"a","timeoutAt":4102444800000,"tags":{"resonate:target":"poll://any@workers"}}"#
                #expect(try await request(port, "POST", "/", envelope("promise.create", create)).status == 200)
                try await process.kill()
            }
            try await withServerProcess(url) { _, port in
                try await untilReady(port)
                let worker = try RawConnection(port: port)
                try worker.write("GET /poll/workers/p1 HTTP/1.1\r\nHost: x\r\n\r\n")
                _ = try await worker.read("the task") { $0.contains(#""task":{"id":"a","version":0}"#) }
            }
        }
    }

    @Test(
        "without a database it waits, is not ready and answers 503; it goes on when there is one, and again after a crash"
    )
    func waits() async throws {
        try await withPrivatePostgres { postgres in
            try await postgres.stop()
            try await withServerProcess(postgres.url) { process, port in
                let get = envelope("promise.get", #"{"id":"a"}"#)
                #expect(try await request(port, "GET", "/ready").status == 503)
                #expect(try await request(port, "POST", "/", get).status == 503)
                #expect(try await request(port, "GET", "/health").status == 200)
                try await postgres.restart()
                try await untilReady(port)
                #expect(try await request(port, "POST", "/", get).status == 404)
                try await postgres.kill()
                #expect(try await request(port, "GET", "/ready").status == 503)
                #expect(try await request(port, "POST", "/", get).status == 503)
                try await postgres.restart()
                try await untilReady(port)
                try await eventually("requests are answered again") {
                    try await request(port, "POST", "/", get).status == 404
                }
                process.terminate()
                #expect(try await process.waitForExit() == 0)
            }
        }
    }

    @Test("a task is offered to a URL")
    func push() async throws {
        let listener = try ScriptedServer { _ in .answer("200 OK") }
        defer { listener.stop() }
        try await withTestDatabase { url in
            try await withServerProcess(url) { _, port in
                try await untilReady(port)
                let create = #"{"id":"a","timeoutAt":4102444800000,"tags":{"resonate:target":"\#(listener.url)"}}"#
                #expect(try await request(port, "POST", "/", envelope("promise.create", create)).status == 200)
                try await eventually("the message") {
                    listener.requests.contains { $0.text.contains(#""task":{"id":"a","version":0}"#) }
                }
            }
        }
    }

    @Test("debug.* needs debug mode and its secret, and the secret is in no log")
    func debugging() async throws {
        let folder = try TestServers.folder + "/" + uniqueName("debug")
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        let secret = "a-secret-of-some-length"
        try Data("\(secret)\n".utf8).write(to: URL(fileURLWithPath: folder + "/token"))
        try await withTestDatabase { url in
            let arguments = ["--debug", "--debug-token-file", folder + "/token", "--log-level", "trace"]
            try await withServerProcess(url, arguments) { process, port in
                try await untilReady(port)
                let inside = envelope("debug.snap", "{}", head: #","auth":"\#(secret)""#)
                #expect(try await request(port, "POST", "/", inside).status == 200)
                #expect(try await request(port, "POST", "/", envelope("debug.snap", "{}")).status == 403)
                #expect(!process.lines.contains { $0.contains(secret) })
            }
        }
    }

    @Test("settings come from the environment as well, and what is said in an argument goes before it")
    func environment() async throws {
        try await withTestDatabase { url in
            let environment = ["SLUICE_MAX_BODY_BYTES": "10", "SLUICE_MAX_ID_BYTES": "3"]
            try await withServerProcess(url, ["--max-body-bytes", "1000"], environment: environment) { _, port in
                try await untilReady(port)
                let long = try await request(port, "POST", "/", envelope("promise.get", #"{"id":"abcd"}"#))
                #expect(long.status == 400)
                #expect(long.body.contains("at most 3"))
            }
        }
    }

    @Test(
        "what cannot be meant is refused with a word about it",
        arguments: [
            (["--debug"], "--debug-token-file"),
            (["--debug-token-file", "/dev/null"], "goes with --debug"),
            (["--stream-duration", "241s"], "at most 240s"),
            (["--max-id-bytes", "1025"], "--max-id-bytes is at most 1024"),
            (["--auth-issuer", "me"], "go with --auth-key-file"),
            (["--auth-key-file", "/nowhere/keys.pem"], "cannot read /nowhere/keys.pem"),
            (["--max-streams", "0"], "SLUICE_MAX_STREAMS and its option are at least 1"),
            (["--listen", "8001"], "--listen"),
            (["--database-url", "postgresql://me:secret@localhost/x"], "a password in an argument"),
        ]
    )
    func refusals(_ arguments: [String], _ word: String) async throws {
        let process = try SluiceProcess(
            ["server"] + arguments, environment: ["SLUICE_DATABASE_URL": "postgresql://localhost/x"]
        )
        defer { process.send(SIGKILL) }
        #expect(try await process.waitForExit() == 64)
        #expect(process.standardError.contains(word), "\(process.standardError)")
    }

    @Test("promises are created, read, settled and found by hand, through a server and in the database")
    func byHand() async throws {
        try await withTestDatabase { url in
            try await withServerProcess(url) { _, port in
                try await untilReady(port)
                let server = ["SLUICE_SERVER": "http://127.0.0.1:\(port)"]
                let database = ["SLUICE_DATABASE_URL": url]
                let created = try await runSluice(
                    "promise", "create", "p", "--tag", "team=shop", "--data", "hi", "--timeout", "1h", "-o", "json",
                    environment: server
                )
                #expect(created.status == 0)
                #expect(created.standardOutput.contains(#""state" : "pending""#))
                let read = try await runSluice("promise", "get", "p", environment: database)
                #expect(read.standardOutput.contains("state:   pending\n"))
                #expect(read.standardOutput.contains("param:   hi\n"))
                #expect(read.standardOutput.contains("tag:     team=shop"))
                let settled = try await runSluice(
                    "promise", "settle", "p", "--state", "rejected", "--data", "no", environment: server
                )
                #expect(settled.status == 0)
                #expect(settled.standardOutput.contains("state:   rejected\n"))
                let again = try await runSluice("promise", "settle", "p", environment: database)
                #expect(again.status == 1)
                #expect(again.standardError.contains("p was rejected before"))
                let found = try await runSluice("promise", "search", "--tag", "team=shop", environment: server)
                #expect(found.standardOutput.split(separator: "\n").last?.hasPrefix("p    rejected") == true)
                let none = try await runSluice("promise", "get", "nobody", environment: server)
                #expect(none.status == 1)
                #expect(none.standardError.contains("there is no promise nobody"))
            }
        }
    }

    @Test("without tables, a server or a database, promises by hand say what to do")
    func nothingThere() async throws {
        let nowhere = try await runSluice("promise", "get", "p")
        #expect(nowhere.status == 64)
        #expect(nowhere.standardError.contains("give --server or --database-url"))
        let away = try await runSluice("promise", "get", "p", "--server", "http://127.0.0.1:1")
        #expect(away.status == 1)
        #expect(away.standardError.contains("does not answer"))
        try await withTestDatabase { url in
            let empty = try await runSluice("promise", "get", "p", environment: ["SLUICE_DATABASE_URL": url])
            #expect(empty.standardError.contains("the database holds no promises yet"))
        }
    }
}
