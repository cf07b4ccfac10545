import Foundation
import Synchronization

/// A program that was started: its process, and its output in two files of a folder of its own.
///
/// Files and not pipes: nobody has to read along, and a server that the program leaves behind holds nobody up.
public final class RunningProgram: Sendable {
    /// Where its output is: `stdout` and `stderr`.
    public let folder: String
    /// The operating system's number of the process.
    public let processIdentifier: Int32

    private let process: Mutex<Process>
    private let exit: Exit

    /// How it ended, once it has.
    private final class Exit: Sendable {
        let status = Mutex<Int32?>(nil)
    }

    /// Starts a program, found on `PATH` unless it is a path itself.
    ///
    /// - Parameters:
    ///   - environment: added to that of this process.
    ///   - input: what it reads on standard input; nothing by default.
    ///   - folder: where its output goes; it is made if need be.
    public init(
        _ program: String, _ arguments: [String], environment: [String: String] = [:], input: String = "",
        folder: String
    ) throws {
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        func file(_ name: String, containing text: String = "") throws -> URL {
            let url = URL(fileURLWithPath: folder).appendingPathComponent(name)
            try Data(text.utf8).write(to: url)
            return url
        }
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = [program] + arguments
        process.environment = ProcessInfo.processInfo.environment.merging(environment) { $1 }
        process.standardInput = try FileHandle(forReadingFrom: file("stdin", containing: input))
        process.standardOutput = try FileHandle(forWritingTo: file("stdout"))
        process.standardError = try FileHandle(forWritingTo: file("stderr"))
        let exit = Exit()
        process.terminationHandler = { process in
            // As a shell has it: a signal is a status above 128.
            let status = process.terminationStatus
            exit.status.withLock { $0 = process.terminationReason == .uncaughtSignal ? 128 + status : status }
        }
        try process.run()
        self.folder = folder
        self.processIdentifier = process.processIdentifier
        self.exit = exit
        self.process = Mutex(process)
    }

    deinit {
        send(SIGKILL)
    }

    /// Nil while it runs; then its exit code, or 128 and the number of the signal that ended it.
    public var exitStatus: Int32? {
        exit.status.withLock { $0 }
    }

    /// All that it wrote on standard output so far.
    public var standardOutput: String { read("stdout") }

    /// All that it wrote on standard error so far.
    public var standardError: String { read("stderr") }

    /// Sends a signal, unless it has ended.
    public func send(_ signal: Int32) {
        guard exitStatus == nil else { return }
        kill(processIdentifier, signal)
    }

    /// Waits for its end, and returns its exit status. Throws ``TestFailure`` when it still runs after that time.
    @discardableResult
    public func waitForExit(
        within limit: Duration = .seconds(30), file: String = #fileID, line: Int = #line
    ) async throws -> Int32 {
        try await eventually("the end of process \(processIdentifier)", within: limit, file: file, line: line) {
            exitStatus
        }
    }

    private func read(_ name: String) -> String {
        let data = FileManager.default.contents(atPath: folder + "/" + name) ?? Data()
        return String(decoding: data, as: UTF8.self)
    }
}
