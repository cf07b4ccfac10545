internal import Backfill
internal import Logging
internal import PostgreSQL
internal import SchemaChange

/// Indexes are built and dropped while others write. That may take hours, most of them waiting for transactions that began
/// before, so it has a session of its own, whose waits have no limit: a limit would leave an index that is half built and
/// slows every write. Others are never behind it in a queue.
extension ClaimedTravel {
    /// Builds an index, or goes on where somebody was killed who built it.
    func build(_ index: ConcurrentIndex, of step: Step, hurts: Hurt, note: (PostgresConnection) async throws -> Void)
        async throws
    {
        if index.partitions != nil { return try await buildOnPartitions(index, of: step, hurts: hurts, note: note) }
        try await retryingLostRaces(step) {
            try await requireGuards(hurts)
            try await withIndexSession(step) { session in
                switch try await IndexState.read(index, on: session) {
                case .valid: return
                case .absent: break
                case .invalid:
                    travel.run.logger.notice(
                        "dropping an index that was not finished", metadata: ["step": "\(step.title)"])
                    for statement in index.drop.prefix(1) { try await session.query(statement) }
                }
                do {
                    try await session.query(index.create)
                } catch let error as PostgresError where error.code == .server && !error.isTransient {
                    let explained = try await explained(error, index)
                    // One that is not valid may all the same refuse what the application writes.
                    for statement in index.drop.prefix(1) { try await session.query(statement) }
                    throw explained
                }
            }
        }
        try await execute(index.finish, of: step, hurts: hurts, note: note)
    }

    /// Drops an index, or what is there of it.
    func remove(_ index: ConcurrentIndex, of step: Step, hurts: Hurt, note: (PostgresConnection) async throws -> Void)
        async throws
    {
        if index.partitions != nil {
            return try await execute(index.drop, of: step, hurts: hurts, lock: "ACCESS EXCLUSIVE", note: note)
        }
        try await retryingLostRaces(step) {
            try await requireGuards(hurts)
            try await withIndexSession(step) { session in
                for statement in index.drop { try await session.query(statement) }
            }
        }
        try await execute(index.unfinish, of: step, hurts: hurts, note: note)
    }

    /// Each by itself and in no transaction.
    func executeConcurrently(
        _ statements: [String], of step: Step, hurts: Hurt, note: (PostgresConnection) async throws -> Void
    ) async throws {
        try await retryingLostRaces(step) {
            try await requireGuards(hurts)
            try await withIndexSession(step) { session in
                for statement in statements { try await session.query(statement) }
            }
        }
        try await fenced { try await note($0) }
    }

    /// Two rows that are the same are the data's fault, and somebody's to mend. What they hold in it is not told.
    ///
    /// - Parameter index: one that is there still, though it is not valid; nil for that of a partition.
    func explained(_ error: PostgresError, _ index: ConcurrentIndex? = nil) async throws -> any Error {
        guard error.sqlState == "23505" else { return error }
        var found: [String] = []
        if let index { found = try await pool.withConnection { try await Violators.duplicates(in: index, on: $0) } }
        return Interruption.stalled(
            reason: "DataNotReady",
            message: "\(travel.run.doing): rows were written meanwhile that are the same in it; make them differ"
                + (found.isEmpty ? "" : ": \(Violators.list(found))"))
    }

    func withIndexSession(_ step: Step, _ body: (PostgresConnection) async throws -> Void) async throws {
        try await IndexSession(pool: pool, fence: fence).run(body) { try await tellProgress(of: $0, step) }
    }

    /// Until it is cancelled.
    private func tellProgress(of process: Int32, _ step: Step) async throws {
        while true {
            try await Task.sleep(for: .milliseconds(500))
            do {
                let progress = try await pool.withConnection { try await IndexProgress.read(of: process, on: $0) }
                if let blockers = progress.blockers {
                    reporter.working(
                        step.stepName, reason: "WaitingForLock",
                        "\(travel.run.doing): \(progress.phase); it waits for \(blockers)")
                } else if !progress.phase.isEmpty {
                    reporter.working(step.stepName, reason: step.stepName, "\(travel.run.doing): \(progress.phase)")
                }
            } catch {
                try Task.checkCancellation()
                travel.run.logger.debug("no progress to tell", metadata: ["error": "\(error)"])
            }
        }
    }
}
