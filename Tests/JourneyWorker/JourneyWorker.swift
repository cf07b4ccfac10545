import DurableExecution
import Foundation
import Journeys
import Logging
import RemotePromises
import Synchronization

/// A worker for tests to kill: `journey-worker URL GROUP LEASE NOTES`. It does the functions of ``Journeys`` for the group,
/// with leases of so many milliseconds, until it is killed, and notes each settled promise that it sees in a file.
@main
struct JourneyWorker {
    static func main() async throws {
        let arguments = CommandLine.arguments
        guard arguments.count == 5, let lease = Int(arguments[3]) else {
            FileHandle.standardError.write(Data("usage: journey-worker URL GROUP LEASE NOTES\n".utf8))
            exit(64)
        }
        var logger = Logger(label: "journey-worker") { StreamLogHandler.standardError(label: $0) }
        logger.logLevel = .notice
        let notes = try Notes(path: arguments[4])
        let client = WitnessClient(HTTPPromiseClient(url: arguments[1], logger: logger)) { notes.add($0) }
        let worker = DurableWorker(
            client, functions: Journeys.functions(),
            settings: .init(group: arguments[2], lease: .milliseconds(lease)), logger: logger)
        await worker.run()
    }
}

/// A line for each thing that was seen, written before anything follows from it.
private final class Notes: Sendable {
    private let file: FileHandle
    private let seen = Mutex<Set<Sighting>>([])

    init(path: String) throws {
        guard FileManager.default.createFile(atPath: path, contents: nil) else { throw CocoaError(.fileWriteUnknown) }
        file = try FileHandle(forWritingTo: URL(fileURLWithPath: path))
    }

    func add(_ sighting: Sighting) {
        seen.withLock { seen in
            guard seen.insert(sighting).inserted, let line = try? JSONEncoder().encode(sighting) else { return }
            file.write(line + Data("\n".utf8))
        }
    }
}
