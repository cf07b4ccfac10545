import Foundation
import HTTPClient
import Synchronization

/// A promise server that runs beside a test, which may kill it and start it again: ``withSluiceServer(on:_:environment:_:)``.
public final class RunningServer: Sendable {
    /// Where it listens, as in `http://127.0.0.1:12345`; the same over a restart.
    public let url: String
    private let arguments: [String]
    private let environment: [String: String]
    private let running: Mutex<SluiceProcess>

    fileprivate init(_ arguments: [String], environment: [String: String]) async throws {
        self.arguments = arguments
        self.environment = environment
        let process = try Self.start(arguments, environment, listen: "127.0.0.1:0")
        running = Mutex(process)
        url = try await Self.url(of: process)
    }

    public var process: SluiceProcess { running.withLock { $0 } }

    public var port: Int { Int(url.split(separator: ":").last ?? "") ?? 0 }

    /// A crash: SIGKILL. Returns when the process is gone.
    public func kill() async throws {
        try await process.kill()
    }

    /// Starts it again after its end, at the address that it had. Returns when it listens.
    public func restart() async throws {
        let process = try Self.start(arguments, environment, listen: "127.0.0.1:\(port)")
        running.withLock { $0 = process }
        _ = try await Self.url(of: process)
    }

    /// Waits until it says that it is ready, which takes a database.
    public func becomeReady(within limit: Duration = .seconds(30)) async throws {
        let transport = HTTPTransport(userAgent: "sluice-test")
        let request = HTTPRequest(method: "GET", url: url + "/ready", total: .seconds(5))
        try await eventually("\(url) is ready", within: limit) { try await transport.send(request).status == 200 }
    }

    private static func start(
        _ arguments: [String], _ environment: [String: String], listen: String
    ) throws -> SluiceProcess {
        try SluiceProcess(["server", "--listen", listen] + arguments, environment: environment)
    }

    private static func url(of process: SluiceProcess) async throws -> String {
        let url = try await eventually("the server listens", within: .seconds(30), every: .milliseconds(10)) {
            if let status = process.exitStatus {
                return "it ended with \(status): \(process.lines.suffix(20).joined(separator: "\n"))"
            }
            return process.standardOutput.firstMatch(of: /listening on (http:\/\/[0-9.:]+)\n/).map { String($0.1) }
        }
        guard url.hasPrefix("http://") else { throw TestFailure(url) }
        return url
    }
}

/// Runs a promise server on a database while the body runs, then stops it: it has to end well within ten seconds, whatever
/// streams are open. One that the body has ended is let lie.
public func withSluiceServer<Value>(
    on database: String, _ arguments: [String] = [], environment: [String: String] = [:],
    _ body: (RunningServer) async throws -> Value
) async throws -> Value {
    let environment = environment.merging(["SLUICE_DATABASE_URL": database]) { $1 }
    let server = try await RunningServer(arguments, environment: environment)
    defer { server.process.send(SIGKILL) }
    do {
        let value = try await body(server)
        if server.process.exitStatus == nil {
            server.process.terminate()
            let status = try await server.process.waitForExit(within: .seconds(10))
            guard status == 0 else { throw TestFailure("asked to stop, the server ended with \(status)") }
        }
        return value
    } catch let failure as TestFailure {
        let said = server.process.lines.suffix(20).joined(separator: "\n")
        throw TestFailure("\(failure)\nthe server at \(server.url) said last:\n\(said)")
    }
}
