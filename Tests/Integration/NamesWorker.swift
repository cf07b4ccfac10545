import Foundation
import TestSupport

/// `Tests/Python/names.py`, which splits names for a remote step: a process that can be killed, and what it noted.
struct NamesWorker {
    private let python: String
    private let server: RunningServer
    private let log: String

    /// - Parameter server: stands before the database of the Migration.
    init(at server: RunningServer) async throws {
        python = try await PythonWorker.interpreter()
        self.server = server
        log = try TestServers.folder + "/" + uniqueName("names")
        try Data().write(to: URL(fileURLWithPath: log))
    }

    /// Starts one; it ends with the value that is returned.
    func start() throws -> RunningProgram {
        let folder = try TestServers.folder + "/" + uniqueName("worker")
        let program = try TestServers.scripts + "/../Tests/Python/names.py"
        return try RunningProgram(python, ["-B", program, server.url, log], folder: folder)
    }

    /// The rows that were asked about, chunk by chunk and by whichever worker.
    var asked: [[Int]] { lines("asked") }
    /// The rows for which an answer was given.
    var answered: [[Int]] { lines("answers") }

    private func lines(_ word: String) -> [[Int]] {
        String(decoding: FileManager.default.contents(atPath: log) ?? Data(), as: UTF8.self)
            .split(separator: "\n").map { $0.split(separator: " ") }
            .filter { $0.first == word[...] }.map { $0.dropFirst().compactMap { Int($0) } }
    }

    static let changes = """
          - replaceColumns:
              table: customers
              from: [full_name]
              to: [{name: first_name, type: text}, {name: last_name, type: text}]
              forwardBy: {target: "poll://any@names", function: split_name}
              backward: {full_name: "first_name || coalesce(' ' || last_name, '')"}
        """

    /// How many customers are not what the worker makes of their names. The test's own SQL is the oracle.
    static let wrong = """
        SELECT count(*) FROM customers WHERE (
            first_name IS DISTINCT FROM split_part(full_name, ' ', 1)
            OR last_name IS DISTINCT FROM nullif(substr(full_name, strpos(full_name || ' ', ' ') + 1), ''))
        """
}
