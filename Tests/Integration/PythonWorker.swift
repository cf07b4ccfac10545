import Foundation
import TestSupport

/// A worker of the unmodified Python SDK, which does the functions of `Tests/Python/functions.py`.
enum PythonWorker {
    /// Starts one; it does not listen yet.
    ///
    /// - Parameter lease: in seconds.
    static func start(_ python: String, at url: String, group: String, lease: Int) throws -> RunningProgram {
        // Without the bytecode of the modules, which Python would put beside them.
        let script = try TestServers.scripts + "/../Tests/Python/worker.py"
        let folder = try TestServers.folder + "/" + uniqueName("python")
        return try RunningProgram(python, ["-B", script, url, group, "\(lease)"], folder: folder)
    }

    /// The interpreter, with the SDK. It is got first where there is none.
    static func interpreter() async throws -> String {
        try await Script.run("python-tools", within: .seconds(300))
    }

    static func isListening(_ program: RunningProgram) -> Bool {
        program.standardError.contains("SSE connection established")
    }
}
