import Foundation

/// Programs that a test runs to their end.
public enum Program {
    /// What came of it.
    public struct Output: Sendable {
        /// The exit code, or 128 and the number of the signal that ended it.
        public var status: Int32
        public var standardOutput: String
        public var standardError: String
    }

    /// Runs a program and waits for its end without holding a thread. It is killed when the time is over.
    ///
    /// A cancelled test lets it finish, for it may be what cleans up.
    public static func run(
        _ program: String, _ arguments: [String], environment: [String: String] = [:], input: String = "",
        within limit: Duration = .seconds(60)
    ) async throws -> Output {
        let folder = FileManager.default.temporaryDirectory.path + "/" + uniqueName("program")
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let running = try RunningProgram(
            program, arguments, environment: environment, input: input, folder: folder)
        // A task of its own, so that cancelling the test does not end the wait.
        let status = try await Task {
            do {
                return try await running.waitForExit(within: limit)
            } catch {
                running.send(SIGKILL)
                throw TestFailure(
                    "\(program) \(arguments.joined(separator: " ")) ran for more than \(limit) and was killed\n"
                        + running.standardOutput + running.standardError)
            }
        }.value
        return Output(
            status: status, standardOutput: running.standardOutput, standardError: running.standardError)
    }

    /// The same, for a program that has to succeed: returns what it printed, without the newline at its end.
    @discardableResult
    public static func output(
        _ program: String, _ arguments: [String], environment: [String: String] = [:], input: String = "",
        within limit: Duration = .seconds(60)
    ) async throws -> String {
        let output = try await run(program, arguments, environment: environment, input: input, within: limit)
        guard output.status == 0 else {
            throw TestFailure(
                "\(program) \(arguments.joined(separator: " ")) ended with \(output.status)\n"
                    + output.standardOutput + output.standardError)
        }
        return output.standardOutput.hasSuffix("\n")
            ? String(output.standardOutput.dropLast()) : output.standardOutput
    }
}
