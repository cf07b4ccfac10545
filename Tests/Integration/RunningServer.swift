import Foundation
import TestSupport
import Testing

/// A `sluice server` that runs beside a test: ``withServer(on:listen:_:)``.
struct RunningServer: Sendable {
    let process: SluiceProcess
    /// Where it listens, as in `http://127.0.0.1:12345`.
    let url: String

    /// The same as `--listen` has it, for another that shall take its place.
    var address: String { String(url.dropFirst("http://".count)) }
}

/// Runs a promise server on a database while the body runs, then stops it: it has to end well within ten seconds, whatever
/// streams are open. One that the body has killed is let lie.
func withServer<Value>(
    on database: String, listen: String = "127.0.0.1:0", _ body: (RunningServer) async throws -> Value
) async throws -> Value {
    try await withSluice("server", "--listen", listen, environment: ["SLUICE_DATABASE_URL": database]) { process in
        let url = try await eventually("the server listens", within: .seconds(30)) {
            process.lines.lazy.compactMap(address(in:)).first
        }
        let value = try await body(RunningServer(process: process, url: url))
        if process.exitStatus == nil {
            process.terminate()
            #expect(try await process.waitForExit(within: .seconds(10)) == 0)
        }
        return value
    }
}

/// What a line of the log says after "listening on".
private func address(in line: Substring) -> String? {
    guard let start = line.range(of: "listening on http://") else { return nil }
    return "http://" + line[start.upperBound...].prefix { $0.isNumber || $0 == "." || $0 == ":" }
}
