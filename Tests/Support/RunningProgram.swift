import Foundation
import Synchronization

/// A program that was started: its process, and its output in two files of a folder of its own.
///
/// Files and not pipes: nobody has to read along. And `posix_spawn`, not Foundation's `Process`, which on Linux takes a
/// program for running as long as a server that it left behind runs.
public final class RunningProgram: Sendable {
    /// Where its output is: `stdout` and `stderr`.
    public let folder: String
    /// The operating system's number of the process.
    public let processIdentifier: Int32

    private let exit: Exit

    /// How it ended, once it has. Signals are sent under the same lock: before its end is noted, the number is its own.
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
        try Data(input.utf8).write(to: URL(fileURLWithPath: folder + "/stdin"))
        let process = try Self.spawn(
            [program] + arguments,
            environment: ProcessInfo.processInfo.environment.merging(environment) { $1 },
            folder: folder)
        let exit = Exit()
        Thread.detachNewThread {
            // Waits without reaping, so that the number is not given to another process before the end is noted.
            var information = siginfo_t()
            while waitid(P_PID, id_t(process), &information, WEXITED | WNOWAIT) == -1, errno == EINTR {}
            exit.status.withLock { status in
                var result: Int32 = 0
                while waitpid(process, &result, 0) == -1, errno == EINTR {}
                let signal = result & 0x7f
                status = signal == 0 ? (result >> 8) & 0xff : 128 + signal
            }
        }
        self.folder = folder
        self.processIdentifier = process
        self.exit = exit
    }

    deinit {
        send(SIGKILL)
    }

    /// Nil while it runs; then its exit code, or 128 and the number of the signal that ended it, as a shell has it.
    public var exitStatus: Int32? {
        exit.status.withLock { $0 }
    }

    /// All that it wrote on standard output so far.
    public var standardOutput: String { read("stdout") }

    /// All that it wrote on standard error so far.
    public var standardError: String { read("stderr") }

    /// Sends a signal, unless it has ended.
    public func send(_ signal: Int32) {
        exit.status.withLock { status in
            if status == nil { _ = kill(processIdentifier, signal) }
        }
    }

    /// Waits for its end, and returns its exit status. Throws ``TestFailure`` when it still runs after that time.
    @discardableResult
    public func waitForExit(
        within limit: Duration = .seconds(30), file: String = #fileID, line: Int = #line
    ) async throws -> Int32 {
        try await eventually(
            "the end of process \(processIdentifier)", within: limit, every: .milliseconds(10), file: file, line: line
        ) {
            exitStatus
        }
    }

    private func read(_ name: String) -> String {
        let data = FileManager.default.contents(atPath: folder + "/" + name) ?? Data()
        return String(decoding: data, as: UTF8.self)
    }

    /// Starts a process whose standard streams are files in a folder, and which inherits nothing else: no descriptor, no
    /// blocked or ignored signal.
    private static func spawn(_ command: [String], environment: [String: String], folder: String) throws -> pid_t {
        var files = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&files)
        defer { posix_spawn_file_actions_destroy(&files) }
        posix_spawn_file_actions_addopen(&files, 0, folder + "/stdin", O_RDONLY, 0)
        posix_spawn_file_actions_addopen(&files, 1, folder + "/stdout", O_WRONLY | O_CREAT | O_TRUNC, 0o644)
        posix_spawn_file_actions_addopen(&files, 2, folder + "/stderr", O_WRONLY | O_CREAT | O_TRUNC, 0o644)
        // Closing one that is not open is no error here; a test run has nowhere near so many.
        for descriptor in Int32(3)..<1024 {
            posix_spawn_file_actions_addclose(&files, descriptor)
        }

        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        var signals = sigset_t()
        sigemptyset(&signals)
        posix_spawnattr_setsigmask(&attributes, &signals)
        sigfillset(&signals)
        posix_spawnattr_setsigdefault(&attributes, &signals)
        posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF))

        var arguments: [UnsafeMutablePointer<CChar>?] = command.map { strdup($0) } + [nil]
        var variables: [UnsafeMutablePointer<CChar>?] = environment.map { strdup("\($0)=\($1)") } + [nil]
        defer { (arguments + variables).forEach { free($0) } }
        var process: pid_t = 0
        let error = posix_spawnp(&process, command[0], &files, &attributes, &arguments, &variables)
        guard error == 0 else {
            throw TestFailure("cannot start \(command[0]): \(String(cString: strerror(error)))")
        }
        return process
    }
}
