import Foundation

/// A `sluice` that runs beside a test: ``withSluice(_:environment:input:_:)``.
public struct SluiceProcess: Sendable {
    private let program: RunningProgram

    /// Starts it; prefer ``withSluice(_:environment:input:_:)``, which also ends it.
    ///
    /// Its pid file lies in the folder of the run, so that not even a test run that is killed leaves it behind.
    public init(_ arguments: [String], environment: [String: String] = [:], input: String = "") throws {
        let folder = try TestServers.folder + "/" + uniqueName("sluice")
        program = try RunningProgram(
            TestServers.sluice, arguments, environment: environment, input: input, folder: folder)
        try Data("\(program.processIdentifier)\n".utf8).write(to: URL(fileURLWithPath: folder + "/sluice.pid"))
    }

    /// The operating system's number of the process.
    public var processIdentifier: Int32 { program.processIdentifier }

    /// Nil while it runs; then its exit code, or 128 and the number of the signal that ended it.
    public var exitStatus: Int32? { program.exitStatus }

    /// All that it wrote on standard output so far.
    public var standardOutput: String { program.standardOutput }

    /// All that it wrote on standard error so far: its log, if it is the operator.
    public var standardError: String { program.standardError }

    /// The lines of both, those of standard output first. The last may be half written.
    public var lines: [Substring] {
        (standardOutput + standardError).split(separator: "\n")
    }

    /// Sends a signal, unless it has ended: `SIGSTOP` and `SIGCONT` make a worker that is late.
    public func send(_ signal: Int32) { program.send(signal) }

    /// A crash: SIGKILL. Returns when the process is gone.
    public func kill() async throws {
        send(SIGKILL)
        try await waitForExit()
    }

    /// Asks it to stop: SIGTERM.
    public func terminate() { send(SIGTERM) }

    /// Waits for its end, and returns its exit status. Throws ``TestFailure`` when it still runs after that time, with
    /// what it said.
    @discardableResult
    public func waitForExit(
        within limit: Duration = .seconds(30), file: String = #fileID, line: Int = #line
    ) async throws -> Int32 {
        do {
            return try await program.waitForExit(within: limit, file: file, line: line)
        } catch let failure as TestFailure {
            throw TestFailure("\(failure)\n\(lines.suffix(20).joined(separator: "\n"))")
        }
    }
}

/// Runs `sluice` beside the body and kills it at its end, if it still runs.
///
/// When the body throws a ``TestFailure``, what the program said last is added to it.
public func withSluice<Value>(
    _ arguments: String..., environment: [String: String] = [:], input: String = "",
    _ body: (SluiceProcess) async throws -> Value
) async throws -> Value {
    try await withSluice(arguments, environment: environment, input: input, body)
}

/// The same with its arguments in a list.
public func withSluice<Value>(
    _ arguments: [String], environment: [String: String] = [:], input: String = "",
    _ body: (SluiceProcess) async throws -> Value
) async throws -> Value {
    let process = try SluiceProcess(arguments, environment: environment, input: input)
    defer { process.send(SIGKILL) }
    do {
        return try await body(process)
    } catch let failure as TestFailure {
        let said = process.lines.suffix(20).joined(separator: "\n")
        throw TestFailure("\(failure)\nsluice \(arguments.joined(separator: " ")) said last:\n\(said)")
    }
}

/// Runs `sluice` to its end, as a person on a command line would, and returns what came of it.
public func runSluice(
    _ arguments: String..., environment: [String: String] = [:], input: String = "",
    within limit: Duration = .seconds(60)
) async throws -> Program.Output {
    try await Program.run(TestServers.sluice, arguments, environment: environment, input: input, within: limit)
}
