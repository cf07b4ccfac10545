import DurablePromises
import Foundation
import TestSupport
import Testing

@Suite("sluice server")
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
            (["--max-id-bytes", "1025"], "--max-id-bytes is from 1 to 1024"),
            (["--auth-issuer", "me"], "go with --auth-key-file"),
            (
                ["--auth-key-file", "/nowhere/keys.pem"],
                "cannot read /nowhere/keys.pem: No such file or directory\n  See 'sluice server --help'"
            ),
            (["--auth-key-file", "/"], "cannot read /: Is a directory"),
            (["--max-streams", "0"], "--max-streams is from 1 to 1000000"),
            (["--max-connections", "9223372036854775807"], "--max-connections is from 1 to 1000000"),
            (["--lanes", "0"], "--lanes is from 1 to 64"),
            (["--lanes", "100000"], "--lanes is from 1 to 64"),
            (["--threads", "100000"], "--threads is from 1 to 256"),
            (["--listen", "8001"], "'--listen <host:port>': an address is HOST:PORT, such as 127.0.0.1:8001"),
            (["--metrics-listen", "127.0.0.1:80000"], "'--metrics-listen <host:port>': an address is HOST:PORT"),
            (["--idle-timeout", "5"], "'--idle-timeout <time>': a length of time has its unit, such as 90s"),
            (["--retention", "-1s"], "--retention"),
            (["--database-url", "postgresql://me:secret@localhost/x"], "a password in an argument"),
            (["--url", "http://me:secret@localhost"], "put the URL into SLUICE_URL"),
            (["--retry-interval", "0s"], "--retry-interval is more than 0s"),
            (["--retention", "0s"], "--retention is more than 0s"),
            (["--auth-key-file", ""], "SLUICE_AUTH_KEY_FILE or its option is empty"),
            (["--push-host", "http://127.0.0.1"], #""http://127.0.0.1" can match no host; --push-host"#),
            (["--push-host", "*"], #""*" can match no host"#),
            (["--push-host", ""], #""" can match no host"#),
        ]
    )
    func refusals(_ arguments: [String], _ word: String) async throws {
        try await expectRefusal(arguments, word)
    }

    @Test(
        "an empty variable of a setting on which access depends is refused, not taken for none",
        arguments: [
            "SLUICE_AUTH_KEY_FILE", "SLUICE_AUTH_ISSUER", "SLUICE_AUTH_AUDIENCE", "SLUICE_DEBUG_TOKEN_FILE",
            "SLUICE_PUSH_HOST",
        ]
    )
    func emptyAccess(_ variable: String) async throws {
        try await expectRefusal([], environment: [variable: ""], variable)
        try await expectRefusal([], environment: [variable: " "], variable)
    }

    @Test("a number beyond its bounds is refused in the environment as well, by the variable's name")
    func numbers() async throws {
        try await expectRefusal([], environment: ["SLUICE_LANES": "65"], "SLUICE_LANES is from 1 to 64")
    }

    @Test(
        "times of nothing are refused in the environment as well",
        arguments: ["SLUICE_RETRY_INTERVAL", "SLUICE_RETENTION"]
    )
    func emptyTimes(_ variable: String) async throws {
        try await expectRefusal([], environment: [variable: "0"], "\(variable) is more than 0s")
    }

    private func expectRefusal(
        _ arguments: [String], environment: [String: String] = [:], _ word: String
    ) async throws {
        let database = ["SLUICE_DATABASE_URL": "postgresql://localhost/x"]
        let process = try SluiceProcess(["server"] + arguments, environment: environment.merging(database) { $1 })
        defer { process.send(SIGKILL) }
        #expect(try await process.waitForExit(within: .seconds(15)) == 64)
        #expect(process.standardError.contains(word), "\(process.standardError)")
        #expect(!process.standardError.contains("secret"))
    }

    @Test("at its start it says whether requests need a token, and its sessions are called sluice/server")
    func start() async throws {
        let folder = try TestServers.folder + "/" + uniqueName("keys")
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        try await Data(Signer.p256().publicPEM.utf8).write(to: URL(fileURLWithPath: folder + "/keys.pem"))
        try await withTestDatabase { url in
            try await withServerProcess(url) { process, port in
                try await untilReady(port)
                #expect(process.standardError.contains("requests need no token: everybody"))
                let names = try await Psql.run(
                    """
                    SELECT DISTINCT application_name FROM pg_stat_activity
                    WHERE datname = current_database() AND pid <> pg_backend_pid()
                    """,
                    on: url
                )
                #expect(names == "sluice/server")
            }
            let environment = ["SLUICE_AUTH_KEY_FILE": folder + "/keys.pem"]
            try await withServerProcess(url, environment: environment) { process, port in
                try await untilReady(port)
                #expect(process.standardError.contains("requests need a token"))
                let get = try await request(port, "POST", "/", envelope("promise.get", #"{"id":"a"}"#))
                #expect(get.status == 401)
            }
        }
    }

    @Test("where it cannot listen it says why")
    func places() async throws {
        try await withTestDatabase { url in
            try await withServerProcess(url) { _, port in
                for (place, word) in [
                    ("127.0.0.1:\(port)", "another program listens there; stop it, or choose another port"),
                    ("192.0.2.1:8001", "it is no address of this machine"),
                    ("nowhere.invalid:8001", "the host's name cannot be resolved"),
                ] {
                    let output = try await runSluice(
                        "server", "--listen", place, environment: ["SLUICE_DATABASE_URL": url])
                    #expect(output.status == 1)
                    #expect(output.standardError.hasSuffix("Error: cannot listen at \(place): \(word)\n"))
                }
            }
        }
    }

    @Test(
        "a database that lets nobody in is told before it is said where the server listens",
        arguments: [
            ("wrong", "", "28P01"), (nil, "", "the password belongs in SLUICE_DATABASE_URL"),
            ("right", "nothing", "3D000"),
        ]
            as [(String?, String, String)]
    )
    func refusedDatabase(_ password: String?, _ database: String, _ word: String) async throws {
        try await withTestDatabase { url in
            var parts = try #require(URLComponents(string: url))
            if password != "right" { parts.password = password }
            parts.path += database
            let environment = ["SLUICE_DATABASE_URL": try #require(parts.string), "PGPASSFILE": "/dev/null/none"]
            let output = try await runSluice(
                "server", "--listen", "127.0.0.1:0", environment: environment, within: .seconds(15))
            #expect(output.status == 1)
            #expect(output.standardOutput.isEmpty)
            #expect(output.standardError.contains(word), "\(output.standardError)")
        }
    }

    @Test("a database that does not answer keeps nobody from learning where the server listens")
    func frozenDatabase() async throws {
        let silent = try ScriptedServer { _ in .silence }
        defer { silent.stop() }
        try await withServerProcess("postgresql://a:b@127.0.0.1:\(silent.port)/x") { _, port in
            let answer = try await request(port, "GET", "/ready")
            #expect(answer.status == 503)
        }
    }

    @Test("an empty variable for the database is none")
    func emptyDatabase() async throws {
        let output = try await runSluice("server", environment: ["SLUICE_DATABASE_URL": ""], within: .seconds(10))
        #expect(output.status == 64)
        #expect(output.standardError.contains("no database: give --database-url, or set SLUICE_DATABASE_URL"))
    }

    @Test("a user who may not make the schema is told which rights are wanted; one who has a schema needs no more")
    func rights() async throws {
        try await withPrivatePostgres { postgres in
            try await withTestDatabase(on: postgres.url) { url in
                var parts = try #require(URLComponents(string: url))
                parts.user = "app"
                parts.password = "word"
                let app = try #require(parts.string)
                try await Psql.run("CREATE ROLE app LOGIN PASSWORD 'word'", on: url)
                let refused = try SluiceProcess(
                    ["server", "--listen", "127.0.0.1:0"], environment: ["SLUICE_DATABASE_URL": app])
                defer { refused.send(SIGKILL) }
                #expect(try await refused.waitForExit() == 1)
                #expect(refused.standardOutput.isEmpty)
                #expect(refused.standardError.contains("permission denied for database"))
                #expect(refused.standardError.contains("GRANT CREATE ON DATABASE"))
                try await Psql.run("CREATE SCHEMA sluice", on: url)
                let foreign = try SluiceProcess(
                    ["server", "--listen", "127.0.0.1:0"], environment: ["SLUICE_DATABASE_URL": app])
                defer { foreign.send(SIGKILL) }
                #expect(try await foreign.waitForExit() == 1)
                #expect(foreign.standardError.contains("CREATE SCHEMA sluice AUTHORIZATION"))
                try await Psql.run("ALTER SCHEMA sluice OWNER TO app", on: url)
                try await withServerProcess(app) { _, port in try await untilReady(port) }
            }
        }
    }
}
