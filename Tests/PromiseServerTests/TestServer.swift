import DurablePromises
import Foundation
import Logging
import PromiseServer
import TestSupport

/// A promise server that a test runs in its own process, on a free port of the loopback.
struct TestServer: Sendable {
    let port: Int
    let metricsPort: Int?
    private let running: Task<Void, any Error>

    var url: String { "http://127.0.0.1:\(port)" }

    func connect() throws -> RawConnection {
        try RawConnection(port: port)
    }

    /// Sends one request on a connection of its own.
    func request(
        _ method: String,
        _ path: String,
        body: String = "",
        headers: [String] = [],
        port: Int? = nil,
        file: String = #fileID,
        line: Int = #line
    ) async throws -> TestAnswer {
        let connection = try RawConnection(port: port ?? self.port)
        let head = ["\(method) \(path) HTTP/1.1", "Host: test", "Content-Length: \(body.utf8.count)"] + headers
        try connection.write(head.joined(separator: "\r\n") + "\r\n\r\n" + body)
        return try await connection.readAnswer(file: file, line: line)
    }

    /// Posts an envelope, and returns what is said in the envelope that comes back.
    func post(
        _ envelope: String,
        headers: [String] = [],
        file: String = #fileID,
        line: Int = #line
    ) async throws -> (http: Int, response: Response) {
        let answer = try await request("POST", "/", body: envelope, headers: headers, file: file, line: line)
        return (answer.status, try Response(json: answer.body.utf8))
    }

    /// Asks the server to stop, without waiting.
    func stop() {
        running.cancel()
    }

    /// Waits until it has stopped.
    func untilStopped() async throws {
        try await running.value
    }

    fileprivate init(port: Int, metricsPort: Int?, running: Task<Void, any Error>) {
        self.port = port
        self.metricsPort = metricsPort
        self.running = running
    }
}

/// A free port of the loopback, and what the test changes.
func testSettings(_ change: (inout ServerSettings) -> Void = { _ in }) -> ServerSettings {
    var settings = ServerSettings(listen: ListenAddress(host: "127.0.0.1", port: 0), threads: 2)
    settings.limits.shutdownTimeout = .seconds(2)
    change(&settings)
    return settings
}

/// Runs a server beside the body, and stops it at its end.
func withServer(
    _ promises: any ServedPromises = MemoryPromises(),
    metrics: ServerMetrics = ServerMetrics(),
    settings: ServerSettings = testSettings(),
    isReady: @escaping @Sendable () async -> Bool = { true },
    _ body: (TestServer) async throws -> Void
) async throws {
    var logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
    logger.logLevel = .critical
    let server = PromiseServer(promises, settings: settings, metrics: metrics, logger: logger, isReady: isReady)
    let (addresses, continuation) = AsyncStream.makeStream(of: (ListenAddress, ListenAddress?).self)
    let running = Task {
        defer { continuation.finish() }
        try await server.run { main, metrics in continuation.yield((main, metrics)) }
    }
    var iterator = addresses.makeAsyncIterator()
    guard let (main, metrics) = await iterator.next() else {
        try await running.value
        throw TestFailure("the server ended before it listened")
    }
    let result: Result<Void, any Error>
    do {
        let server = TestServer(port: main.port, metricsPort: metrics?.port, running: running)
        try await body(server)
        result = .success(())
    } catch {
        result = .failure(error)
    }
    running.cancel()
    try await running.value
    try result.get()
}

/// An envelope, as a client would send it.
func envelope(_ kind: String, _ data: String, head: String = "") -> String {
    #"{"kind":"\#(kind)","head":{"corrId":"c1","version":"2026-04-01"\#(head)},"data":\#(data)}"#
}
