import DurablePromises
import Foundation
import Logging
import PostgreSQL
import PromiseServer

/// A promise server and its store, from start to end.
struct PromiseService: Sendable {
    private let store: PromiseStore
    private let pool: PostgresPool
    private let settings: ServerSettings
    private let promises: PromisesAtStart
    private let server: PromiseServer
    private let logger: Logger

    init(
        _ store: PromiseStore,
        _ pool: PostgresPool,
        _ settings: ServerSettings,
        _ metrics: ServerMetrics,
        _ logger: Logger
    ) {
        self.store = store
        self.pool = pool
        self.settings = settings
        self.logger = logger
        let promises = PromisesAtStart(store)
        self.promises = promises
        server = PromiseServer(promises, settings: settings, metrics: metrics, logger: logger) {
            guard promises.isStarted else { return false }
            return await Self.answers(pool)
        }
    }

    /// Serves until the task is cancelled, then ends in good order. Throws when it cannot listen, and when the database is
    /// there but refuses: before it says where it listens, if that is found soon.
    func run() async throws {
        // Timers and messages go on until the last request is answered: what it caused is delivered.
        let (started, signal) = AsyncStream.makeStream(of: Void.self)
        let (addresses, bound) = AsyncStream.makeStream(of: [String].self)
        let (first, attempted) = AsyncStream.makeStream(of: Void.self)
        let background = Task {
            for await _ in started {
                await store.run()
                break
            }
        }
        let outcome = await Result.catching {
            try await withThrowingTaskGroup(of: Part.self) { group in
                group.addTask {
                    try await server.run { main, metrics in
                        let more = metrics.map { ["metrics at http://\($0)/metrics"] } ?? []
                        bound.yield(["listening on http://\(main)"] + more)
                    }
                    return .server
                }
                group.addTask {
                    try await install { attempted.finish() }
                    promises.start()
                    signal.yield()
                    return .installation
                }
                group.addTask {
                    for await lines in addresses {
                        for await _ in first {}
                        if !Task.isCancelled { lines.forEach(Self.say) }
                        break
                    }
                    return .announcement
                }
                group.addTask {
                    try await Task.sleep(for: Self.patience)
                    attempted.finish()
                    return .patience
                }
                defer { group.cancelAll() }
                for try await part in group where part == .server { break }
            }
        }
        signal.finish()
        background.cancel()
        await background.value
        store.close()
        await pool.close()
        try outcome.get()
    }

    /// What runs beside each other; all of it ends when the server does.
    private enum Part {
        case server, installation, announcement, patience
    }

    /// How long a database that does not answer keeps the server from saying where it listens.
    private static let patience: Duration = .seconds(5)

    /// Makes the tables, as soon as there is a database. `attempted` is called when they are there, and whenever the database
    /// is away.
    private func install(_ attempted: () -> Void) async throws {
        var hasWarned = false
        while true {
            do {
                try await store.install()
                return attempted()
            } catch let error as PostgresError where error.isTransient {
                attempted()
                if !hasWarned { logger.warning("waiting for the database", metadata: ["error": "\(error)"]) }
                hasWarned = true
                try await Task.sleep(for: .milliseconds(500))
            }
        }
    }

    /// Whether the database answers within two seconds.
    private static func answers(_ pool: PostgresPool) async -> Bool {
        await withTaskGroup(of: Bool.self) { group in
            group.addTask { (try? await pool.withConnection { _ = try await $0.query("SELECT 1") }) != nil }
            group.addTask {
                try? await Task.sleep(for: .seconds(2))
                return false
            }
            defer { group.cancelAll() }
            return await group.next() ?? false
        }
    }

    /// At once, though standard output be a pipe.
    private static func say(_ line: String) {
        FileHandle.standardOutput.write(Data((line + "\n").utf8))
    }
}

extension Result where Failure == any Error {
    fileprivate static func catching(_ body: () async throws -> Success) async -> Result {
        do {
            return .success(try await body())
        } catch {
            return .failure(error)
        }
    }
}
